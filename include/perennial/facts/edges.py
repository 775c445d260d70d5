"""Where the counts of every nightly profile are cut: frozen once, from the first nights of a model.

Counts on the same edges add up exactly, which is what lets a night's profile be merged, replayed and
compared with another. The module needs numpy; nothing that generates DAGs imports it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from perennial.facts.evidence import fingerprint

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]
Kind = Literal["number", "category"]

REFERENCE_NIGHTS = 28
"""Nights whose rows freeze the edges: four of each weekday."""

BINS = 64
"""Bins of a numeric column; at 100,000 rows their error on a distance is below its sampling noise."""

TOP_CATEGORIES = 10
"""Categories counted by name; the rest are counted together."""

LONGEST_NAME, SHOWN_OF_NAME = 200, 60
"""A longer category is a text or a file: its beginning and a hash stand for it, wherever it is counted."""

OUTSIDE_SCORE = 3.0
"""Normal score of a value outside the reference range: beyond that of the outermost bins (2.4)."""


@dataclass(frozen=True)
class ColumnEdges:
    """Where one column is cut, and how its reference rows fell."""

    kind: Kind
    edges: tuple[float, ...]
    """Numbers: bin i is [edges[i], edges[i + 1]); the last edge lies just above the greatest value."""
    top: tuple[str, ...]
    """Categories counted by name, most frequent first."""
    counts: tuple[int, ...]
    """Reference rows: under, each bin, over; or each of ``top``, then all others."""

    @cached_property
    def scores(self) -> Numbers:
        """Return the normal score of each cell: the normal quantile of its middle rank in the reference.

        Half a row is added at either end, so that no cell is infinitely far away.
        """
        counts = np.array(self.counts, float)
        if self.kind == "category" or counts.sum() == 0:
            return np.zeros(len(counts))
        middle = (np.cumsum(counts) - counts / 2 + 0.5) / (counts.sum() + 1)
        quantiles = np.array([NormalDist().inv_cdf(rank) for rank in middle])
        scores: Numbers = np.clip(quantiles, -OUTSIDE_SCORE, OUTSIDE_SCORE)
        scores[0], scores[-1] = -OUTSIDE_SCORE, OUTSIDE_SCORE
        return scores

    @cached_property
    def score_variances(self) -> tuple[float, float]:
        """Return the reference variances, per row, of the scores and of their squares."""
        counts, scores = np.array(self.counts, float), self.scores
        rows = max(float(counts.sum()), 1.0)
        first, second, fourth = (float(counts @ scores**power) / rows for power in (1, 2, 4))
        return max(second - first**2, 0.0), max(fourth - second**2, 0.0)


@dataclass(frozen=True)
class Edges:
    """The frozen cuts of all columns of a model's rows."""

    columns: Mapping[str, ColumnEdges]
    rows: int
    """Reference rows they were frozen on."""

    def as_json(self) -> dict[str, object]:
        """Write plain values; numbers keep every digit."""
        return {
            "rows": self.rows,
            "columns": {name: _as_lists(asdict(cut)) for name, cut in self.columns.items()},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Edges:
        """Read what ``as_json`` wrote."""
        columns = {
            name: ColumnEdges(cut["kind"], tuple(cut["edges"]), tuple(cut["top"]), tuple(cut["counts"]))
            for name, cut in kept["columns"].items()
        }
        return cls(columns, kept["rows"])

    @cached_property
    def identity(self) -> str:
        """Identify these cuts; only profiles on the same cuts can be merged."""
        return fingerprint(self.as_json())[:16]  # type: ignore[arg-type]  # plain values, typed wider


@lru_cache(maxsize=8)
def edges_from_text(text: str) -> Edges:
    """Read edges as they are stored; nights that pass in one process share what the same text says."""
    return Edges.from_json(json.loads(text))


def _as_lists(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}


def kind_of(arrow_type: pa.DataType) -> Kind | None:
    """Return how a column of this Arrow type is counted; none for times, lists and the like."""
    from pyarrow import types

    if types.is_dictionary(arrow_type):
        return kind_of(arrow_type.value_type) and "category"
    if types.is_integer(arrow_type) or types.is_floating(arrow_type) or types.is_decimal(arrow_type):
        return "number"
    texts = (types.is_boolean, types.is_string, types.is_large_string, types.is_string_view)
    return "category" if any(is_one(arrow_type) for is_one in texts) else None


def finite_numbers(column: pa.ChunkedArray) -> tuple[Numbers, int]:
    """Return a numeric column's finite values as floats, in rising order, and how many were neither null nor finite."""
    values = np.sort(_as_floats(column.drop_null()))
    # Infinities sort to the ends and what is not a number behind them: a look there spares a pass.
    if len(values) and np.isfinite(values[0]) and np.isfinite(values[-1]):
        return values, 0
    finite = values[np.isfinite(values)]
    return finite, len(values) - len(finite)


def unsorted_numbers(column: pa.ChunkedArray) -> Numbers:
    """Return a numeric column's values row by row, NaN where there is none."""
    values = np.full(len(column), np.nan)
    values[rows_with_values(column)] = _as_floats(column.drop_null())
    return values


def rows_with_values(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say for each row whether it has a value."""
    import pyarrow as pa

    parts = [np.from_dlpack(part.is_valid().cast(pa.uint8())) for part in column.chunks if len(part)]
    return np.concatenate([np.empty(0, np.uint8), *parts]).astype(bool)


def _as_floats(present: pa.ChunkedArray) -> Numbers:
    import pyarrow as pa

    if pa.types.is_decimal(present.type):
        present = present.cast(pa.float64())
    # By dlpack, since ``to_numpy`` imports pandas: 0.3 s and 60 MB that a night does not need.
    parts = [np.from_dlpack(part).astype(np.float64, copy=False) for part in present.chunks if len(part)]
    if not parts:
        return np.empty(0)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def category_counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Count the rows of each category, nulls left out; booleans are ``true`` and ``false``."""
    names, counts = named_counts(column)
    return dict(zip(names.to_pylist(), counts.tolist(), strict=True))


def named_counts(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return each category once, and its rows, nulls left out.

    A category of more than ``LONGEST_NAME`` characters is known by its beginning and a hash.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pc.value_counts(column.drop_null())
    values, rows = counted.field("values"), np.from_dlpack(counted.field("counts"))
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()  # a dictionary may hold a null, and a value twice
    once = names_of(values).dictionary_encode()
    held = rows_with_values(pa.chunked_array([once]))
    at = np.from_dlpack(once.indices.drop_null())
    return once.dictionary, np.bincount(at, rows[held], len(once.dictionary)).astype(np.int64)


def names_of(values: pa.Array) -> pa.Array:
    """Return values as texts; a text of more than ``LONGEST_NAME`` characters as its beginning and a hash."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = values.cast(pa.string()).cast(pa.large_string())
    if (pc.max(pc.binary_length(names)).as_py() or 0) <= LONGEST_NAME:
        return names
    coded = names.dictionary_encode()
    return texts([_short(name) for name in coded.dictionary.to_pylist()]).take(coded.indices)


def texts(names: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow array, from buffers: to make one of a list would import pandas."""
    import pyarrow as pa

    encoded = [name.encode() for name in names]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def _short(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:SHOWN_OF_NAME]}… {hashlib.blake2b(name.encode(), digest_size=6).hexdigest()}"


def count_numbers(ordered: Numbers, edges: tuple[float, ...]) -> tuple[int, ...]:
    """Count values, given in rising order, under, in each bin, and over."""
    # Looking up the few edges among the sorted values is ten times faster than each value among the edges.
    below = np.searchsorted(ordered, np.array(edges), side="left")
    return tuple(np.diff(np.concatenate([[0], below, [len(ordered)]])).astype(np.int64).tolist())


def freeze_edges(table: pa.Table) -> Edges:
    """Cut every column at the quantiles of these rows: those of the first 28 nights.

    Times and keys are for the caller to leave out; columns that can be neither binned nor named
    (times, lists, all null without a type) are left out here.
    """
    kinds = {field.name: kind_of(field.type) for field in table.schema}
    cut = {
        name: _cut_numbers(table.column(name)) if kind == "number" else _cut_categories(table.column(name))
        for name, kind in kinds.items()
        if kind is not None
    }
    return Edges(columns=cut, rows=table.num_rows)


def _cut_numbers(column: pa.ChunkedArray) -> ColumnEdges:
    values, _ = finite_numbers(column)
    edges = _quantile_edges(values)
    return ColumnEdges("number", edges, (), count_numbers(values, edges))


def _quantile_edges(ordered: Numbers) -> tuple[float, ...]:
    """Cut at quantiles; values that fill several bins keep one, and the rest share what that frees."""
    if not len(ordered):
        return ()
    cuts = _spread(ordered, BINS)
    if len(cuts) < BINS:
        rest = ordered[~np.isin(ordered, cuts)]
        cuts = np.union1d(cuts, _spread(rest, BINS - len(cuts)))
    return (*cuts.tolist(), float(np.nextafter(ordered[-1], np.inf)))


def _spread(ordered: Numbers, bins: int) -> Numbers:
    if not len(ordered):
        return ordered
    return np.unique(ordered[(np.arange(bins) * len(ordered)) // bins])


def _cut_categories(column: pa.ChunkedArray) -> ColumnEdges:
    counted = sorted(category_counts(column).items(), key=lambda item: (-item[1], item[0]))
    top = counted[:TOP_CATEGORIES]
    others = sum(count for _, count in counted[TOP_CATEGORIES:])
    return ColumnEdges("category", (), tuple(name for name, _ in top), (*(count for _, count in top), others))
