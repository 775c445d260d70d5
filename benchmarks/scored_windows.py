"""Windows of scored rows for the audit of estimates: what was expected each night, and what came.

Made-up worlds have a known truth: nights whose inputs move while the relation stands still, until it changes.
Real tables are scored by the champions that ``benchmarks/season`` trains and keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.models import SHIPPED, Models
from benchmarks.season.nights import FIRST, Table
from benchmarks.season.tables import LANDING, TABLES
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.twin import encode
from perennial.clock import after
from perennial.facts.estimated_loss import Window
from perennial.facts.expected_by_height import Heights
from perennial.facts.expected_loss import (
    Loss,
    Matured,
    expected_losses,
    expected_residuals,
    losses,
    residual_model,
    tally,
)

Numbers = NDArray[np.float64]

INPUTS, REFERENCE, NIGHTS, CHANGE = 8, 30, 100, 60
"""Inputs of a made-up world; nights its model is trained on; live nights; the live night it changes on."""
MOVES, SERIAL = 0.45, 0.5
"""How far the spread of a night's inputs moves, on the logarithm, and the autocorrelation of that."""
CHANGES = ("labels", "turned", "replaced", "half replaced", "level", "one third", "easier")
REGRESSION_CHANGES = ("noise", "replaced", "level")
ARRIVAL, BY_HEIGHT = "arrival", "arrival by height"
REFIT = 28
FOLDS = 4


@dataclass(frozen=True)
class Rows:
    """Scored rows in order of their night."""

    night: NDArray[np.int64]
    scores: Numbers
    labels: Numbers
    truth: Numbers | None = None
    """The chance of the class, or the expected absolute residual, where it is known."""
    residual: Numbers | None = None
    """Absolute residual that a model of residuals expects; only for a regression."""

    def losses(self, loss: Loss) -> Numbers:
        """Return each row's realised loss; not a number where there is no label."""
        if self.residual is not None:
            return np.abs(self.labels - self.scores)
        return np.where(
            np.isfinite(self.labels), losses(self.scores, np.nan_to_num(self.labels), loss), np.nan
        )


def windows(rows: Rows, nights: int, delay: int, loss: Loss = "log_loss") -> list[Window]:
    """Cut rows into windows of so many nights, whose labels come so many nights after the last one."""
    realised, first = rows.losses(loss), int(rows.night.min())
    starts = np.searchsorted(rows.night, np.arange(first, rows.night.max() + 2))
    past, made = _Past(rows, starts), []
    for last in range(nights - 1, len(starts) - 1, nights):
        inside = slice(int(starts[last + 1 - nights]), int(starts[last + 1]))
        came = realised[inside][np.isfinite(realised[inside])]
        night, told = after(FIRST, first + last), after(FIRST, first + last + delay)
        expected = past.expected(inside, last, max(last - delay + 1, 0), loss)
        count, known = inside.stop - inside.start, (float(came.mean()), told) if len(came) else (None, None)
        made.append(Window(night, count, expected, *known))
    return made


class _Past:
    """What each night taught, added up once."""

    def __init__(self, rows: Rows, starts: Any) -> None:
        self.rows = rows
        nights = [slice(int(one), int(other)) for one, other in pairwise(starts)]
        if rows.residual is None:
            self.tallies = np.array([tally(rows.scores[one], rows.labels[one]) for one in nights])
        else:
            self.tallies = np.array([_residual_means(rows, one) for one in nights])

    def expected(self, inside: slice, last: int, known: int, loss: Loss) -> dict[str, float]:
        ago = (last - np.arange(known)).astype(float)
        told = self.tallies[:known]
        if self.rows.residual is not None:
            mean = float(self.rows.residual[inside].mean())
            return expected_residuals(mean, told[:, 0], told[:, 1], told[:, 2], ago)
        return expected_losses(self.rows.scores[inside], Matured(told[:, 0], told[:, 1], ago), loss)


def _residual_means(rows: Rows, one: slice) -> Numbers:
    known = np.isfinite(rows.labels[one])
    if rows.residual is None or not known.any():
        return np.zeros(3)
    came = np.abs(rows.labels[one] - rows.scores[one])[known]
    return np.array([rows.residual[one][known].mean(), came.mean(), known.sum()])


