"""Train the recipe again and again as of earlier nights, and see how it fares on the nights that followed.

Asked by ``perennial backtest``. Folds roll forward: every model learns from what was known before the first night it
predicts, so a late label is embargoed by itself. Baselines learn from the same rows and answer for the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perennial.clock import Night, after
from perennial.engine.baselines import BASELINES, answers, names_of
from perennial.engine.folds import (
    RowFold,
    backward_folds,
    forward_predictions,
    hashed_folds,
    newest_positions,
    of_unseen_entities,
)
from perennial.engine.kept_folds import KnownFolds
from perennial.errors import CannotTrainError, TooLittleToTrainError
from perennial.facts.backtest import FOLD_NIGHTS, LEAST_FOLDS, Backtest, Beside, Fold, Window
from perennial.facts.paired import Interval, Question, compare
from perennial.gates.base import of_same_nights
from perennial.gates.slices import holm
from perennial.ledger.base import NewEntry
from perennial.metrics.base import Metric
from perennial.stages.build_features import build_features
from perennial.stages.candidates import serving
from perennial.stages.kept_folds import KeptFolds
from perennial.stages.recording import record_again
from perennial.stages.training_run import declared, recipe_of
from perennial.stages.training_set import as_training_set, labelled_rows, split
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.engine.fitting import Array, TrainingSet
    from perennial.estimators.base import Estimator

ALPHA = 0.05
MODEL = "model"
ALL = "all history"
Run: TypeAlias = "tuple[RowFold, dict[str, Array]]"
"""A fold, and everybody's answers for its rows."""


@dataclass(frozen=True)
class Asked:
    """What a backtest is to show."""

    folds: int = LEAST_FOLDS
    """Newest folds of 28 nights; fewer where there are not so many."""
    windows: tuple[int, ...] = ()
    """Nights of history to learn from, each beside all of it."""
    unseen_entities: bool = False
    """Predict every row by a model that has never met its entity."""


@dataclass(frozen=True)
class Bench:
    """A model's labelled rows, and everything that is needed to train on some of them."""

    workspace: Workspace
    model: str
    rows: TrainingSet
    groups: Array
    """The night of each row, or its bucket where there is no time."""
    estimator: Estimator

    @classmethod
    def of(cls, workspace: Workspace, model: str, night: Night) -> Bench:
        """Read the rows known at the end of a night; parameters are the champion's where the recipe is his."""
        plan = workspace.plan(model)
        build_features(workspace, model, night, plan)
        table, divided = split(
            workspace, model, labelled_rows(workspace, model, plan.hash, night, whole_history=True)
        )
        rows = as_training_set(workspace, model, table, timed=divided.timed)
        reigning = serving(workspace, model, night)
        kept = reigning.parameters if reigning and reigning.recipe == recipe_of(workspace, model) else {}
        chosen = declared(workspace, model).tuned(dict(kept))  # type: ignore[arg-type]
        return cls(workspace, model, rows, np.asarray(table["group"].to_pylist(), dtype=object), chosen)

    @property
    def judge(self) -> Metric:
        """The metric that judges this model."""
        return self.workspace.spec(self.model).judge

    def answers(self, fold: RowFold, window: int | None) -> Array:
        """Train the recipe for a fold on so many nights before it, and answer for its rows."""
        training = self.workspace.spec(self.model).training
        known = KnownFolds(self.estimator, self.rows, training.seed, KeptFolds(self.workspace, self.model))
        wanted = RowFold(self._learned(fold, window), fold.predicted)
        made = forward_predictions(
            self.estimator, self.rows, [wanted], seed=training.seed, known=known.predictions
        )
        if not len(made.positions):
            raise CannotTrainError("no row to learn from")
        return made.predictions

    def _learned(self, fold: RowFold, window: int | None) -> Array:
        training, nights = self.workspace.spec(self.model).training, self.rows.nights
        chosen = fold.train
        if window is not None and nights is not None:
            begins = after(min(nights[fold.predicted].tolist()), -window)
            chosen = chosen[nights[chosen] >= begins]
        if training.max_rows is not None and len(chosen) > training.max_rows:
            chosen = chosen[newest_positions(self.rows.take(chosen), training.max_rows)]
        return chosen

    def baselines(self, fold: RowFold) -> dict[str, Array]:
        """Let every baseline learn from all rows before the fold, and answer for its rows."""
        spec = self.workspace.spec(self.model)
        even = replace(self.rows, weights=None)
        learned, asked = even.take(fold.train), even.take(fold.predicted)
        names = [name for name in BASELINES if name != "seasonal" or self.rows.nights is not None]
        made = {
            name: answers(name, learned, asked, seed=spec.training.seed, metric=spec.metric) for name in names
        }
        return {name: self._aligned(each, names_of(learned)) for name, each in made.items()}

    def _aligned(self, made: Array, given: Sequence[str]) -> Array:
        """Give every class of all rows its column; one that a fold had not met has probability 0."""
        wanted = names_of(self.rows)
        if not wanted:
            return made
        return np.column_stack(
            [made[:, given.index(name)] if name in given else np.zeros(len(made)) for name in wanted]
        )

    def labels(self) -> Array:
        """Return the labels as metrics take them."""
        names = names_of(self.rows)
        if not names:
            return self.rows.labels.astype(float)
        places = {name: place for place, name in enumerate(names)}
        return np.asarray([places[str(label)] for label in self.rows.labels], dtype=float)


