"""Which rows does a challenger serve worse than the champion? A shallow tree over the features names the groups.

Evaluation searches on every other night and asks the gate ``slices`` about the nights between, which have chosen
nothing (Cox 1975, data splitting); what it finds is shown and never blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from perennial.engine.fitting import Array

MOST = 5
"""Groups that are confirmed: each more makes every one harder to confirm."""
DEPTH = 3
LEAST_SHARE = 0.02
"""Share of the rows that a group holds at least."""
LEAST_ROWS = 250
"""Rows that it holds at least: a smaller one could not be judged on the nights between."""
COMMON = 10
"""Values of a text column that are told apart; the others are one group."""


@dataclass(frozen=True)
class WeakGroup:
    """Rows that a rule over the features picks out."""

    rule: str
    """How the rows are picked, in the features' own names."""
    inside: Array
    """Which of the rows it picks."""


@dataclass(frozen=True)
class _Split:
    """One encoded column: its name, and how its two sides are written."""

    left: str
    right: str
    number: bool
    gaps: bool = False
    """Whether values are missing."""


def weak_groups(rows: pd.DataFrame, excess: Array, searched: Array) -> list[WeakGroup]:
    """Find up to five groups with the largest mean ``excess`` (the challenger's loss minus the champion's).

    Only rows in ``searched`` are looked at, and only groups that lose there are returned, worst first; which rows
    a group has is said of all rows.
    """
    from sklearn.tree import DecisionTreeRegressor

    splits, encoded = _encoded(rows, searched)
    known = searched & np.isfinite(excess)
    if not splits or known.sum() < 2 * LEAST_ROWS:
        return []
    least = max(LEAST_ROWS, round(LEAST_SHARE * int(known.sum())))
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=least, random_state=0)
    tree.fit(encoded[known], excess[known])
    leaves = tree.apply(encoded)
    means = {leaf: float(excess[known & (leaves == leaf)].mean()) for leaf in np.unique(leaves[known])}
    worst = sorted((leaf for leaf, mean in means.items() if mean > 0), key=lambda leaf: (-means[leaf], leaf))
    rules = dict(_rules(tree.tree_, splits))
    return [WeakGroup(rules[leaf], leaves == leaf) for leaf in worst[:MOST] if rules[leaf]]


def _encoded(rows: pd.DataFrame, searched: Array) -> tuple[list[_Split], Array]:
    """Encode numbers as they are, and every common text as a column of its own."""
    import pandas as pd

    splits: list[_Split] = []
    columns: list[Array] = []
    for name in map(str, rows.columns):
        values = rows[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
            columns.append(numbers)
            splits.append(_Split(f"{name} <=", f"{name} >", number=True, gaps=bool(np.isnan(numbers).any())))
        elif pd.api.types.is_datetime64_any_dtype(values):
            continue  # an instant picks out nights, and the nights between have others
        else:
            texts = values.astype(str)
            for common in sorted(texts[searched].value_counts().head(COMMON).index):
                columns.append((texts == common).to_numpy(dtype=float))
                splits.append(_Split(f"{name} is not {common!r}", f"{name} is {common!r}", number=False))
    # Trees read single precision: what is beyond it is as good as infinite, and refused.
    largest = float(np.finfo(np.float32).max)
    return splits, np.clip(np.column_stack(columns), -largest, largest) if columns else np.empty(
        (len(rows), 0)
    )


def _rules(
    tree: Any, splits: list[_Split], node: int = 0, path: tuple[str, ...] = ()
) -> Iterator[tuple[int, str]]:
    """Name every leaf by the way that leads to it."""
    left, right = tree.children_left[node], tree.children_right[node]
    if left == right:
        yield node, " and ".join(path)
        return
    split = splits[tree.feature[node]]
    at = f" {tree.threshold[node]:.4g}" if split.number else ""
    gaps = [" (or missing)" if split.gaps else "", ""]
    with_left, with_right = gaps if tree.missing_go_to_left[node] else gaps[::-1]
    yield from _rules(tree, splits, left, (*path, f"{split.left}{at}{with_left}"))
    yield from _rules(tree, splits, right, (*path, f"{split.right}{at}{with_right}"))
