"""What a night's rows look like, in a few kilobytes that add up exactly.

Built once when a night is scored or a history is loaded; the monitor reads profiles, never rows.
Profiles of parts merge into the profile of the whole, in any order, to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.errors import ProfilesDifferError, RepeatedColumnError, UnreadableProfileError
from perennial.facts.association import Pair, Pairs, add_pairs, count_pair, pairs_from_json
from perennial.facts.column_counts import absent_column, count_column
from perennial.facts.column_profile import ColumnProfile
from perennial.facts.edges import ColumnEdges, Edges

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["VERSION", "ColumnProfile", "Profile", "merge", "profile", "quantile"]

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


def profile(table: pa.Table, edges: Edges, pairs: tuple[Pair, ...] = ()) -> Profile:
    """Count a night's rows on the frozen edges. A new, missing or retyped column is said so, never an error.

    ``pairs`` names columns of the edges whose rows are counted by the cells of both.

    Raises:
        RepeatedColumnError: two columns have one name, and nobody can say which is meant.
    """
    had = Counter(table.column_names)
    if had.total() > len(had):
        raise RepeatedColumnError([name for name, times in had.items() if times > 1])
    names = dict.fromkeys((*edges.columns, *had))
    columns = {
        name: count_column(table.column(name), edges.columns.get(name))
        if name in had
        else absent_column(table.num_rows, edges.columns[name])
        for name in names
    }
    counted = {pair: count_pair(table, pair, edges) for pair in pairs}
    return Profile(table.num_rows, edges.identity, columns, counted)


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
