"""What is kept of many nights in one table, so that a night reads one file and not four hundred.

Stands between what nights published one by one, which remains the truth, and the watch. A table is made every other
week and holds only what the nights said; once one of them says something else, it is not believed any more.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from perennial.clock import Night
from perennial.facts.evidence import as_text
from perennial.facts.manifest import Manifest, Part
from perennial.facts.streams import NightStreams, Stream
from perennial.stages import datasets
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

EVERY_NIGHTS = 14
"""So many nights are read one by one before a new table is worth its place on the disk."""
_REVISED = "revised"
"""Partition that grows whenever a night is published anew; its version tells tables from before and after."""

Read = TypeVar("Read")
Columns: TypeAlias = "Callable[[list[str]], pa.Table]"
"""Reads columns of a table."""
_READ_TABLES = 16
_read: dict[tuple[Path, str, str], tuple[tuple[Part, ...], Any]] = {}
"""What was last read out of a home's tables of a dataset, by the reader's name: nights that pass in one process ask again."""


@dataclass(frozen=True)
class Windows:
    """The tables of one kind of nights."""

    workspace: Workspace
    model: str
    what: str
    """Name of what is kept."""

    def table(self, night: Night, columns: list[str] | None = None) -> pa.Table | None:
        """Return the newest valid table up to a night, or columns of it; nothing where there is none."""
        manifest = self._newest(night)
        return self.workspace.store.read(self._dataset, manifest.key, columns) if manifest else None

    def once(self, night: Night, read: Callable[[Columns], Read]) -> Read | None:
        """Return what ``read`` makes of columns of that table; whoever gets it must not change it.

        A table lasts for many nights: a process that passes them reads it once.
        """
        manifest = self._newest(night)
        if manifest is None:
            return None
        name = (self.workspace.home, self._dataset, read.__qualname__)
        rows = manifest.parts
        known = _read.pop(name, None)
        if known is None or known[0] != rows:
            known = (rows, read(partial(self.workspace.store.read, self._dataset, manifest.key)))
        _read[name] = known
        if len(_read) > _READ_TABLES:
            del _read[next(iter(_read))]  # the one that was asked for longest ago
        made: Read = known[1]
        return made

    def publish(self, night: Night, table: pa.Table) -> None:
        """Publish a table; its column ``night`` says whose lines it holds."""
        self.workspace.store.publish(self._dataset, night, table, meta={"revision": self._revision})

    def disbelieve(self, night: Night) -> None:
        """Let no table be used that may hold what ``night`` said before."""
        import pyarrow as pa

        store, dataset = self.workspace.store, self._dataset
        if any(made >= night for made in store.keys(dataset, night) if made != _REVISED):
            before = store.read(dataset, _REVISED)["night"].to_pylist() if self._revision else []
            store.publish(dataset, _REVISED, pa.table({"night": [*before, night]}))

    def _newest(self, night: Night) -> Manifest | None:
        store, dataset = self.workspace.store, self._dataset
        made = store.keys(dataset, last=night)
        manifest = store.manifest(dataset, made[-1]) if made else None
        return manifest if manifest and manifest.meta.get("revision") == self._revision else None

    @property
    def _dataset(self) -> str:
        return datasets.streams(self.model, self.what)

    @property
    def _revision(self) -> int:
        return self.workspace.store.version(self._dataset, _REVISED)


class StreamWindows(Windows):
    """The streams of one set of profiles."""

    def known(self, night: Night) -> Mapping[Night, NightStreams]:
        """Return what the newest valid table up to a night holds; nothing where there is none."""
        return self.once(night, _streams_of) or {}

    def keep(self, night: Night, streams: Iterable[NightStreams]) -> None:
        """Publish a table of these nights."""
        import pyarrow as pa

        kept = list(streams)
        named = [one.names for one in kept]
        # The names of a night that has the same as the one before are left out: they are most of the bytes.
        changed = [
            names_as_text(names) if names != before else None
            for names, before in zip(named, [None, *named], strict=False)
        ]
        numbers = pa.list_(pa.float64())
        table = pa.table(
            {
                "night": pa.array([one.night for one in kept], pa.string()),
                "names": pa.array(changed, pa.string()),
                "values": pa.array([one.values for one in kept], numbers),
                "sampling_sd": pa.array([one.sampling_sd for one in kept], numbers),
                "plain": pa.array([one.plain for one in kept], numbers),
            }
        )
        self.publish(night, table)


def _streams_of(read: Columns) -> dict[Night, NightStreams]:
    about = read(["night", "names"])
    # One after the other, and not as Python's own numbers: a year of 500 columns is a million of each.
    numbers = [_arrays(read, column) for column in ("values", "sampling_sd", "plain")]
    rows = zip(about["night"].to_pylist(), _names(about["names"].to_pylist()), *numbers, strict=True)
    return {row[0]: NightStreams(*row) for row in rows}


def _arrays(read: Columns, column: str) -> list[array[float]]:
    import numpy as np
    import pyarrow as pa

    table = read([column])
    chunks = table[column].chunks
    found = [array("d", np.from_dlpack(row.values).tobytes()) for chunk in chunks for row in chunk]
    del table, chunks
    pa.default_memory_pool().release_unused()  # the reader keeps as much again for the next read
    return found


def _names(texts: Iterable[str | None]) -> Iterator[tuple[Stream, ...]]:
    """Read each night's names; a night without any has those of the night before."""
    last: str | None = None
    names: tuple[Stream, ...] = ()
    for text in texts:
        if text is not None and text != last:
            last, names = text, names_of(text)
        yield names


def names_as_text(names: Iterable[Stream]) -> str:
    """Write streams' names."""
    return as_text([[s.column, s.aspect, s.category, s.group] for s in names])


def names_of(text: str) -> tuple[Stream, ...]:
    """Read streams' names."""
    return tuple(
        Stream(column, aspect, category, group) for column, aspect, category, group in json.loads(text)
    )
