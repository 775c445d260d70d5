"""What needs no model: the centre of the labels, the last same weekday, one column, a weighted sum.

Trained beside every candidate and in every backtest, on the same rows; whoever cannot beat them is not worth serving.
Those that are no estimator are never saved: they are recomputed wherever they are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from perennial.engine.fitting import Array, TrainingSet, as_inputs, classes, fit, predict
from perennial.errors import CannotTrainError
from perennial.estimators import make

BASELINES = ("constant", "seasonal", "linear", "one_feature")
"""By name; `seasonal` only where rows have nights."""
MEDIAN_METRICS = {"mae"}
"""Metrics whose best constant is the median: the mean would be beaten by any model for nothing."""
SHRUNK = 20
"""Rows that what is known of a wider group counts as, beside a weekday or a bin."""
OWN_ROWS = 4
"""Newest labels of an entity that say what its next one may be; as many count for nothing special about it."""
SUREST = 1e-3
"""A few labels make no chance surer than this."""
RECENT_NIGHTS = 28
BINS = 16
MOST_CATEGORIES = 50
MOST_ROWS = 50_000
"""Newest rows on which the one column is chosen."""


def answers(name: str, train: TrainingSet, asked: TrainingSet, *, seed: int, metric: str) -> Array:
    """Let a baseline learn from some rows and answer for others; classes in the order of ``names_of``.

    Raises:
        CannotTrainError: there is nothing to learn from, or no nights for `seasonal`.
    """
    if name == "seasonal":
        return seasonal(train, asked)
    if name == "one_feature":
        return one_feature(train, asked)[0]
    centre = {"centre": "median"} if name == "constant" and metric in MEDIAN_METRICS else {}
    model = fit(make(name, centre), train, seed)
    made = predict(model, asked.rows, task=train.task, columns=train.columns)
    return _in_order(made, classes(model), names_of(train)) if train.task == "multiclass" else made


def names_of(train: TrainingSet) -> tuple[str, ...]:
    """Name the classes that rows teach, in the order of the answers' columns."""
    return tuple(sorted({str(label) for label in train.labels})) if train.task == "multiclass" else ()


def seasonal(train: TrainingSet, asked: TrainingSet) -> Array:
    """Answer with the labels of the newest known night of the same weekday, and of the entity where one is declared.

    A seasonal naive forecast (Hyndman and Athanasopoulos 2021, section 5.2), drawn towards what is known of more rows:
    a single night or customer says little.
    """
    if train.nights is None or asked.nights is None or not len(train):
        raise CannotTrainError("a seasonal value needs nights")
    targets, nights = _targets(train), train.nights.astype(str)
    known = sorted(set(nights.tolist()))
    recent = targets[np.isin(nights, known[-RECENT_NIGHTS:])].mean(axis=0)
    newest = {_weekday(night): night for night in known}
    of = {day: _drawn(targets[nights == night], recent) for day, night in newest.items()}
    level, learned = (
        np.asarray([of.get(_weekday(str(night)), recent) for night in each])
        for each in (asked.nights, train.nights)
    )
    if train.entities is None or asked.entities is None:
        return _shaped(level, train)
    return _shaped(_as_chances(level + _own(train, asked, targets - learned), train), train)


def one_feature(train: TrainingSet, asked: TrainingSet) -> tuple[Array, str]:
    """Answer with the mean label of rows alike in the one column that says most; name that column.

    It is chosen on rows that its means were not taken from, by squared error.
    """
    if not len(train) or not train.columns.names:
        raise CannotTrainError("one column needs a row and a column")
    chosen = _chosen(train)
    both = [as_inputs(each.rows, train.columns)[chosen] for each in (train, asked)]
    learned, told = _places(both[0], both[1], numeric=chosen in train.columns.numeric)
    return _shaped(_means(learned, _targets(train))[told], train), chosen


