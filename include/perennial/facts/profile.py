"""What a night's rows look like, in a few kilobytes that add up exactly.

Built once when a night is scored or a history is loaded; the monitor reads profiles, never rows.
Profiles of parts merge into the profile of the whole, in any order, to the last bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from perennial.errors import ProfilesDifferError
from perennial.facts.edges import ColumnEdges, Edges, category_counts, count_numbers, finite_numbers, kind_of
from perennial.facts.exact_sum import exact_squares, exact_sum

if TYPE_CHECKING:
    import pyarrow as pa

State = Literal["absent", "known", "retyped", "unseen"]
"""``absent``: the edges know the column, the rows lack it; ``retyped``: it came as another kind, and its
values are not counted; ``unseen``: the edges do not know it. The order is that of ``_WORST``."""

_WORST: tuple[State, ...] = ("absent", "known", "retyped", "unseen")

DISTINCT_COUNTED = 32
"""Distinct values are counted up to here; beyond, a profile says "more"."""


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one night."""

    state: State
    types: frozenset[str]
    """Arrow types it came as."""
    nulls: int
    """Rows without a value; every row where the column is absent."""
    not_finite: int = 0
    """Values that are not a number, or infinite."""
    counts: tuple[int, ...] = ()
    """On the frozen edges: under, each bin, over; or each top category, then all others."""
    distinct: frozenset[str] | None = frozenset()
    """Short hashes of the distinct values; none where there are more than are counted."""
    low: float | None = None
    """Least finite value."""
    high: float | None = None
    """Greatest finite value."""
    total: Fraction = Fraction(0)
    """Sum of the finite values, exact."""
    squares: Fraction = Fraction(0)
    """Sum of their squares, exact."""

    @property
    def values(self) -> int:
        """Count the values that the edges could place."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Return the mean of the finite numbers."""
        return float(self.total / self.values) if self.values and self.low is not None else None

    @property
    def sd(self) -> float | None:
        """Return the standard deviation of the finite numbers."""
        if not self.values or self.low is None:
            return None
        mean = self.total / self.values
        return math.sqrt(max(self.squares / self.values - mean * mean, Fraction(0)))


@dataclass(frozen=True)
class Profile:
    """All columns of one night, or of several that were merged."""

    rows: int
    edges: str
    """Identity of the edges it was counted on."""
    columns: Mapping[str, ColumnProfile]

    def as_json(self) -> dict[str, object]:
        """Write plain values: about half a kilobyte a numeric column."""
        columns = {name: _column_as_json(column) for name, column in sorted(self.columns.items())}
        return {"rows": self.rows, "edges": self.edges, "columns": columns}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Profile:
        """Read what ``as_json`` wrote."""
        columns = {name: _column_from_json(column) for name, column in kept["columns"].items()}
        return cls(kept["rows"], kept["edges"], columns)


def profile(table: pa.Table, edges: Edges) -> Profile:
    """Count a night's rows on the frozen edges. A new, missing or retyped column is said so, never an error."""
    names = dict.fromkeys((*edges.columns, *table.column_names))
    columns = {
        name: _profile_column(table.column(name), edges.columns.get(name))
        if name in table.column_names
        else _absent(table.num_rows, edges.columns[name])
        for name in names
    }
    return Profile(rows=table.num_rows, edges=edges.identity, columns=columns)


def merge(*profiles: Profile) -> Profile:
    """Return the profile of all their rows together: exact, whatever the order and the grouping.

    Raises:
        ProfilesDifferError: they were counted on different edges.
    """
    return reduce(_merge_two, profiles)


def quantile(column: ColumnProfile, cut: ColumnEdges, share: float) -> float | None:
    """Return the value below which ``share`` of the counted values lie, to within a bin's width."""
    if not column.values or column.low is None or column.high is None:
        return None
    ends = np.clip([column.low, *cut.edges, column.high], column.low, column.high)
    below = np.concatenate([[0], np.cumsum(column.counts)]) / column.values
    return float(np.interp(share, below, ends))


