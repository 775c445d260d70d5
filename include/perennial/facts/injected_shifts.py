"""Changes to put into copies of a model's nights, to see which of them its watch would find.

Used by ``perennial watch-test`` only. Each changes one column, the predictions, or what the labels say; the column
keeps everything else it has: its gaps, its season, its noise. Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from perennial.facts.logistic import expit, logit

Column = np.ndarray[Any, Any]
Target = Literal["number", "category", "pair", "predictions"]
"""``pair``: a column of a declared pair, or any number where none is declared."""


@dataclass(frozen=True)
class Night:
    """What an injection may look at, besides the column."""

    day: int
    """Nights since the change began, 0 on the first."""
    first: Column
    """The column on the night before the change."""
    sd: float
    """Standard deviation of the column on that night; 0 where it has none."""
    top: Any
    """Its most frequent category on that night; nothing where it has none."""
    draw: np.random.Generator


Change = Callable[[Column, Night], Column]


@dataclass(frozen=True)
class Shift:
    """A change by its name: what it changes, and how."""

    target: Target
    change: Change


def _moved(by: float, column: Column, night: Night) -> Column:
    return column + by * night.sd


def _leaking(by: float, column: Column, night: Night) -> Column:
    return column + by * night.sd * (night.day + 1)


def _times(factor: float, column: Column, night: Night) -> Column:
    del night
    return column * factor


def _emptied(share: float, column: Column, night: Night) -> Column:
    empty = night.draw.random(len(column)) < share
    found = column.copy()
    found[empty] = None if column.dtype == object else math.nan
    return found


def _frozen(column: Column, night: Night) -> Column:
    return np.resize(night.first, len(column)) if len(night.first) else column


def _permuted(column: Column, night: Night) -> Column:
    return night.draw.permutation(column)


def _more(share: float, column: Column, night: Night) -> Column:
    return np.where(night.draw.random(len(column)) < share, night.top, column)


def _lost(column: Column, night: Night) -> Column:
    others = column[column != night.top]
    return (
        np.where(column == night.top, night.draw.choice(others, len(column)), column)
        if len(others)
        else column
    )


def _said_more(by: float, column: Column, night: Night) -> Column:
    """Move probabilities by log odds, other numbers by standard deviations; of classes, say the likeliest more often."""
    if column.dtype == object:
        return _more(by, column, night)
    if len(column) and column.min() >= 0 and column.max() <= 1:
        return np.asarray(expit(logit(column.astype(float)) + by))
    return _moved(by, column, night)


PERMUTED = "permuted within the night"
"""A correlated change without a change of any column."""
SHIFTS: Mapping[str, Shift] = {
    **{f"mean +{by:g} sd": Shift("number", partial(_moved, by)) for by in (0.05, 0.1, 0.2, 0.5, 1.0)},
    "slow leak, .05 sd a night": Shift("number", partial(_leaking, 0.05)),
    "unit x1000": Shift("number", partial(_times, 1000.0)),
    "nulls 2 %": Shift("number", partial(_emptied, 0.02)),
    "nulls 20 %": Shift("number", partial(_emptied, 0.2)),
    "frozen feed": Shift("number", _frozen),
    PERMUTED: Shift("pair", _permuted),
    "category share +.05": Shift("category", partial(_more, 0.05)),
    "category share +.1": Shift("category", partial(_more, 0.1)),
    "lost category": Shift("category", _lost),
    "predictions +.2": Shift("predictions", partial(_said_more, 0.2)),
    "predictions +.5": Shift("predictions", partial(_said_more, 0.5)),
}
"""Changes of what comes in and of what is said, by name; predictions by log odds, by standard deviations, or by the share of the
rows that are given the most frequent class."""


def raised(labels: Column, by: float, draw: np.random.Generator) -> Column:
    """Return labels whose mean is higher: zeros become ones, or numbers move."""
    if not set(np.unique(labels)) <= {0.0, 1.0}:
        return labels + by * float(labels.std())
    zeros = max(float((labels == 0).sum()) / max(len(labels), 1), 1e-9)
    turned = (labels == 0) & (draw.random(len(labels)) < by / zeros)
    return np.where(turned, 1.0, labels)


def turned_around(labels: Column, predictions: Column, draw: np.random.Generator) -> Column:
    """Return labels that follow the score the other way round, their mean staying what it was."""
    order = np.argsort(predictions + 1e-9 * draw.random(len(predictions)))
    found = labels.astype(float).copy()
    found[order] = labels[order[::-1]]
    return found


CONCEPTS: Mapping[str, Callable[[Column, Column, np.random.Generator], Column]] = {
    "labels +.05": lambda labels, _, draw: raised(labels, 0.05, draw),
    "labels +.1": lambda labels, _, draw: raised(labels, 0.1, draw),
    "labels +.2": lambda labels, _, draw: raised(labels, 0.2, draw),
    "labels turned around": turned_around,
}
"""Changes of the relation: labels, predictions and chance in, other labels out."""


def as_column(values: list[Any], kind: str) -> Column:
    """Return a column's values: numbers with gaps as floats, anything else as objects."""
    if kind == "number":
        return np.asarray([math.nan if value is None else float(value) for value in values], dtype=float)
    return np.asarray(values, dtype=object)


def night_before(column: Column, day: int, draw: np.random.Generator) -> Night:
    """Describe the night before a change by one of its columns."""
    if column.dtype != object:
        known = column[np.isfinite(column)]
        return Night(day, column, float(known.std()) if len(known) else 0.0, None, draw)
    names, counts = np.unique(
        np.asarray([one for one in column if one is not None], dtype=str), return_counts=True
    )
    return Night(day, column, 0.0, str(names[counts.argmax()]) if len(names) else None, draw)
