"""How often does the slow arm page when nothing is wrong, and how soon does it see a lasting shift?

Residual nights are drawn (AR(1); Gaussian, heavy-tailed or skewed shocks), cut into a reference and 90
live nights, and looked at every night through every window. Run ``python -m benchmarks.slow_arm``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit, kept
from perennial.detectors.residual_drift import ResidualDrift
from perennial.facts.shift import LIVE_STRETCH, ratios

Numbers = NDArray[np.float64]

AUTOCORRELATIONS, REFERENCES, SHOCKS = (0.0, 0.3, 0.6), (60, 120), ("gauss", "t3", "skew")
NIGHT_SD = 0.14
"""Standard deviation of a night: what out-of-sample residual nights of the NYC flights have."""
SHIFTS = (0.05, 0.10, 0.15)
WITHIN = (14, 28, 45)
QUIET_GAP = 14
"""A page is over when this many nights in a row were within the threshold; then the next can begin."""


@dataclass(frozen=True)
class World:
    """How nights vary when nothing is wrong."""

    autocorrelation: float
    shocks: str
    reference: int
    wander: float = 0.0

    def draw(self, histories: int, draw: np.random.Generator) -> Numbers:
        """Draw histories, one a row: the reference nights, then the live ones."""
        nights = autoregressive(self._shocks(draw, histories), self.autocorrelation)
        if self.wander:
            slow = autoregressive(draw.standard_normal(nights.shape), 0.95) * np.sqrt(1 - 0.95**2)
            nights = nights + self.wander * slow
        return NIGHT_SD * nights[:, -(self.reference + LIVE_STRETCH) :]

    def _shocks(self, draw: np.random.Generator, histories: int) -> Numbers:
        shape = (histories, 100 + self.reference + LIVE_STRETCH)
        if self.shocks == "t3":
            found = draw.standard_t(3, shape) / np.sqrt(3)
        elif self.shocks == "skew":
            found = (np.exp(0.8 * draw.standard_normal(shape)) - np.exp(0.32)) / 1.3
        else:
            found = draw.standard_normal(shape)
        scaled: Numbers = found * np.sqrt(1 - self.autocorrelation**2)
        return scaled


def autoregressive(shocks: Numbers, r: float) -> Numbers:
    """Let every night keep ``r`` of the night before."""
    nights = shocks.copy()
    for night in range(1, nights.shape[1]):
        nights[:, night] += r * nights[:, night - 1]
    return nights


def crossings(detector: ResidualDrift, nights: Numbers, reference: int) -> NDArray[np.bool_]:
    """Say for every history and live night whether it crossed that history's own threshold."""
    known, live = nights[:, :reference], nights[:, reference:]
    thresholds = np.array([detector.threshold(tuple(row)) for row in known.tolist()])
    over = np.zeros(live.shape, dtype=bool)
    for window in detector.windows:
        far = np.abs(_moving_mean(live, window) - known.mean(axis=1)[:, None]) > detector.effect_floor
        over |= far & (np.abs(ratios(known, live, (window,))) > thresholds[:, None])
    return over


def control_limits(nights: Numbers, reference: int, window: int = 14) -> NDArray[np.bool_]:
    """Cross where a chunk's mean leaves mean +- 3 sd of the reference chunks: the peers' usual rule."""
    chunks = nights[:, : reference - reference % window].reshape(len(nights), -1, window).mean(axis=2)
    centre, spread = chunks.mean(axis=1)[:, None], chunks.std(axis=1)[:, None]
    outside: NDArray[np.bool_] = np.abs(_moving_mean(nights[:, reference:], window) - centre) > 3 * spread
    outside[:, : window - 1] = False
    return outside


def _moving_mean(nights: Numbers, window: int) -> Numbers:
    totals = np.concatenate([np.zeros((len(nights), 1)), nights.cumsum(axis=1)], axis=1)
    mean = np.zeros(nights.shape)
    mean[:, window - 1 :] = (totals[:, window:] - totals[:, :-window]) / window
    return mean