def _profile_column(column: pa.ChunkedArray, cut: ColumnEdges | None) -> ColumnProfile:
    types, nulls = frozenset({str(column.type)}), column.null_count
    if cut is None:
        return ColumnProfile("unseen", types, nulls)
    if nulls == len(column):
        return ColumnProfile("known", types, nulls, counts=(0,) * len(cut.counts))
    if kind_of(column.type) != cut.kind:
        return ColumnProfile("retyped", types, nulls, counts=(0,) * len(cut.counts))
    described = _numbers if cut.kind == "number" else _categories
    return described(column, cut)


def _numbers(column: pa.ChunkedArray, cut: ColumnEdges) -> ColumnProfile:
    values, not_finite = finite_numbers(column)
    return ColumnProfile(
        "known",
        frozenset({str(column.type)}),
        column.null_count,
        not_finite,
        count_numbers(values, cut.edges),
        _distinct_numbers(values),
        float(values.min()) if len(values) else None,
        float(values.max()) if len(values) else None,
        exact_sum(values),
        exact_squares(values),
    )


def _categories(column: pa.ChunkedArray, cut: ColumnEdges) -> ColumnProfile:
    counted = category_counts(column)
    named = tuple(counted.get(name, 0) for name in cut.top)
    counts = (*named, sum(counted.values()) - sum(named))
    distinct = _few(counted)
    return ColumnProfile("known", frozenset({str(column.type)}), column.null_count, 0, counts, distinct)


def _absent(rows: int, cut: ColumnEdges) -> ColumnProfile:
    return ColumnProfile("absent", frozenset(), nulls=rows, counts=(0,) * len(cut.counts))


def _distinct_numbers(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> frozenset[str] | None:
    # A look at the first rows settles most columns without sorting all of them.
    if len(np.unique(values[: 4 * DISTINCT_COUNTED])) > DISTINCT_COUNTED:
        return None
    return _few([repr(value) for value in (np.unique(values) + 0.0).tolist()[: DISTINCT_COUNTED + 1]])


def _few(values: Iterable[str]) -> frozenset[str] | None:
    known = set(values)
    if len(known) > DISTINCT_COUNTED:
        return None
    # Hashes, because a profile is kept for years and a value may be about a person.
    return frozenset(hashlib.blake2b(value.encode(), digest_size=6).hexdigest() for value in known)


def _merge_two(one: Profile, other: Profile) -> Profile:
    if one.edges != other.edges:
        raise ProfilesDifferError(one.edges, other.edges)
    names = dict.fromkeys((*one.columns, *other.columns))
    columns = {name: _merge_columns(_or_nulls(one, name), _or_nulls(other, name)) for name in names}
    return Profile(one.rows + other.rows, one.edges, columns)


def _or_nulls(of: Profile, name: str) -> ColumnProfile:
    """Return the column; one that only the other part has counts as null in every row here."""
    return of.columns.get(name) or ColumnProfile("unseen", frozenset(), nulls=of.rows)


def _merge_columns(one: ColumnProfile, other: ColumnProfile) -> ColumnProfile:
    both = one.distinct | other.distinct if one.distinct is not None and other.distinct is not None else None
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return ColumnProfile(
        state=max(one.state, other.state, key=_WORST.index),
        types=one.types | other.types,
        nulls=one.nulls + other.nulls,
        not_finite=one.not_finite + other.not_finite,
        counts=tuple(a + b for a, b in zip(one.counts, other.counts, strict=True)),
        distinct=both if both is not None and len(both) <= DISTINCT_COUNTED else None,
        low=min(lows, default=None),
        high=max(highs, default=None),
        total=one.total + other.total,
        squares=one.squares + other.squares,
    )


def _column_as_json(column: ColumnProfile) -> dict[str, object]:
    plain = {field.name: getattr(column, field.name) for field in fields(column)}
    distinct = None if column.distinct is None else sorted(column.distinct)
    return plain | {
        "types": sorted(column.types),
        "counts": list(column.counts),
        "distinct": distinct,
        "total": str(column.total),
        "squares": str(column.squares),
    }


def _column_from_json(kept: Mapping[str, Any]) -> ColumnProfile:
    distinct = kept["distinct"]
    return ColumnProfile(
        **{
            **kept,
            "types": frozenset(kept["types"]),
            "counts": tuple(kept["counts"]),
            "distinct": None if distinct is None else frozenset(distinct),
            "total": Fraction(kept["total"]),
            "squares": Fraction(kept["squares"]),
        }
    )
