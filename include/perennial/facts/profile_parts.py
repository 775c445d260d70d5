"""Profiles of files that never lie in memory as a whole, and of declared slices of a night.

A night is counted row group by row group and column by column, and the parts are merged: what it takes is one
column of one row group, however many rows and columns the night has. Files are given by who verified them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.errors import RepeatedColumnError
from perennial.facts.association import Pair, count_pair
from perennial.facts.column_counts import absent_column, count_column
from perennial.facts.column_profile import ColumnProfile
from perennial.facts.edges import ColumnEdges, Edges
from perennial.facts.profile import Profile, merge, profile

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


READ_AT_ONCE = 1 << 20
"""Bytes of a column that are read from the disk at once."""


def profile_files(
    paths: Iterable[Path], edges: Edges, pairs: tuple[Pair, ...] = (), prefix: str = ""
) -> Profile:
    """Count the rows of Parquet files on the frozen edges: what ``profile`` says of them as one table.

    Heavy hitters are the one exception: their bounds are those of the parts (``facts/categories.py``).

    Args:
        paths: Files of one night; none is a night of no rows.
        edges: The frozen cuts. Columns without edges are recorded and not counted.
        pairs: Pairs of columns whose rows are counted by the cells of both.
        prefix: What the names of the profiled columns begin with in the files, where others do not;
            it is cut off.

    Raises:
        RepeatedColumnError: two columns have one name.
    """
    empty = Profile(
        0,
        edges.identity,
        {name: absent_column(0, cut) for name, cut in edges.columns.items()},
        {pair: (0,) * len(count_pair(_nothing(), pair, edges)) for pair in pairs},
    )
    return reduce(merge, (_of_file(path, edges, pairs, prefix) for path in paths), empty)


def profile_slices(
    table: pa.Table, edges: Edges, members: Mapping[str, pa.ChunkedArray]
) -> dict[str, Profile]:
    """Profile the rows of each declared slice; ``members`` says for each row whether it is in (null: no).

    Slices may overlap, and are merged over nights slice by slice.
    """
    return {name: profile(table.filter(inside), edges) for name, inside in members.items()}


def _nothing() -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([], pa.schema([]))


def _of_file(path: Path, edges: Edges, pairs: tuple[Pair, ...], prefix: str) -> Profile:
    import pyarrow.parquet as pq

    # Read through a small buffer: else a column lies in memory as it was stored, and once more as values.
    with pq.ParquetFile(
        path, page_checksum_verification=True, pre_buffer=False, buffer_size=READ_AT_ONCE
    ) as file:
        return _of_groups(file, edges, pairs, _columns(file, prefix), prefix)


def _columns(file: pq.ParquetFile, prefix: str) -> list[str]:
    """List the columns to be counted, without the prefix."""
    names = [name.removeprefix(prefix) for name in file.schema_arrow.names if name.startswith(prefix)]
    if len(set(names)) < len(names):
        raise RepeatedColumnError(sorted({name for name in names if names.count(name) > 1}))
    return names


def _of_groups(
    file: pq.ParquetFile, edges: Edges, pairs: tuple[Pair, ...], had: list[str], prefix: str
) -> Profile:
    counted = {name: _column(file, prefix + name, edges.columns.get(name)) for name in had}
    rows = file.metadata.num_rows
    absent = {name: absent_column(rows, cut) for name, cut in edges.columns.items() if name not in counted}
    return Profile(
        rows,
        edges.identity,
        absent | counted,
        {pair: _pair(file, pair, edges, had, prefix) for pair in pairs},
    )


def _column(file: pq.ParquetFile, stored: str, cut: ColumnEdges | None) -> ColumnProfile:
    import pyarrow as pa

    if not file.num_row_groups:
        return count_column(pa.nulls(0, file.schema_arrow.field(stored).type), cut)
    return reduce(add, (count_column(part.column(stored), cut) for part in _parts(file, [stored])))


def _pair(file: pq.ParquetFile, pair: Pair, edges: Edges, had: list[str], prefix: str) -> tuple[int, ...]:
    stored = [prefix + name for name in pair if name in had]
    counts = [count_pair(_nothing(), pair, edges)]
    for part in _parts(file, stored):
        plain = part.rename_columns([name.removeprefix(prefix) for name in part.column_names])
        counts.append(count_pair(plain, pair, edges))
    return tuple(sum(cell) for cell in zip(*counts, strict=True))


def _parts(file: pq.ParquetFile, stored: list[str]) -> Iterable[pa.Table]:
    for group in range(file.num_row_groups):
        # The reader takes a name also for the beginning of a nested one: what was asked for is picked out.
        yield file.read_row_group(group, stored, use_threads=False).select(stored)
