"""How two columns go together: rows counted by the cells of both, which add up as all other counts do.

A correlation can change while neither column does; declared pairs are counted for that with a night's profile
(``facts/profile.py``), and read here as one number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perennial.facts.edges import (
    ColumnEdges,
    Edges,
    Numbers,
    kind_of,
    names_of,
    rows_with_values,
    unsorted_numbers,
)

if TYPE_CHECKING:
    import pyarrow as pa

Pair: TypeAlias = tuple[str, str]
Pairs: TypeAlias = Mapping[Pair, tuple[int, ...]]
Cells: TypeAlias = NDArray[np.int64]

GROUPS = 8
"""Groups of about equal reference counts into which the bins of a number are put: 64 x 64 cells would be too many."""

FEWEST_ROWS = 10
"""With fewer rows that have both, nothing is said of how they go together."""

WHOLE = 0.999
"""Greatest correlation that is told apart: the groups are too coarse for more."""

THIN = 0.05
"""Groups of less than this share of the reference rows are taken together where chi-squared is read."""


def groups_of(cut: ColumnEdges) -> Cells:
    """Return, for each cell of a column's edges, the group it is in; the group after the last is for no value."""
    cells = len(cut.counts)
    if cut.kind == "category":
        return np.arange(cells)
    counts = np.array(cut.counts, float)
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
    groups: Cells = np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1)
    return groups


def width_of(cut: ColumnEdges) -> int:
    """Return the number of groups of a column, that of rows without a value included."""
    return int(groups_of(cut)[-1]) + 2 if len(cut.counts) else 1


def count_pair(table: pa.Table, pair: Pair, edges: Edges) -> tuple[int, ...]:
    """Count rows by the groups of two columns, row by row of the table of counts; an absent column has no values."""
    one, other = (_groups(table, name, edges.columns[name]) for name in pair)
    wide = width_of(edges.columns[pair[1]])
    return tuple(np.bincount(one * wide + other, minlength=width_of_pair(pair, edges)).tolist())


def width_of_pair(pair: Pair, edges: Edges) -> int:
    """Return the number of cells in which the rows of a pair are counted."""
    return width_of(edges.columns[pair[0]]) * width_of(edges.columns[pair[1]])


def add_pairs(one: Pairs, other: Pairs) -> Pairs:
    """Add the counts of pairs that both parts counted: of others, the sum is not known."""
    return {
        pair: tuple(a + b for a, b in zip(one[pair], other[pair], strict=True))
        for pair in sorted(one.keys() & other.keys())
    }


def pairs_from_json(kept: Iterable[Any]) -> Pairs:
    """Read what a profile wrote of its pairs."""
    return {(one, other): tuple(counts) for one, other, counts in kept}


def pair_stream(counts: tuple[int, ...], pair: Pair, edges: Edges) -> tuple[float, float, float]:
    """Return how two columns go together as the watch reads it, its sampling error, and what people call it.

    Two numbers: the correlation of their groups' normal scores on Fisher's scale (1915), where the error is one over
    the root of the rows. With a category: the root of chi-squared over rows, less what chance makes it on so many rows
    (the root of twice chi-squared is nearly normal; Fisher 1925); groups of few reference rows are taken together,
    else a single row in a cell where none is expected would look like a change. Not a number where there are no two
    groups; people read the correlation, or ``association``.
    """
    table = _full(counts, pair, edges)
    n = float(table.sum())
    cuts = [edges.columns[name] for name in pair]
    if all(cut.kind == "number" for cut in cuts):
        found = _correlation(table, *(_scores(cut) for cut in cuts))
        if n < FEWEST_ROWS or found is None:
            return math.nan, math.nan, math.nan
        return math.atanh(min(max(found, -WHOLE), WHOLE)), 1 / math.sqrt(n), found
    value, error = _root_of_chi(table, *(_thick(cut) for cut in cuts))
    strength = association(counts, pair, edges)
    return value, error, math.nan if strength is None else strength


def _full(counts: tuple[int, ...], pair: Pair, edges: Edges) -> Numbers:
    """Return the table of the rows that have both."""
    shape = [width_of(edges.columns[name]) for name in pair]
    found: Numbers = np.array(counts, float).reshape(shape)[:-1, :-1]
    return found


