"""Profiles of files that never lie in memory as a whole, and of declared slices of a night.

A night is counted row group by row group and column by column, and the parts are merged: what it takes is one
column of one row group, however many rows and columns the night has. Files are given by who verified them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.facts.association import Pair, width_of_pair
from perennial.facts.column_counts import absent_column
from perennial.facts.edges import Edges
from perennial.facts.profile import Profile, Rows, count_rows, merge, profile

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


READ_AT_ONCE = 1 << 20
"""Bytes of a column that are read from the disk at once."""


def profile_files(
    paths: Iterable[Path],
    edges: Edges,
    pairs: tuple[Pair, ...] = (),
    prefix: str = "",
    only: Collection[str] | None = None,
) -> Profile:
    """Count the rows of Parquet files on the frozen edges: what ``profile`` says of them as one table.

    Heavy hitters are the one exception: their bounds are those of the parts (``facts/categories.py``).

    Args:
        paths: Files of one night; none is a night of no rows.
        edges: The frozen cuts. Columns without edges are recorded and not counted.
        pairs: Pairs of columns whose rows are counted by the cells of both.
        prefix: What the names of the profiled columns begin with in the files, where others do not;
            it is cut off.
        only: Columns to look at, without the prefix; by default all.

    Raises:
        RepeatedColumnError: two columns have one name.
    """
    count = partial(count_rows, edges=edges, pairs=pairs)
    counted = [_of_file(path, prefix, only, count) for path in paths]
    return reduce(merge, counted) if counted else _nothing(edges, pairs)


def _nothing(edges: Edges, pairs: tuple[Pair, ...]) -> Profile:
    """Return the profile of no rows: every column is absent."""
    columns = {name: absent_column(0, cut) for name, cut in edges.columns.items()}
    return Profile(0, edges.identity, columns, {pair: (0,) * width_of_pair(pair, edges) for pair in pairs})


def profile_slices(
    table: pa.Table, edges: Edges, members: Mapping[str, pa.ChunkedArray]
) -> dict[str, Profile]:
    """Profile the rows of each declared slice; ``members`` says for each row whether it is in (null: no).

    Slices may overlap, and are merged over nights slice by slice.
    """
    return {name: profile(table.filter(inside), edges) for name, inside in members.items()}


def slices_as_text(apart: Mapping[str, Profile]) -> str:
    """Write the profiles of slices, by their names."""
    return json.dumps({name: one.as_json() for name, one in apart.items()})


def slices_from_text(text: str) -> dict[str, Profile]:
    """Read what ``slices_as_text`` wrote."""
    return {name: Profile.from_json(kept) for name, kept in json.loads(text).items()}


def _of_file(
    path: Path, prefix: str, only: Collection[str] | None, count: Callable[[Rows], Profile]
) -> Profile:
    import pyarrow.parquet as pq

    # Read through a small buffer: else a column lies in memory as it was stored, and once more as values.
    with pq.ParquetFile(
        path, page_checksum_verification=True, pre_buffer=False, buffer_size=READ_AT_ONCE
    ) as file:
        return count(_File(file, prefix, only))


@dataclass(frozen=True)
class _File:
    """Rows of an open file: a part is what a row group holds of the columns that are asked for."""

    file: pq.ParquetFile
    prefix: str
    only: Collection[str] | None

    @property
    def number(self) -> int:
        return int(self.file.metadata.num_rows)

    @property
    def names(self) -> Sequence[str]:
        named = self.file.schema_arrow.names
        own = [name.removeprefix(self.prefix) for name in named if name.startswith(self.prefix)]
        return [name for name in own if self.only is None or name in self.only]

    def parts(self, names: Sequence[str]) -> Iterable[pa.Table]:
        stored = [self.prefix + name for name in names]
        if not self.file.num_row_groups:
            yield self.file.schema_arrow.empty_table().select(stored).rename_columns(list(names))
        for group in range(self.file.num_row_groups):
            part = self.file.read_row_group(group, stored, use_threads=False)
            # The reader takes a name also for the beginning of a nested one: what was asked for is picked out.
            yield part.select(stored).rename_columns(list(names))
