"""What is kept of many nights in one table, so that a night reads one file and not four hundred.

Stands between what nights published one by one, which remains the truth, and the watch. A table is made every other
week and holds only what the nights said; once one of them says something else, it is not believed any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.facts.evidence import as_text
from perennial.facts.streams import NightStreams, Stream
from perennial.stages import datasets
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

EVERY_NIGHTS = 14
"""So many nights are read one by one before a new table is worth its place on the disk."""
_REVISED = "revised"
"""Partition that grows whenever a night is published anew; its version tells tables from before and after."""


@dataclass(frozen=True)
class Windows:
    """The tables of one kind of nights."""

    workspace: Workspace
    model: str
    what: str
    """Name of what is kept."""

    def table(self, night: Night) -> pa.Table | None:
        """Return the newest valid table up to a night; nothing where there is none."""
        store, dataset = self.workspace.store, self._dataset
        made = store.keys(dataset, last=night)
        manifest = store.manifest(dataset, made[-1]) if made else None
        if manifest is None or manifest.meta.get("revision") != self._revision:
            return None
        return store.read(dataset, made[-1])

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

    @property
    def _dataset(self) -> str:
        return datasets.streams(self.model, self.what)

    @property
    def _revision(self) -> int:
        return self.workspace.store.version(self._dataset, _REVISED)


class StreamWindows(Windows):
    """The streams of one set of profiles."""

    def known(self, night: Night) -> dict[Night, NightStreams]:
        """Return what the newest valid table up to a night holds; nothing where there is none."""
        table = self.table(night)
        names: dict[str, tuple[Stream, ...]] = {}
        found = {}
        for row in table.to_pylist() if table else []:
            own = names.get(row["names"]) or names.setdefault(row["names"], names_of(row["names"]))
            numbers = (tuple(row[column]) for column in ("values", "sampling_sd", "plain"))
            found[row["night"]] = NightStreams(row["night"], own, *numbers)
        return found

    def keep(self, night: Night, streams: Iterable[NightStreams]) -> None:
        """Publish a table of these nights."""
        import pyarrow as pa

        kept = list(streams)
        numbers = pa.list_(pa.float64())
        table = pa.table(
            {
                "night": pa.array([one.night for one in kept], pa.string()),
                "names": pa.array([names_as_text(one.names) for one in kept], pa.string()),
                "values": pa.array([one.values for one in kept], numbers),
                "sampling_sd": pa.array([one.sampling_sd for one in kept], numbers),
                "plain": pa.array([one.plain for one in kept], numbers),
            }
        )
        self.publish(night, table)


def names_as_text(names: Iterable[Stream]) -> str:
    """Write streams' names."""
    return as_text([[s.column, s.aspect, s.category, s.group] for s in names])


def names_of(text: str) -> tuple[Stream, ...]:
    """Read streams' names."""
    return tuple(
        Stream(column, aspect, category, group) for column, aspect, category, group in json.loads(text)
    )
