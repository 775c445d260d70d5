"""Rows cut into nights: the form in which every data set is replayed.

A table is rows in order of their night. Inputs are what was known before the night; labels are known
``LAG`` nights later, whatever the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.adaptation.scale import Task
from perennial.clock import after

Numbers = NDArray[np.float64]

ROOT = Path(__file__).parents[2]

LAG = 2
FIRST = "2000-01-01"
"""Name of the first night; the nights that exist are numbered from it, gaps closed up."""


@dataclass(frozen=True)
class Table:
    """One data set, cut into nights."""

    name: str
    task: Task
    nights: tuple[str, ...]
    starts: NDArray[np.int64]
    """Where each night's rows begin, and where the last one's end."""

    keys: list[str]
    features: Numbers
    labels: Numbers
    segments: list[str]
    categorical: tuple[int, ...] = ()
    change: int | None = None
    """The night of an abrupt change, where one was made."""

    def rows(self, night: int, through: int | None = None) -> slice:
        """Return where one night's rows are, or those of several."""
        last = night if through is None else through
        return slice(int(self.starts[night]), int(self.starts[last + 1]))


def cut(name: str, task: Task, night: Any, **columns: Any) -> Table:
    """Cut rows, already in order, where their night changes; nights that do not exist are closed up."""
    _, first = np.unique(np.asarray(night), return_index=True)
    starts = np.append(first, len(night))
    nights = tuple(after(FIRST, number) for number in range(len(first)))
    return Table(name, task, nights, starts, **columns)