def _own(train: TrainingSet, asked: TrainingSet, beyond: Array) -> Array:
    """Say by how much each row's entity was beyond its weekdays in its newest labels, drawn towards not at all."""
    known = pd.notna(train.entities)
    frame = pd.DataFrame(beyond[known])
    frame["night"], frame["entity"] = train.nights[known], train.entities[known].astype(str)  # type: ignore[index]
    last = frame.sort_values("night", kind="stable").groupby("entity").tail(OWN_ROWS)
    grouped = last.drop(columns="night").groupby("entity")
    names = pd.Series(asked.entities, dtype=object).map(lambda each: None if pd.isna(each) else str(each))
    own = grouped.sum().reindex(names).fillna(0.0).to_numpy(dtype=float)
    rows = grouped.size().reindex(names).fillna(0).to_numpy(dtype=float)[:, None]
    drawn: Array = own / (rows + OWN_ROWS)
    return drawn


def _as_chances(made: Array, train: TrainingSet) -> Array:
    """Bring what was added up back between 0 and 1, classes to a sum of 1; numbers stay."""
    if train.task == "regression":
        return made
    inside: Array = np.clip(made, SUREST, 1 - SUREST)
    return inside / inside.sum(axis=1, keepdims=True) if train.task == "multiclass" else inside


def _chosen(train: TrainingSet) -> str:
    """Name the column whose means, taken from half of the newest rows, predict the other half best."""
    rows = train.take(np.arange(max(len(train) - MOST_ROWS, 0), len(train)))
    inputs, targets = as_inputs(rows.rows, rows.columns), _targets(rows)
    half = np.asarray([hashlib.sha256(str(key).encode()).digest()[0] % 2 == 0 for key in rows.keys])
    if half.all() or not half.any():
        return rows.columns.names[0]
    errors = {}
    for name in rows.columns.names:
        learned, told = _places(inputs[name][half], inputs[name][~half], numeric=name in rows.columns.numeric)
        made = _means(learned, targets[half])[told]
        errors[name] = float(((made - targets[~half]) ** 2).mean())
    return min(errors, key=lambda name: (errors[name], name))


def _places(known: pd.Series, asked: pd.Series, *, numeric: bool) -> tuple[Array, Array]:
    """Put both into the bins of the first: quantiles of numbers, the most frequent categories; 0 is all others."""
    if numeric:
        seen = known.dropna().to_numpy(dtype=float)
        edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1])) if len(seen) else np.empty(0)
        found = [
            np.where(each.isna(), 0, 1 + np.searchsorted(edges, each.to_numpy(dtype=float), side="right"))
            for each in (known, asked)
        ]
        return found[0], found[1]
    frequent = known.value_counts().index[:MOST_CATEGORIES]
    places = pd.Series(np.arange(1, len(frequent) + 1), index=frequent)
    both = [each.map(places).fillna(0).to_numpy(dtype=int) for each in (known, asked)]
    return both[0], both[1]


def _means(places: Array, targets: Array) -> Array:
    """Return the mean target of each bin, drawn towards that of all rows; of a bin without rows, that of all."""
    overall, size = targets.mean(axis=0), max(BINS, MOST_CATEGORIES) + 1
    counts = np.bincount(places, minlength=size)[:, None]
    sums = np.column_stack([np.bincount(places, column, size) for column in targets.T])
    means: Array = (sums + SHRUNK * overall) / (counts + SHRUNK)
    return means


def _targets(train: TrainingSet) -> Array:
    """Write labels as columns of numbers: one, or one a class."""
    if train.task != "multiclass":
        return train.labels.astype(float)[:, None]
    names = np.asarray(names_of(train))
    shares: Array = (train.labels.astype(str)[:, None] == names[None, :]).astype(float)
    return shares


def _drawn(targets: Array, towards: Array) -> Array:
    made: Array = (targets.sum(axis=0) + SHRUNK * towards) / (len(targets) + SHRUNK)
    return made


def _shaped(made: Array, train: TrainingSet) -> Array:
    return made if train.task == "multiclass" else made[:, 0]


def _weekday(night: str) -> int:
    return date.fromisoformat(night).weekday()


def _in_order(made: Array, given: Sequence[str], wanted: Sequence[str]) -> Array:
    return made[:, [list(given).index(name) for name in wanted]]