def backtest(workspace: Workspace, model: str, night: Night, asked: Asked | None = None) -> Backtest:
    """Run the recipe and its baselines over folds that roll forward, as known at the end of a night.

    Raises:
        TooLittleToTrainError: there are not nights enough for a single fold.
    """
    asked = asked or Asked()
    bench = Bench.of(workspace, model, night)
    seen, left_out = _run(bench, asked)
    if not seen:
        raise TooLittleToTrainError(model, len(bench.rows), 2 * workspace.spec(model).training.min_rows)
    losses = _by_night(bench, seen)
    gains = {window: _gain(bench, losses, ALL, _named(window)) for window in asked.windows}
    return Backtest(
        model,
        night,
        bench.judge.loss_name,
        tuple(_fold(bench, fold, made) for fold, made in seen),
        tuple(Beside(name, _gain(bench, losses, name, MODEL)) for name in BASELINES if name in losses),
        better_windows(gains),
        asked.folds,
        bench.rows.nights is not None,
        asked.unseen_entities,
        tuple(left_out),
    )


def better_windows(gains: Mapping[int, Interval | None]) -> tuple[Window, ...]:
    """Say which windows are better than all history: one-sided at .05, Holm's correction for several (Holm 1979)."""
    known = {str(window): gain for window, gain in gains.items() if gain is not None}
    widened = of_same_nights(known, ALPHA)
    p_values = {
        name: 1.0 - found.probability_above(0.0) if found.estimate > 0 else 1.0
        for name, found in widened.items()
    }
    better = holm(p_values, ALPHA)
    return tuple(
        Window(window, widened.get(str(window)), p_values.get(str(window), 1.0), str(window) in better)
        for window in gains
    )


def keep_backtest(workspace: Workspace, found: Backtest) -> None:
    """Record what a backtest showed."""
    entry = NewEntry(
        found.model,
        "backtested",
        f"{found.night}-{len(found.folds)}-{','.join(str(one.nights) for one in found.windows)}",
        found.night,
        "backtest",
        " ".join(found.sentences()),
        found.as_json(),
    )
    record_again(workspace, entry, among=("backtested",))


def _folds(bench: Bench, asked: Asked) -> list[RowFold]:
    if bench.rows.nights is None:
        return hashed_folds(bench.rows)
    return backward_folds(bench.rows, fold_nights=FOLD_NIGHTS, folds=asked.folds)


def _run(bench: Bench, asked: Asked) -> tuple[list[Run], list[str]]:
    """Collect everybody's answers fold by fold; a fold that somebody cannot be trained for is left out for all."""
    seen: list[Run] = []
    left_out = []
    for fold in _folds(bench, asked):
        try:
            seen.append((fold, _answers(bench, fold, asked)))
        except CannotTrainError:
            left_out.append(str(min(bench.groups[fold.predicted].tolist())))
    return seen, left_out


def _answers(bench: Bench, fold: RowFold, asked: Asked) -> dict[str, Array]:
    """Answer for a fold by the recipe, its baselines, and the recipe on other windows."""
    own = bench.workspace.spec(bench.model).training.window_nights
    windows: dict[str, int | None] = {MODEL: own if isinstance(own, int) else None}
    if asked.windows:
        windows |= {ALL: None, **{_named(window): window for window in asked.windows}}
    parts = of_unseen_entities(bench.rows, fold) if asked.unseen_entities else [fold]
    by_part = [
        {**{name: bench.answers(part, window) for name, window in windows.items()}, **bench.baselines(part)}
        for part in parts
    ]
    order = np.argsort(np.concatenate([part.predicted for part in parts]), kind="stable")
    return {name: np.concatenate([part[name] for part in by_part])[order] for name in by_part[0]}


def _by_night(bench: Bench, seen: Sequence[Run]) -> dict[str, tuple[list[float], list[int]]]:
    """Sum everybody's losses up by night, over all folds."""
    positions = np.concatenate([fold.predicted for fold, _ in seen])
    keys, nights = np.unique(bench.groups[positions].astype(str), return_inverse=True)
    labels, rows = bench.labels()[positions], np.bincount(nights, minlength=len(keys)).tolist()
    made = {name: np.concatenate([each[name] for _, each in seen]) for name in seen[0][1]}
    return {
        name: (bench.judge.night_losses(labels, each, nights, len(keys)).tolist(), rows)
        for name, each in made.items()
    }


def _gain(
    bench: Bench, losses: Mapping[str, tuple[list[float], list[int]]], other: str, own: str
) -> Interval | None:
    """Return by how much the second is better than the first, by nights (``facts/paired.py``)."""
    (theirs, rows), (ours, _) = losses[other], losses[own]
    gains = [one - two for one, two in zip(theirs, ours, strict=True)]
    return compare(gains, rows, Question(ALPHA), serial=bench.rows.nights is not None).interval


def _fold(bench: Bench, fold: RowFold, made: Mapping[str, Array]) -> Fold:
    """Tell of one fold."""
    nights = sorted(set(bench.groups[fold.predicted].tolist()))
    labels, one = bench.labels()[fold.predicted], np.zeros(len(fold.predicted), dtype=np.intp)
    losses = {
        name: float(bench.judge.night_losses(labels, each, one, 1)[0]) / len(labels)
        for name, each in made.items()
    }
    return Fold(nights[0], nights[-1], len(nights), len(labels), len(fold.train), losses)


def _named(window: int) -> str:
    return f"{window} nights"
