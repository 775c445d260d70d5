"""Which rows a model may learn from, and which it then predicts unseen.

With time, folds roll forward: a model learns from what was known before the first night it predicts,
never from a night after. Without time, rows are dealt to folds by the hash of what they are about.
The predictions made so are the references of monitoring: an in-sample residual is smaller than any
that a served model will ever show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import pandas as pd

from perennial.clock import Night, after, nights_apart
from perennial.engine.fitting import Array, TrainingSet, classes, fit, predict
from perennial.errors import CannotTrainError
from perennial.estimators.base import Estimator

HASHED_FOLDS = 5
SMALLEST_START = 28
"""Nights that the first fold learns from: four of each weekday."""


@dataclass(frozen=True)
class NightFold:
    """Nights to learn from, and later nights to predict."""

    train: tuple[Night, ...]
    """Nights whose labels were known before the first predicted night."""
    predicted: tuple[Night, ...]
    """Nights that the model has not seen."""


@dataclass(frozen=True)
class RowFold:
    """Positions of rows to learn from, and of rows to predict."""

    train: Array
    """Positions in the training set, in its order."""
    predicted: Array
    """Positions in the training set, in its order; none of them in ``train``."""


Known: TypeAlias = Callable[[RowFold, Callable[[], Array]], Array]
"""Answers with a fold's predictions: those of an earlier training, or what is made now."""


@dataclass(frozen=True)
class Unseen:
    """Predictions for rows of a training set by models that had not seen them."""

    positions: Array
    """Positions of the rows in the training set, rising."""
    predictions: Array
    """One prediction each, as ``predict`` gives them; classes in the order of ``classes``."""
    classes: tuple[str, ...] = ()
    """Names of the classes (multiclass only)."""


def forward_folds(
    nights: Sequence[Night],
    *,
    fold_nights: int,
    min_train_nights: int = SMALLEST_START,
    delay_nights: int = 0,
) -> list[NightFold]:
    """Cut nights into folds that roll forward; the nights whose labels are not known yet lie between.

    A night's label is known ``delay_nights`` after it; it teaches a model that predicts later nights
    only. With too few nights there is no fold.

    >>> nights = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04", "2013-01-05"]
    >>> for fold in forward_folds(nights, fold_nights=2, min_train_nights=2, delay_nights=1):
    ...     print(fold.train[-1], "->", *fold.predicted)
    2013-01-02 -> 2013-01-04 2013-01-05
    """
    ordered = sorted(set(nights))
    folds: list[NightFold] = []
    start = 0
    while start < len(ordered):
        train = tuple(night for night in ordered[:start] if after(night, delay_nights) < ordered[start])
        if len(train) < min_train_nights:
            start += 1
            continue
        folds.append(NightFold(train, tuple(ordered[start : start + fold_nights])))
        start += fold_nights
    return folds


def folds_of(
    training_set: TrainingSet, *, fold_nights: int, min_train_nights: int = SMALLEST_START
) -> list[RowFold]:
    """Fold a training set forward in time, or by hash when it has none (or too few nights to roll).

    With time, a row teaches only folds that begin after the night on which its label was known.
    """
    if training_set.nights is None:
        return hashed_folds(training_set)
    known = training_set.nights if training_set.known is None else training_set.known
    made = []
    for fold in forward_folds(
        list(training_set.nights),
        fold_nights=fold_nights,
        min_train_nights=min_train_nights,
        delay_nights=_least_delay(training_set.nights, known),
    ):
        first, last = fold.predicted[0], fold.predicted[-1]
        train = np.flatnonzero((training_set.nights < first) & (known < first))
        within = (training_set.nights >= first) & (training_set.nights <= last)
        made.append(RowFold(train, np.flatnonzero(within)))
    return made


