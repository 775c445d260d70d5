"""Rows in, fitted model out; rows in, predictions out: the only two things anyone does with an estimator.

The train stage fits, every later stage predicts, all through here, so that a model sees its columns in
one order and one form wherever it runs.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perennial.errors import CannotTrainError, MissingColumnsError
from perennial.estimators.base import ColumnKinds, Estimator
from perennial.facts.evaluation import Task

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TrainingSet:
    """Rows with labels, each with its key, its night and the night on which its label was known."""

    rows: pd.DataFrame
    """One column for each name of ``columns``; other columns are ignored."""
    labels: Array
    """0 or 1 (binary), text (multiclass), numbers (regression); none missing."""
    task: Task
    """What is predicted."""
    columns: ColumnKinds
    """The input columns and their kinds."""
    keys: Array
    """The key of each row, as text; unique."""
    nights: Array | None = None
    """The night of each row; None when the table has no time."""
    known: Array | None = None
    """The night on which each label became known; None: with its row."""
    entities: Array | None = None
    """Whom or what each row is about, as text; None: every row for itself."""

    def __post_init__(self) -> None:
        """Refuse parts of different lengths: they would be joined by position."""
        for name in ("labels", "keys", "nights", "known", "entities"):
            part = getattr(self, name)
            if part is not None and len(part) != len(self.rows):
                message = f"{name} has {len(part)} values for {len(self.rows)} rows"
                raise ValueError(message)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def take(self, positions: Array) -> TrainingSet:
        """Return the rows at these positions, in this order."""
        return replace(
            self,
            rows=self.rows.iloc[positions],
            labels=self.labels[positions],
            keys=self.keys[positions],
            nights=None if self.nights is None else self.nights[positions],
            known=None if self.known is None else self.known[positions],
            entities=None if self.entities is None else self.entities[positions],
        )


def kinds_of(rows: pd.DataFrame, names: Sequence[str]) -> ColumnKinds:
    """Tell numbers (booleans included) from categories by the columns' types; instants are left out.

    >>> kinds_of(pd.DataFrame({"a": [1.5], "b": ["x"], "c": [True]}), ["a", "b", "c"])
    ColumnKinds(numeric=('a', 'c'), categorical=('b',))
    """
    types = pd.api.types
    inputs = [
        n
        for n in names
        if not types.is_datetime64_any_dtype(rows[n]) and not types.is_timedelta64_dtype(rows[n])
    ]
    numeric = tuple(n for n in inputs if types.is_numeric_dtype(rows[n]) or types.is_bool_dtype(rows[n]))
    return ColumnKinds(numeric=numeric, categorical=tuple(n for n in inputs if n not in numeric))


def as_inputs(rows: pd.DataFrame, columns: ColumnKinds) -> pd.DataFrame:
    """Return the columns in the model's order: numbers as floats (infinite is missing), categories as text or None.

    Raises:
        MissingColumnsError: a column is absent.
    """
    missing = [name for name in columns.names if name not in rows.columns]
    if missing:
        raise MissingColumnsError(missing)
    made: dict[str, Any] = {name: _as_number(rows[name]) for name in columns.numeric}
    made |= {name: _as_category(rows[name]) for name in columns.categorical}
    return pd.DataFrame(made, index=rows.index, columns=list(columns.names))


def fit(estimator: Estimator, training_set: TrainingSet, seed: int) -> Any:
    """Fit a new pipeline; the same rows in the same order and the same seed give the same predictions.

    Raises:
        CannotTrainError: no rows, or a class task with one class.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    _can_train(training_set)
    inputs = as_inputs(training_set.rows, training_set.columns)
    pipeline = estimator.pipeline(training_set.task, _not_empty(training_set.columns, inputs), seed)
    # One thread for linear algebra: the order of its sums, and so its last digits, depends on how many there are.
    with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        # A baseline that stopped a little early is still a baseline; its quality is measured, not assumed.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return pipeline.fit(inputs, _as_labels(training_set))


def predict(model: Any, rows: pd.DataFrame, *, task: Task, columns: ColumnKinds) -> Array:
    """Predict each row: probability of the positive class, one column a class (``classes``), or a number.

    Raises:
        MissingColumnsError: a column that the model was trained with is absent.
    """
    inputs = as_inputs(rows, columns)
    if inputs.empty:
        return np.empty((0, len(model.classes_))) if task == "multiclass" else np.empty(0)
    if task == "regression":
        return np.asarray(model.predict(inputs), dtype=float)
    probabilities = np.asarray(model.predict_proba(inputs), dtype=float)
    return probabilities if task == "multiclass" else probabilities[:, list(model.classes_).index(1)]


def classes(model: Any) -> tuple[str, ...]:
    """Name the classes in the order of the columns that ``predict`` returns."""
    return tuple(str(name) for name in model.classes_)


def _as_number(column: pd.Series[Any]) -> Array:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _as_category(column: pd.Series[Any]) -> Array:
    values = column.astype(object)
    known = column.notna().to_numpy()
    text = np.full(len(column), None, dtype=object)
    text[known] = [str(value) for value in values[known]]
    return text


def _not_empty(columns: ColumnKinds, inputs: pd.DataFrame) -> ColumnKinds:
    """Leave out columns without a single value: trees cannot bin them, and nothing can be learned from them."""
    seen = set(inputs.columns[inputs.notna().any()])
    numeric = tuple(name for name in columns.numeric if name in seen)
    kept = ColumnKinds(numeric, tuple(name for name in columns.categorical if name in seen))
    if not kept.names:
        raise CannotTrainError("every input column is empty")
    return kept


def _as_labels(training_set: TrainingSet) -> Array:
    if training_set.task == "regression":
        return training_set.labels.astype(float)
    if training_set.task == "binary":
        return training_set.labels.astype(int)
    return np.asarray([str(label) for label in training_set.labels], dtype=object)


def _can_train(training_set: TrainingSet) -> None:
    if len(training_set) == 0:
        raise CannotTrainError("there is no labelled row")
    if not training_set.columns.names:
        raise CannotTrainError("there is no input column")
    if training_set.task != "regression":
        found = sorted({str(label) for label in _as_labels(training_set)})
        if len(found) == 1:
            raise CannotTrainError(f"all {len(training_set)} labels are {found[0]}")