@dataclass(frozen=True)
class World:
    """Nights whose inputs spread wider or less wide, and a relation that stands still until it changes."""

    rows: int = 2000
    change: str = ""
    luck: float = 0.0
    """Standard deviation of a night's own level, on the logit or in the label's unit."""
    regression: bool = False

    def scored(self, seed: int) -> Rows:
        """Draw a history, scored by a model trained on the nights before it; changes share all but the labels."""
        drawn = _drawn(self.rows, self.luck, seed, regression=self.regression)
        changed = (drawn.night >= REFERENCE + CHANGE) & bool(self.change)
        truth, labels = _labelled(drawn, self.change, changed, regression=self.regression)
        live = drawn.night >= REFERENCE
        expected = drawn.residual[live] if self.regression else None
        return Rows(drawn.night[live], drawn.scores[live], labels[live], truth[live], expected)


@dataclass(frozen=True)
class _Drawn:
    """What does not depend on the change."""

    night: NDArray[np.int64]
    inputs: Numbers
    level: Numbers
    even: Numbers
    normal: Numbers
    scores: Numbers
    residual: Numbers


@lru_cache(maxsize=1)
def _drawn(rows: int, luck: float, seed: int, *, regression: bool) -> _Drawn:
    draw = np.random.default_rng([seed, rows, regression])
    total = REFERENCE + NIGHTS
    night = np.repeat(np.arange(total), rows)
    spread, middle = np.exp(MOVES * _neighbourly(draw, total)), 0.5 * _neighbourly(draw, total)
    inputs = draw.normal(size=(len(night), INPUTS)) * spread[night, None]
    inputs[:, 0] += middle[night]
    level = luck * draw.normal(size=total)[night]
    made = _Drawn(night, inputs, level, draw.random(len(night)), draw.normal(size=len(night)), level, level)
    _, labels = _labelled(made, "", night < 0, regression=regression)
    taught = night < REFERENCE
    model = _model(inputs[taught], labels[taught], regression=regression)
    if not regression:
        return replace(made, scores=model.predict_proba(inputs)[:, 1])
    return replace(made, scores=model.predict(inputs), residual=_residuals_expected(inputs, labels, night))


