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

from perennial.errors import (
    BadPredictionsError,
    CannotTrainError,
    CannotWeighError,
    EstimatorFailedError,
    MissingColumnsError,
    PerennialError,
)
from perennial.estimators.base import ColumnKinds, Estimator
from perennial.facts.evaluation import Task

Array = np.ndarray[Any, Any]

ROUNDING = 1e-9
"""By so much a probability may leave [0, 1]: the last digit of a sum."""
UNEVEN = 1e-3
"""By so much the probabilities of all classes may differ from 1: models that compute in 32 bits."""


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
    weights: Array | None = None
    """How much each row counts while a model learns; None: all the same."""

    def __post_init__(self) -> None:
        """Refuse parts of different lengths: they would be joined by position."""
        for name in ("labels", "keys", "nights", "known", "entities", "weights"):
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
            weights=None if self.weights is None else self.weights[positions],
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
        EstimatorFailedError: the estimator itself raised.
        CannotWeighError: rows have weights and the estimator takes none.
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
        try:
            return pipeline.fit(inputs, _as_labels(training_set), **_weighed(pipeline, training_set))
        except (PerennialError, MemoryError):
            raise
        except Exception as mistake:
            raise EstimatorFailedError(_model_of(pipeline), "fit", mistake) from mistake


def predict(model: Any, rows: pd.DataFrame, *, task: Task, columns: ColumnKinds) -> Array:
    """Predict each row: probability of the positive class, one column a class (``classes``), or a number.

    Raises:
        MissingColumnsError: a column that the model was trained with is absent.
        BadPredictionsError: other than one finite or missing number a row, or what is no probability.
    """
    inputs = as_inputs(rows, columns)
    if inputs.empty:
        return np.empty((0, len(model.classes_))) if task == "multiclass" else np.empty(0)
    if task == "regression":
        return _checked(np.asarray(model.predict(inputs), dtype=float), (len(inputs),), model)
    probabilities = np.asarray(model.predict_proba(inputs), dtype=float)
    _checked(probabilities, (len(inputs), len(model.classes_)), model, probable=True)
    return probabilities if task == "multiclass" else probabilities[:, list(model.classes_).index(1)]


def _checked(made: Array, shape: tuple[int, ...], model: Any, *, probable: bool = False) -> Array:
    """Refuse predictions that would be read as something else; NaN is left to the gates, which name it."""
    if made.shape != shape:
        raise BadPredictionsError(
            _model_of(model), f"returned the shape {made.shape}, where {shape} was expected"
        )
    if probable:
        known = made[np.isfinite(made).all(axis=1)]
        if len(known) and (known.min() < -ROUNDING or known.max() > 1 + ROUNDING):
            raise BadPredictionsError(
                _model_of(model), f"returned probabilities from {known.min():.4g} to {known.max():.4g}"
            )
        if len(known) and np.abs(known.sum(axis=1) - 1).max() > UNEVEN:
            raise BadPredictionsError(
                _model_of(model), "returned probabilities of classes that do not add up to 1"
            )
    return made


def _model_of(pipeline: Any) -> Any:
    """Return the last step of a pipeline, or what stands for one."""
    return pipeline.steps[-1][1] if hasattr(pipeline, "steps") else pipeline


def _weighed(pipeline: Any, training_set: TrainingSet) -> dict[str, Array]:
    """Pass the rows' weights to the step that learns."""
    from sklearn.utils.validation import has_fit_parameter

    if training_set.weights is None:
        return {}
    model = _model_of(pipeline)
    if not has_fit_parameter(model, "sample_weight"):
        raise CannotWeighError(model)
    step = f"{pipeline.steps[-1][0]}__" if hasattr(pipeline, "steps") else ""
    return {f"{step}sample_weight": training_set.weights}


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