def pages(crossed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, for each history, the times a crossing began after ``QUIET_GAP`` quiet nights."""
    count = np.zeros(len(crossed), dtype=np.int64)
    quiet = np.full(len(crossed), QUIET_GAP + 1)
    for night in crossed.T:
        count += night & (quiet > QUIET_GAP)
        quiet = np.where(night, 1, quiet + 1)
    return count


def false_pages(world: World, histories: int, seed: int) -> dict[str, object]:
    """Measure pages in 90 nights when nothing is wrong, without the effect floor: the worst case."""
    detector = ResidualDrift(effect_floor=0)
    nights = world.draw(histories, _generator(world, seed))
    found = pages(crossings(detector, nights, world.reference))
    error = 1.96 * found.std() / np.sqrt(histories)
    return {
        "autocorrelation": world.autocorrelation,
        "shocks": world.shocks,
        "reference_nights": world.reference,
        "level_wander_sd": world.wander,
        "declared": round(detector.allowed(LIVE_STRETCH), 3),
        "realised": round(float(found.mean()), 3),
        "interval": [round(float(found.mean() - error), 3), round(float(found.mean() + error), 3)],
        "more_than_one": round(float((found > 1).mean()), 3),
        "peer_realised": round(float(pages(control_limits(nights, world.reference)).mean()), 3),
    }


def power(world: World, histories: int, seed: int, level_wander: float) -> list[dict[str, object]]:
    """Measure how soon shifts of the mean that begin on the first live night are found."""
    detector = ResidualDrift(level_wander=level_wander)
    found: list[dict[str, object]] = []
    nights = world.draw(histories, _generator(world, seed + 1))
    for shift in SHIFTS:
        moved = nights.copy()
        moved[:, world.reference :] -= shift
        crossed = crossings(detector, moved, world.reference)
        within = {f"within_{n}": round(float(crossed[:, :n].any(axis=1).mean()), 3) for n in WITHIN}
        found.append(
            {
                "shift": shift,
                "night_sd": NIGHT_SD,
                "autocorrelation": world.autocorrelation,
                "reference_nights": world.reference,
                "level_wander": level_wander,
                **within,
            }
        )
    return found


def _generator(world: World, seed: int) -> np.random.Generator:
    which = [round(world.autocorrelation * 10), SHOCKS.index(world.shocks), world.reference]
    return np.random.default_rng([seed, *which, round(world.wander * 10)])


def worlds() -> dict[str, World]:
    """Name every world in which nothing is wrong: stationary ones, and levels that wander by .3 of a night's sd."""
    stationary = itertools.starmap(World, itertools.product(AUTOCORRELATIONS, SHOCKS, REFERENCES))
    wandering = (World(r, "gauss", reference, wander=0.3) for r in (0.0, 0.3) for reference in REFERENCES)
    return {
        f"{'wander' if world.wander else 'still'}-{world.autocorrelation:g}-{world.shocks}-{world.reference}": world
        for world in (*stationary, *wandering)
    }


def main() -> None:
    """Run every cell that is not there yet and print one JSON object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="100 histories a cell instead of 400")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument(
        "--only", default="", help="cells whose name kind-autocorrelation-shocks-reference holds this"
    )
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/slow_arm"))
    options = asked.parse_args()
    histories = 100 if options.quick else 400
    settings = {"detector": ResidualDrift().model_dump(), "n": histories, "seed": options.seed}
    cells = []
    for name, world in worlds().items():
        if options.only in name:
            cells.append(
                kept(options.out, name, settings, partial(false_pages, world, histories, options.seed))
            )
            print(cells[-1], file=sys.stderr, flush=True)
    powers = [
        row
        for world in (World(0.1, "skew", 180), World(0.3, "gauss", 90))
        for row in kept(
            options.out,
            f"power-{world.autocorrelation:g}-{world.shocks}-{world.reference}",
            settings,
            partial(_powers, world, histories, options.seed),
        )["rows"]
    ]
    print(json.dumps(report(cells, powers, histories, options.seed)))


def _powers(world: World, histories: int, seed: int) -> dict[str, object]:
    """Measure power as shipped, and with a level that is taken to wander."""
    return {"rows": [row for wander in (0.0, 0.3) for row in power(world, histories, seed, wander)]}


def report(
    cells: list[dict[str, object]], powers: list[dict[str, object]], histories: int, seed: int
) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    stationary = [cell for cell in cells if not cell["level_wander_sd"]] or cells
    ours, peer = (float(np.mean([cell[key] for cell in stationary])) for key in ("realised", "peer_realised"))  # type: ignore[arg-type]
    return {
        "name": "slow_arm",
        "claim": "looked at every night through two windows, the slow arm keeps its declared false pages",
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "peer_name": "mean +- 3 sd of reference chunks of 14 nights (NannyML's rule, written anew)",
        "ratio": round(peer / ours, 1) if ours else None,
        "floor": cells[0]["declared"],
        "unit": "false pages in 90 nights, mean of the stationary cells",
        "n": histories,
        "seed": seed,
        "settings": ResidualDrift().model_dump(mode="json"),
        "cells": cells,
        "power": powers,
        "machine": platform.platform(),
        "commit": commit(),
    }


if __name__ == "__main__":
    main()