def _model(inputs: Numbers, labels: Numbers, *, regression: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(max_iter=80, learning_rate=0.1, min_samples_leaf=40, random_state=0).fit(inputs, labels)


def _labelled(drawn: _Drawn, change: str, changed: Any, *, regression: bool) -> tuple[Numbers, Numbers]:
    linked = drawn.level + _relation(drawn.inputs, change, changed)
    if regression:
        wider = np.where(changed & (change == "noise"), 2, 1)
        noise = np.exp(0.6 * np.clip(drawn.inputs[:, 4], -3, 3)) * wider
        return noise * np.sqrt(2 / np.pi), linked + noise * drawn.normal
    wrong = np.where(changed & (change == "labels"), 0.15, 0.0)
    chance = 1 / (1 + np.exp(-linked))
    chance = chance * (1 - wrong) + (1 - chance) * wrong
    return chance, (drawn.even < chance).astype(float)


def _relation(x: Numbers, change: str, changed: Any) -> Numbers:
    first = 1.5 * (x[:, 0] - 0.8 * x[:, 1] + 0.6 * x[:, 2]) - 0.5
    other = 1.5 * (x[:, 5] - 0.8 * x[:, 6] + 0.6 * x[:, 7]) - 0.5
    after_change = {
        "turned": -first,
        "replaced": other,
        "half replaced": np.sqrt(0.5) * (first + other),
        "level": first + 1.0,
        "one third": np.where(x[:, 1] > 0.4, -first, first),
        "easier": 2 * first,
    }.get(change, first)
    return np.where(changed, after_change, first)


def _neighbourly(draw: np.random.Generator, total: int) -> Numbers:
    found = draw.normal(size=total)
    for night in range(1, total):
        found[night] = SERIAL * found[night - 1] + np.sqrt(1 - SERIAL**2) * found[night]
    return found


def _residuals_expected(inputs: Numbers, labels: Numbers, night: Any) -> Numbers:
    """Teach residuals on the second half of the reference, by a model of the first half."""
    half, taught = night < REFERENCE // 2, night < REFERENCE
    rest = taught & ~half
    first = _model(inputs[half], labels[half], regression=True).predict(inputs[rest])
    model = residual_model(inputs[rest], np.abs(labels[rest] - first))
    return np.asarray(model.predict(inputs), float)


@cache
def table(name: str, data: Path | None) -> Table:
    """Read a real table; ``arrival`` is the flights with their minutes of delay as label."""
    if name != ARRIVAL:
        return TABLES[name](data)
    import duckdb

    found = TABLES["flights"](None)
    query = f"select flight_id, arr_delay from read_csv('{LANDING}/outcomes/*.csv', union_by_name=true)"  # noqa: S608 # our own path
    told = duckdb.sql(query).df().set_index("flight_id")["arr_delay"]
    return replace(found, task="regression", labels=told.reindex(found.keys).to_numpy(float))


@lru_cache(maxsize=8)
def real(name: str, data: Path | None, start: int, folder: Path, nights: int = 300) -> Rows:
    """Score the nights after ``start`` with the champion trained before it, whatever comes.

    ``arrival by height`` expects residuals as scoring does: by the height of the prediction alone.
    """
    base = ARRIVAL if name == BY_HEIGHT else name
    read = table(base, data)
    kept = folder / base
    kept.mkdir(parents=True, exist_ok=True)
    settings = Adaptation(label_delay_nights=2, categorical=read.categorical)
    models = Models(read, kept, settings)
    last = min(len(read.nights) - 1, start - 1 + nights)
    chosen = range(start - 1, last + 1)
    scores = np.concatenate([models.champion(start, 0, night) for night in chosen])
    labels = read.labels[read.rows(start - 1, last)]
    night = np.concatenate([np.full(len(read.labels[read.rows(one)]), one) for one in chosen])
    rows = Rows(night, scores, labels)
    if read.task == "binary":
        return rows
    if name == BY_HEIGHT:
        _, residuals, numbers = _folds(read, start)
        return replace(rows, residual=Heights.of(numbers, residuals).expected(scores))
    return replace(rows, residual=_live_residuals(read, rows, start))


def _live_residuals(read: Table, rows: Rows, start: int) -> Numbers:
    """Expect residuals by a model of forward folds' residuals, refitted every month with matured nights."""
    features, residuals, numbers = _folds(read, start)
    live = read.features[read.rows(start - 1, int(rows.night.max()))]
    found = np.zeros(len(rows.scores))
    came = np.abs(rows.labels - rows.scores)
    for first in range(start - 1, int(rows.night.max()) + 1, REFIT):
        old = (rows.night < first - 1) & np.isfinite(came)
        taught = np.column_stack([np.vstack([features, live[old]]), np.append(numbers, rows.scores[old])])
        model = residual_model(taught, np.append(residuals, came[old]))
        tonight = (rows.night >= first) & (rows.night < first + REFIT)
        found[tonight] = model.predict(np.column_stack([live[tonight], rows.scores[tonight]]))
    return found


def _folds(read: Table, start: int) -> tuple[Numbers, Numbers, Numbers]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    edges = np.linspace(0, start - 1, FOLDS + 1).astype(int)
    features, residuals, numbers = [], [], []
    for first, last in pairwise(edges[1:]):
        before, inside = read.rows(0, first - 1), read.rows(first, last - 1)
        known, seen = np.isfinite(read.labels[before]), np.isfinite(read.labels[inside])
        codes = {place: np.unique(read.features[before][known, place]) for place in read.categorical}
        model = HistGradientBoostingRegressor(categorical_features=list(range(len(codes))) or None, **SHIPPED)
        model.fit(encode(read.features[before][known], codes), read.labels[before][known])
        scores = np.asarray(model.predict(encode(read.features[inside][seen], codes)), float)
        features.append(read.features[inside][seen])
        residuals.append(np.abs(read.labels[inside][seen] - scores))
        numbers.append(scores)
    return np.vstack(features), np.concatenate(residuals), np.concatenate(numbers)