def _scores(cut: ColumnEdges) -> Numbers:
    """Return the mean normal score of the reference rows of each group of a number."""
    rows = np.array(cut.counts, float)
    place, size = groups_of(cut), width_of(cut) - 1
    held = np.bincount(place, rows, size)
    found: Numbers = np.bincount(place, rows * cut.scores, size) / np.maximum(held, 1.0)
    return found


def _correlation(table: Numbers, one: Numbers, other: Numbers) -> float | None:
    shares = table / max(float(table.sum()), 1.0)
    a, b = one - shares.sum(axis=1) @ one, other - shares.sum(axis=0) @ other
    spread = float(shares.sum(axis=1) @ a**2) * float(shares.sum(axis=0) @ b**2)
    return float(a @ shares @ b) / math.sqrt(spread) if spread > 0 else None


def _thick(cut: ColumnEdges) -> Cells:
    """Return the group of each group where thin ones are taken together."""
    rows = np.bincount(groups_of(cut), np.array(cut.counts, float), width_of(cut) - 1)
    thick = rows >= THIN * max(float(rows.sum()), 1.0)
    return np.where(thick, np.cumsum(thick), 0)


def _root_of_chi(table: Numbers, one: Cells, other: Cells) -> tuple[float, float]:
    joined = np.zeros((int(one.max(initial=0)) + 1, int(other.max(initial=0)) + 1))
    np.add.at(joined, (one[:, None], other[None, :]), table)
    joined = joined[joined.sum(axis=1) > 0][:, joined.sum(axis=0) > 0]
    n, free = float(joined.sum()), (joined.shape[0] - 1) * (joined.shape[1] - 1)
    if free < 1 or n < FEWEST_ROWS:
        return math.nan, math.nan
    expected = np.outer(joined.sum(axis=1), joined.sum(axis=0)) / n
    chi = float(((joined - expected) ** 2 / expected).sum())
    beyond = max(chi - free, 0.0)
    error = math.sqrt((2 * free + 4 * beyond) / (4 * (free + beyond) * n))
    return math.sqrt(chi / n) - math.sqrt((free - 0.5) / n), error


def association(counts: tuple[int, ...], pair: Pair, edges: Edges) -> float | None:
    """Return how strongly two columns go together, from 0 to 1, over rows that have both; none below two groups.

    Cramér's V without the bias that chance gives to many cells (Bergsma 2013).
    """
    shape = [width_of(edges.columns[name]) for name in pair]
    table = np.array(counts, float).reshape(shape)[:-1, :-1]
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (rows, columns) = float(table.sum()), table.shape
    if min(rows, columns) < 2 or n < 2:  # noqa: PLR2004 - one group, or one row, goes with nothing
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    excess = max(phi - (rows - 1) * (columns - 1) / (n - 1), 0.0)
    least = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return min(math.sqrt(excess / (least - 1)), 1.0) if least > 1 else None


def _groups(table: pa.Table, name: str, cut: ColumnEdges) -> Cells:
    nothing = width_of(cut) - 1
    if name not in table.column_names or kind_of(table.column(name).type) != cut.kind:
        return np.full(table.num_rows, nothing)
    cells = _numbers if cut.kind == "number" else _categories
    found = cells(table.column(name), cut)
    return np.where(found < 0, nothing, groups_of(cut)[found]) if len(cut.counts) else np.zeros_like(found)


def _numbers(column: pa.ChunkedArray, cut: ColumnEdges) -> Cells:
    values: Numbers = unsorted_numbers(column)
    cells = np.searchsorted(np.array(cut.edges), values, side="right")
    return np.where(np.isfinite(values), cells, -1)


def _categories(column: pa.ChunkedArray, cut: ColumnEdges) -> Cells:
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    top = {name: at for at, name in enumerate(cut.top)}
    found = np.full(len(column), -1)
    codes = [_codes(part, top, len(cut.top)) for part in coded.chunks if part.null_count < len(part)]
    found[rows_with_values(column)] = np.concatenate([np.empty(0, np.int64), *codes])
    return found


def _codes(part: pa.DictionaryArray, top: Mapping[str, int], others: int) -> Cells:
    import pyarrow as pa

    cells = [top.get(name, others) for name in names_of(part.dictionary).to_pylist()]
    coded: Cells = np.array(cells, np.int64)[np.from_dlpack(part.indices.drop_null().cast(pa.int64()))]
    return coded
