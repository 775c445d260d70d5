"""Inputs of rows as numbers of about unit scale, by the ranks of ordinary rows: what triage compares and regresses on.

``stages/causes.py`` and the benchmark of triage bring their rows to this form, so that both ask the same rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
"""Values by column: floats, NaN where missing, or names."""

TOP = 5
"""Most frequent names of a category that get a number of their own."""
FURTHEST = 3.0
"""No value counts as further from the middle than this."""


@dataclass(frozen=True)
class Scale:
    """Normal scores of numbers and flags of frequent names, as ordinary rows had them."""

    ranks: Mapping[str, tuple[Numbers, Numbers]]
    """Values that a number had, and their normal scores."""
    top: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, columns: Columns) -> Scale:
        """Learn it from ordinary rows; a number that never varied is left out, for it has no scale."""
        floats = {name: column[np.isfinite(column)] for name, column in columns.items() if _is_number(column)}
        ranks = {name: _ranks(known) for name, known in floats.items() if len(np.unique(known)) > 1}
        named = {name: _top(column) for name, column in columns.items() if not _is_number(column)}
        return cls(ranks, named)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the scaled inputs."""
        return (*self.ranks, *(f"{name} {one}" for name, top in self.top.items() for one in top))

    def scaled(self, columns: Columns) -> Numbers:
        """Return rows by scaled inputs; what is missing, or has become text, is at the middle."""
        found = [_scores(columns[name], ranks) for name, ranks in self.ranks.items()]
        flags = [(columns[name] == one) * 2.0 - 0.5 for name, top in self.top.items() for one in top]
        rows = len(next(iter(columns.values()), ()))
        return np.column_stack([*found, *flags]) if found or flags else np.zeros((rows, 0))


def _is_number(column: NDArray[Any]) -> bool:
    return column.dtype.kind == "f"


def _ranks(known: Numbers) -> tuple[Numbers, Numbers]:
    from scipy.special import ndtri

    values, counts = np.unique(known, return_counts=True)
    scores = ndtri((np.cumsum(counts) - counts / 2) / counts.sum())
    return values, scores - np.average(scores, weights=counts)


def _top(column: NDArray[Any]) -> tuple[str, ...]:
    counts = Counter(column.tolist())
    counts.pop(None, None)
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:TOP])


def _scores(column: NDArray[Any], ranks: tuple[Numbers, Numbers]) -> Numbers:
    if not _is_number(column):
        return np.zeros(len(column))
    scores = np.interp(column, *ranks)
    return np.where(np.isfinite(column), np.clip(scores, -FURTHEST, FURTHEST), 0.0)
