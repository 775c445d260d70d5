"""Rows of one column, counted: from Arrow to a ``ColumnProfile``, in one look at the values.

Called for each column of each part of a night by ``facts/profile.py``; numbers are sorted once, and counts on
the edges, ends and distinct values are read off the sorted values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from perennial.facts import formats
from perennial.facts.categories import Categories, hash_of
from perennial.facts.column_profile import DISTINCT_COUNTED, ColumnProfile
from perennial.facts.edges import (
    ColumnEdges,
    Numbers,
    count_numbers,
    finite_numbers,
    kind_of,
    named_counts,
    texts,
)
from perennial.facts.exact_sum import exact_squares, exact_sum

if TYPE_CHECKING:
    import pyarrow as pa


def count_column(column: pa.ChunkedArray, cut: ColumnEdges | None) -> ColumnProfile:
    """Count a column that the rows have; one without edges is recorded, and its values are not counted."""
    known = {str(column.type): len(column)}
    if cut is None:
        return ColumnProfile("unseen", frozenset(known), column.null_count, type_rows=known, formats={})
    if column.null_count < len(column) and kind_of(column.type) == cut.kind:
        return _numbers(column, cut) if cut.kind == "number" else _categories(column, cut)
    return ColumnProfile(
        "known" if column.null_count == len(column) else "retyped",
        frozenset(known),
        column.null_count,
        counts=(0,) * len(cut.counts),
        type_rows=known,
        formats={},
        categories=_no_categories(cut),
    )


def absent_column(rows: int, cut: ColumnEdges) -> ColumnProfile:
    """Return the profile of a column that the rows lack: nulls."""
    nothing = (0,) * len(cut.counts)
    return ColumnProfile(
        "absent", frozenset(), rows, counts=nothing, type_rows={}, formats={}, categories=_no_categories(cut)
    )


def _no_categories(cut: ColumnEdges) -> Categories | None:
    return Categories() if cut.kind == "category" else None


def _numbers(column: pa.ChunkedArray, cut: ColumnEdges) -> ColumnProfile:
    from pyarrow import types

    values, not_finite = finite_numbers(column)
    return ColumnProfile(
        "known",
        frozenset({str(column.type)}),
        column.null_count,
        not_finite,
        count_numbers(values, cut.edges),
        _distinct_numbers(values),
        float(values[0]) if len(values) else None,
        float(values[-1]) if len(values) else None,
        exact_sum(values),
        exact_squares(values),
        type_rows={str(column.type): len(column)},
        formats=formats.of_numbers(values, whole=types.is_integer(column.type)),
    )


def _categories(column: pa.ChunkedArray, cut: ColumnEdges) -> ColumnProfile:
    names, counts = named_counts(column)
    return ColumnProfile(
        "known",
        frozenset({str(column.type)}),
        column.null_count,
        counts=_top_and_others(names, counts, cut),
        distinct=_few(names.to_pylist()) if len(names) <= DISTINCT_COUNTED else None,
        type_rows={str(column.type): len(column)},
        formats=formats.of_texts(names, counts),
        categories=Categories.of(names, counts),
    )


def _top_and_others(
    names: pa.Array, counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], cut: ColumnEdges
) -> tuple[int, ...]:
    import pyarrow.compute as pc

    found = pc.index_in(texts(cut.top), value_set=names).to_pylist()
    named = [0 if at is None else int(counts[at]) for at in found]
    return (*named, int(counts.sum()) - sum(named))


def _distinct_numbers(ordered: Numbers) -> frozenset[str] | None:
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    if np.count_nonzero(first) > DISTINCT_COUNTED:
        return None
    return _few(repr(value) for value in (ordered[first] + 0.0).tolist())


def _few(values: Iterable[str]) -> frozenset[str]:
    return frozenset(hash_of(value) for value in values)
