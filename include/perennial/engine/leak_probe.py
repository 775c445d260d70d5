"""How much of what a model cannot explain do some columns explain? A leak closes a gap that honest columns leave open.

Used by ``stages/leaks.py`` before a training counts. Two quick models are fitted on a sample, with the columns and
without them, and asked about rows that taught neither; the better of the two counts on both sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from perennial.engine.fitting import Array, TrainingSet, classes, fit, predict
from perennial.errors import CannotTrainError
from perennial.estimators.base import ColumnKinds, Estimator
from perennial.estimators.gradient_boosting import GradientBoosting
from perennial.estimators.linear import Linear
from perennial.facts.leak_measures import indicators, skill

FOLDS = 3
PROBE_ROWS = 4000
"""More rows make the answer surer, not different; these take seconds."""
SCREENED_AT = 0.15
"""A column whose shuffling opens less than this share of the gap is not fitted without."""
SMALLEST, HALF = 1e-9, 0.5


@dataclass(frozen=True)
class Jump:
    """What some columns explain beyond all others."""

    columns: tuple[str, ...]
    share: float
    """Share of the remaining loss that they take away."""
    skill_share: float
    """The same in skill: of what is missing to 1."""
    sure: float
    """The mean gain of a row in its standard errors, by group of rows."""


@dataclass(frozen=True)
class _Fitted:
    """Predictions and losses for every row by models that had not seen it."""

    losses: Array
    scores: Array
    models: tuple[tuple[Array, object], ...] = ()


def probe_rows(rows: TrainingSet, seed: int) -> TrainingSet:
    """Draw the rows that are probed, by the hash of their keys, so that the same rows give the same answer."""
    if len(rows) <= PROBE_ROWS:
        return rows
    drawn = np.asarray([_hashed(f"{seed}/{key}") for key in rows.keys])
    return rows.take(np.sort(np.argsort(drawn, kind="stable")[:PROBE_ROWS]))


def jumps(rows: TrainingSet, sets: Sequence[tuple[str, ...]], *, groups: Array, seed: int) -> list[Jump]:
    """Measure each set of columns against all others; single columns that shuffling shows to matter as well.

    ``groups`` are nights (or entities): rows of one are never on both sides of a fold.
    """
    folds = _dealt(groups, seed)
    whole = _best(rows, folds, seed)
    if whole is None:
        return []
    singles = [(name,) for name in rows.columns.names if _moves(rows, whole, name, seed) >= SCREENED_AT]
    found = []
    for columns in dict.fromkeys([*sets, *singles]):
        others = _without(rows, columns)
        before = _best(others, folds, seed) if others.columns.names else _nothing(rows, folds)
        if before is not None:
            found.append(_jump(rows, columns, before, whole, groups))
    return found


def _jump(
    rows: TrainingSet, columns: tuple[str, ...], before: _Fitted, after: _Fitted, groups: Array
) -> Jump:
    gained = before.losses - after.losses
    truth = indicators(rows.labels, rows.task)
    classed = rows.task in {"binary", "multiclass"}
    was, now = (skill(truth, each.scores, classes=classed) for each in (before, after))
    _, inverse = np.unique(groups.astype(str), return_inverse=True)
    sums = np.bincount(inverse, weights=gained - gained.mean())
    error = float(np.sqrt((sums**2).sum()) / len(gained))
    return Jump(
        columns,
        share=float(gained.sum() / max(before.losses.sum(), SMALLEST)),
        skill_share=(now - was) / max(1 - was, SMALLEST),
        sure=float(gained.mean()) / max(error, SMALLEST),
    )


def _best(rows: TrainingSet, folds: Array, seed: int) -> _Fitted | None:
    """Fit both quick models; keep the one that errs less."""
    fitted = [_fitted(estimator, rows, folds, seed) for estimator in _quick(rows)]
    able = [each for each in fitted if each is not None]
    return min(able, key=lambda each: float(each.losses.sum()), default=None)


def _quick(rows: TrainingSet) -> tuple[Estimator, ...]:
    leaf = int(np.clip(len(rows) // 60, 4, 30))
    trees = GradientBoosting(
        iterations=60, learning_rate=0.1, leaves=8, leaf_rows=leaf, column_share=1.0, category_rows=leaf
    )
    return trees, Linear(strength=2.0)


def _fitted(estimator: Estimator, rows: TrainingSet, folds: Array, seed: int) -> _Fitted | None:
    truth = indicators(rows.labels, rows.task)
    names = sorted({str(label) for label in rows.labels}) if rows.task == "multiclass" else []
    scores = np.zeros_like(truth)
    models = []
    for fold in range(FOLDS):
        asked = folds == fold
        try:
            model = fit(estimator, rows.take(np.flatnonzero(~asked)), seed)
        except (CannotTrainError, ValueError):
            return None
        models.append((asked, model))
        scores[asked] = _scored(model, rows, asked, names)
    return _Fitted(_losses(rows.task, truth, scores), scores, tuple(models))


def _scored(model: object, rows: TrainingSet, asked: Array, names: Sequence[str]) -> Array:
    made = predict(model, rows.rows[asked], task=rows.task, columns=rows.columns)
    if not names:
        return made[:, None]
    whole = np.zeros((len(made), len(names)))
    whole[:, [names.index(each) for each in classes(model)]] = made
    return whole


def _nothing(rows: TrainingSet, folds: Array) -> _Fitted:
    truth = indicators(rows.labels, rows.task)
    scores = np.stack([truth[folds != fold].mean(axis=0) for fold in range(FOLDS)])[folds]
    return _Fitted(_losses(rows.task, truth, scores), scores)


def _losses(task: str, truth: Array, scores: Array) -> Array:
    if task in {"regression", "quantile"}:
        return np.asarray((truth - scores)[:, 0] ** 2)
    if task == "binary":
        likely = np.where(truth > HALF, scores, 1 - scores)[:, 0]
    else:
        likely = (truth * scores).sum(axis=1)
    return np.asarray(-np.log(np.clip(likely, 1e-6, 1)))


def _moves(rows: TrainingSet, whole: _Fitted, name: str, seed: int) -> float:
    """Return the share of the loss that shuffling a column opens: at least what leaving it out would."""
    generator = np.random.default_rng([seed, _hashed(name) % 2**32])
    shuffled = rows.rows.copy(deep=False)
    shuffled[name] = rows.rows[name].to_numpy()[generator.permutation(len(rows))]
    moved = replace(rows, rows=shuffled)
    names = sorted({str(label) for label in rows.labels}) if rows.task == "multiclass" else []
    scores = np.zeros_like(whole.scores)
    for asked, model in whole.models:
        scores[asked] = _scored(model, moved, asked, names)
    losses = _losses(rows.task, indicators(rows.labels, rows.task), scores)
    return float((losses.sum() - whole.losses.sum()) / max(losses.sum(), SMALLEST))


def _without(rows: TrainingSet, columns: tuple[str, ...]) -> TrainingSet:
    kept = ColumnKinds(
        tuple(name for name in rows.columns.numeric if name not in columns),
        tuple(name for name in rows.columns.categorical if name not in columns),
    )
    return replace(rows, columns=kept)


def _dealt(groups: Array, seed: int) -> Array:
    of = {each: _hashed(f"{seed}/{each}") % FOLDS for each in set(groups.tolist())}
    return np.asarray([of[each] for each in groups.tolist()], dtype=int)


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
