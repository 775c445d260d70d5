"""What a night's rows look like, in a few kilobytes that add up exactly.

Built once when a night is scored or a history is loaded; the monitor reads profiles, never rows.
Profiles of parts merge into the profile of the whole, in any order, to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from perennial.errors import ProfilesDifferError, RepeatedColumnError, UnreadableProfileError
from perennial.facts.association import Pair, Pairs, add_pairs, count_pair, pairs_from_json
from perennial.facts.column_counts import absent_column, count_column
from perennial.facts.column_profile import ColumnProfile
from perennial.facts.edges import ColumnEdges, Edges

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["VERSION", "ColumnProfile", "Profile", "Rows", "count_rows", "merge", "profile", "quantile"]

VERSION = 2
"""Of the stored form. The first had neither a checksum, nor formats, heavy hitters, pairs."""


@dataclass(frozen=True)
class Profile:
    """All columns of one night, or of several that were merged."""

    rows: int
    edges: str
    """Identity of the edges it was counted on."""
    columns: Mapping[str, ColumnProfile]
    pairs: Pairs = field(default_factory=dict)
    """Declared pairs of columns: rows by the cells of both."""

    def as_json(self) -> dict[str, object]:
        """Write plain values with their version and checksum: about half a kilobyte a numeric column."""
        content: dict[str, object] = {
            "rows": self.rows,
            "edges": self.edges,
            "columns": {name: column.as_json() for name, column in sorted(self.columns.items())},
            "pairs": [[*pair, list(counts)] for pair, counts in sorted(self.pairs.items())],
        }
        return {"version": VERSION, "checksum": _checksum(content), **content}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Profile:
        """Read what ``as_json`` wrote, now or in the first version.

        Raises:
            UnreadableProfileError: it was changed, or written by a later version.
        """
        version = kept.get("version", 1)
        if version not in (1, VERSION):
            raise UnreadableProfileError(f"it has version {version}, and this release reads 1 and {VERSION}")
        content = {name: part for name, part in kept.items() if name not in ("version", "checksum")}
        if version == VERSION and kept.get("checksum") != _checksum(content):
            raise UnreadableProfileError("its content is not what its checksum says")
        try:
            columns = {name: ColumnProfile.from_json(column) for name, column in kept["columns"].items()}
            return cls(kept["rows"], kept["edges"], columns, pairs_from_json(kept.get("pairs", ())))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableProfileError(f"a part of it is missing or of another kind ({error})") from error


class Rows(Protocol):
    """Rows to be counted, given column by column and part by part: a table is one part, a file has row groups."""

    @property
    def number(self) -> int:
        """How many there are."""

    @property
    def names(self) -> Sequence[str]:
        """Names of their columns."""

    def parts(self, names: Sequence[str]) -> Iterable[pa.Table]:
        """Give these columns, part by part; at least one part."""


def profile(table: pa.Table, edges: Edges, pairs: tuple[Pair, ...] = ()) -> Profile:
    """Count a night's rows on the frozen edges. A new, missing or retyped column is said so, never an error.

    ``pairs`` names columns of the edges whose rows are counted by the cells of both.

    Raises:
        RepeatedColumnError: two columns have one name, and nobody can say which is meant.
    """
    return count_rows(_Table(table), edges, pairs)


def count_rows(rows: Rows, edges: Edges, pairs: tuple[Pair, ...] = ()) -> Profile:
    """Count rows on the frozen edges, wherever they lie; see ``profile``."""
    had = Counter(rows.names)
    if had.total() > len(had):
        raise RepeatedColumnError(sorted(name for name, times in had.items() if times > 1))
    columns = {
        name: _count_column(rows, name, edges.columns.get(name))
        if name in had
        else absent_column(rows.number, edges.columns[name])
        for name in dict.fromkeys((*edges.columns, *had))
    }
    counted = {pair: _count_pair(rows, pair, edges, had) for pair in pairs}
    return Profile(rows.number, edges.identity, columns, counted)


@dataclass(frozen=True)
class _Table:
    """Rows that lie in memory."""

    table: pa.Table

    @property
    def number(self) -> int:
        return int(self.table.num_rows)

    @property
    def names(self) -> Sequence[str]:
        names: Sequence[str] = self.table.column_names
        return names

    def parts(self, names: Sequence[str]) -> Iterable[pa.Table]:
        yield self.table.select(list(names))


def _count_column(rows: Rows, name: str, cut: ColumnEdges | None) -> ColumnProfile:
    return reduce(add, (count_column(part.column(0), cut) for part in rows.parts([name])))


def _count_pair(rows: Rows, pair: Pair, edges: Edges, had: Collection[str]) -> tuple[int, ...]:
    there = [name for name in dict.fromkeys(pair) if name in had]
    counts = (count_pair(part, pair, edges) for part in rows.parts(there))
    return tuple(sum(cell) for cell in zip(*counts, strict=True))


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


def _merge_two(one: Profile, other: Profile) -> Profile:
    if one.edges != other.edges:
        raise ProfilesDifferError(one.edges, other.edges)
    names = dict.fromkeys((*one.columns, *other.columns))
    columns = {name: _or_nulls(one, name) + _or_nulls(other, name) for name in names}
    return Profile(one.rows + other.rows, one.edges, columns, add_pairs(one.pairs, other.pairs))


def _or_nulls(of: Profile, name: str) -> ColumnProfile:
    """Return the column; one that only the other part has counts as null in every row here."""
    nulls = ColumnProfile("unseen", frozenset(), nulls=of.rows, type_rows={}, formats={})
    return of.columns.get(name) or nulls


def _checksum(content: Mapping[str, object]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
