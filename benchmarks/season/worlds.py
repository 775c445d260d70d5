"""Worlds whose truth is known: nothing moves, everything turns slowly, or all is different from one night on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.season.nights import Numbers, Table, cut
from perennial.adaptation.scale import Task

Truth = Callable[[Numbers, int], Numbers]

WORLD_ROWS, WORLD_NIGHTS, WORLD_INPUTS = 120, 365, 8
FLIP_NIGHT, EARLY, LATE = 200, 150, 260


def _world(
    name: str,
    logit: Truth,
    *,
    nights: int = WORLD_NIGHTS,
    change: int | None = None,
    task: Task = "binary",
    seed: int = 0,
) -> Table:
    """Draw rows whose logit (or mean) is known; nights share a bit of luck, as real ones do."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(nights * WORLD_ROWS, WORLD_INPUTS))
    night = np.repeat(np.arange(nights), WORLD_ROWS)
    linked = np.concatenate([logit(features[night == t], t) for t in range(nights)])
    linked += draw.normal(scale=0.2, size=nights)[night]
    labels = (draw.random(len(linked)) < 1 / (1 + np.exp(-linked))).astype(float)
    if task == "regression":
        labels = linked + draw.normal(size=len(linked))
    table = cut(
        name,
        task,
        night,
        keys=[str(row) for row in range(len(night))],
        features=features,
        labels=labels,
        segments=[str(int(value)) for value in np.digitize(features[:, 0], [-0.7, 0.7])],
    )
    return Table(**{**table.__dict__, "change": change})


def _relation(x: Numbers, angle: float = 0.0) -> Numbers:
    """Turn the weights from the first inputs towards the later ones."""
    first = x[:, 0] - 0.8 * x[:, 1] + 0.6 * x[:, 2] * x[:, 3]
    other = x[:, 4] - 0.8 * x[:, 5] + 0.6 * x[:, 6] * x[:, 7]
    return np.asarray(1.5 * (np.cos(angle) * first + np.sin(angle) * other) - 0.5)


def stationary(data: Path | None) -> Table:
    """A world in which nothing moves."""
    del data
    return _world("stationary", lambda x, _: _relation(x))


def rotation(data: Path | None) -> Table:
    """A relation that turns by a right angle in a year."""
    del data
    return _world("rotation", lambda x, t: _relation(x, np.pi / 2 * t / WORLD_NIGHTS))


def flip(data: Path | None) -> Table:
    """Labels that are turned around from one night on."""
    del data
    return _world("flip", lambda x, t: _relation(x) * (1 if t < FLIP_NIGHT else -1), change=FLIP_NIGHT)


def switch(data: Path | None) -> Table:
    """A relation that is replaced by one of other inputs from one night on."""
    del data
    turned = np.pi / 2
    return _world("switch", lambda x, t: _relation(x, 0 if t < FLIP_NIGHT else turned), change=FLIP_NIGHT)


def partial(data: Path | None) -> Table:
    """Late in the year half of the relation is replaced. Made after the rules were fixed."""
    del data
    half = np.pi / 4
    return _world("partial", lambda x, t: _relation(x, 0 if t < LATE else half), change=LATE, seed=1)


def detour(data: Path | None) -> Table:
    """A relation that is replaced, and comes back thirty nights later. Made after the rules were fixed."""
    del data
    gone = range(EARLY, EARLY + 30)
    return _world("detour", lambda x, t: _relation(x, np.pi / 2 if t in gone else 0), change=EARLY, seed=2)


def level(data: Path | None) -> Table:
    """A number to predict, whose level and relation turn slowly and jump once."""
    del data

    def moved(x: Numbers, t: int) -> Numbers:
        return _relation(x, np.pi / 4 * t / WORLD_NIGHTS) + (1.5 if t >= FLIP_NIGHT else 0.0)

    return _world("level", moved, change=FLIP_NIGHT, task="regression")


def seasonal(data: Path | None) -> Table:
    """Level and relation that swing with the year, for two years."""
    del data
    return _world(
        "seasonal",
        lambda x, t: _relation(x, 0.4 * np.sin(2 * np.pi * t / 365)) + 0.8 * np.sin(2 * np.pi * t / 365),
        nights=730,
    )