def backward_folds(training_set: TrainingSet, *, fold_nights: int, folds: int) -> list[RowFold]:
    """Fold the newest nights, at most so many folds, oldest first; a history too short for one gets a shorter one.

    A row teaches only folds that begin after the night on which its label was known.
    """
    if training_set.nights is None:
        return []
    known = training_set.nights if training_set.known is None else training_set.known
    ordered = sorted(set(training_set.nights.tolist()))
    spare = len(ordered) - SMALLEST_START
    size = min(fold_nights, max(spare, len(ordered) // 3))
    made = []
    for number in range(min(folds, max(spare // size, 1)) if size else 0):
        end = len(ordered) - number * size
        first, last = ordered[end - size], ordered[end - 1]
        within = (training_set.nights >= first) & (training_set.nights <= last)
        train = np.flatnonzero((training_set.nights < first) & (known < first))
        made.append(RowFold(train, np.flatnonzero(within)))
    return [fold for fold in reversed(made) if len(fold.train)]


def hashed_folds(training_set: TrainingSet, folds: int = HASHED_FOLDS) -> list[RowFold]:
    """Deal rows to folds by hash, all rows of one entity to the same one: no one is known from before.

    A row without an entity is dealt by its key.
    """
    dealt = _dealt(training_set, folds)
    made = [RowFold(np.flatnonzero(dealt != fold), np.flatnonzero(dealt == fold)) for fold in range(folds)]
    return [fold for fold in made if len(fold.train) and len(fold.predicted)]


def of_unseen_entities(training_set: TrainingSet, fold: RowFold, parts: int = HASHED_FOLDS) -> list[RowFold]:
    """Divide a fold so that no model has met an entity that it predicts."""
    dealt = _dealt(training_set, parts)
    made = [
        RowFold(fold.train[dealt[fold.train] != part], fold.predicted[dealt[fold.predicted] == part])
        for part in range(parts)
    ]
    return [part for part in made if len(part.predicted)]


def _dealt(training_set: TrainingSet, parts: int) -> Array:
    """Deal rows by the hash of their entity, or else of their key."""
    about = training_set.keys.astype(object)
    if training_set.entities is not None:
        named = np.asarray(pd.notna(training_set.entities))
        about[named] = training_set.entities[named]
    of = {each: _bucket(str(each), parts) for each in set(about.tolist())}
    return np.asarray([of[each] for each in about.tolist()], dtype=int)


def forward_predictions(
    estimator: Estimator,
    training_set: TrainingSet,
    folds: Sequence[RowFold],
    *,
    seed: int,
    known: Known = lambda _, made: made(),
) -> Unseen:
    """Fit on each fold and predict the rows it had not seen; a fold that cannot be fitted is left out.

    ``known`` is given a fold and what would predict it, and may answer from an earlier training.
    """
    names = _classes(training_set)
    parts: list[tuple[Array, Array]] = []
    for fold in folds:
        try:
            made = known(fold, partial(_predicted, estimator, training_set, fold, names, seed))
        except CannotTrainError:
            continue
        parts.append((fold.predicted, made))
    if not parts:
        empty = np.empty((0, len(names))) if names else np.empty(0)
        return Unseen(np.empty(0, dtype=int), empty, names)
    positions = np.concatenate([part for part, _ in parts])
    order = np.argsort(positions, kind="stable")
    return Unseen(positions[order], np.concatenate([made for _, made in parts])[order], names)


def _predicted(
    estimator: Estimator, training_set: TrainingSet, fold: RowFold, names: tuple[str, ...], seed: int
) -> Array:
    model = fit(estimator, training_set.take(fold.train), seed)
    rows = training_set.rows.iloc[fold.predicted]
    made = predict(model, rows, task=training_set.task, columns=training_set.columns)
    return _aligned(made, classes(model), names) if names else made


def newest(training_set: TrainingSet, max_rows: int | None) -> TrainingSet:
    """Keep at most so many of the newest rows; within the oldest kept night, chosen by the hash of the key."""
    if max_rows is None or len(training_set) <= max_rows:
        return training_set
    return training_set.take(newest_positions(training_set, max_rows))


def newest_positions(training_set: TrainingSet, max_rows: int) -> Array:
    """Return the positions of the newest rows, rising."""
    hashes = np.asarray([hashlib.sha256(str(key).encode()).hexdigest() for key in training_set.keys])
    by_hash = np.argsort(hashes, kind="stable")
    if training_set.nights is not None:
        order = np.argsort(training_set.nights[by_hash], kind="stable")
        by_hash = by_hash[order]
    return np.sort(by_hash[-max_rows:])


def _least_delay(nights: Array, known: Array) -> int:
    pairs = set(zip(nights.tolist(), known.tolist(), strict=True))
    return min((max(nights_apart(night, told), 0) for night, told in pairs), default=0)


def _bucket(text: str, folds: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % folds


def _classes(training_set: TrainingSet) -> tuple[str, ...]:
    if training_set.task != "multiclass":
        return ()
    return tuple(sorted({str(label) for label in training_set.labels}))


def _aligned(predictions: Array, given: tuple[str, ...], wanted: tuple[str, ...]) -> Array:
    """Give every class its column: one that a fold had not met has probability 0."""
    aligned = np.zeros((len(predictions), len(wanted)))
    for column, name in enumerate(given):
        aligned[:, wanted.index(name)] = predictions[:, column]
    return aligned
