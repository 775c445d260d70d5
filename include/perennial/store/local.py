"""Partitions on a local disk: content-addressed Parquet files under numbered manifests.

A partition is a folder; its newest manifest is its content. A writer takes the next number or
loses: that one hard link is the switch, the compare-and-swap and the fence against late writers.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.errors import CorruptPartitionError, LateWriterError, NotPublishedError, UnsafeNameError
from perennial.facts.evidence import Evidence, as_text
from perennial.facts.manifest import Manifest, Part
from perennial.store import durable

if TYPE_CHECKING:
    import pyarrow as pa

_DATASET = re.compile(r"[a-z][a-z0-9_]*(/[a-z][A-Za-z0-9_.-]*)+")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_MANIFEST = re.compile(r"manifest-(\d{6})\.json")


def _part_name(sha256: str) -> str:
    return f"data-{sha256[:24]}.parquet"


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - a night asks hundreds of times, and needs names only
    except (FileNotFoundError, NotADirectoryError):
        return []


def _newest(folder: Path) -> int:
    """Number of the newest manifest in a partition's folder; 0 when nothing is published."""
    found = (_MANIFEST.fullmatch(name) for name in _names(folder))
    return max((int(one[1]) for one in found if one), default=0)


_CLOCK_TICK = 0.02
"""Seconds: two changes of a folder that are further apart than this have different times."""


@dataclass(frozen=True)
class _Listing:
    """The names in a folder, and since when it is known to have changed last at ``changed``."""

    changed: int
    since: float
    listed: float
    names: list[str]

    @property
    def settled(self) -> bool:
        """Whether any change after the names were listed shows in the folder's time."""
        return self.listed - self.since > _CLOCK_TICK


SMALL_BYTES, KEPT_BYTES = 2**20, 2**26
"""Tables up to this size are kept in memory once read, and so much of them at most."""
_Wanted = tuple[Path, tuple[str, ...] | None]
"""A file and the columns of it; its name is its content, so that it never holds anything else."""
_Seen = tuple[int, int, int]
"""What tells whether a file is the one that was read before: its number, size and time."""


@dataclass(frozen=True)
class Publication:
    """What publishing came to: the manifest now in force, and whether this call made it."""

    manifest: Manifest
    fresh: bool


class LocalStore:
    """Published partitions below one folder."""

    def __init__(self, root: Path) -> None:
        """Open the store; nothing is created until something is published."""
        self.root = root
        self._verified: set[tuple[str, int, int, int]] = set()
        self._manifests: dict[Path, tuple[_Seen, Manifest]] = {}
        self._published: dict[str, set[str]] = {}
        self._small: dict[_Wanted, pa.Table] = {}
        self._small_bytes = 0
        self._listings: dict[Path, _Listing] = {}

    def version(self, dataset: str, key: str) -> int:
        """Return the partition's version, 0 when nothing is published: the fencing token of a writer."""
        return _newest(self._folder(dataset, key))

    def manifest(self, dataset: str, key: str) -> Manifest | None:
        """Return the manifest in force, or nothing."""
        folder = self._folder(dataset, key)
        newest = _newest(folder)
        return self._read_manifest(folder, newest) if newest else None

    def manifests(self, dataset: str, key: str) -> list[Manifest]:
        """Return every manifest that a partition has had, oldest first; its replaced files are there as well."""
        folder = self._folder(dataset, key)
        numbers = sorted(int(one[1]) for name in _names(folder) if (one := _MANIFEST.fullmatch(name)))
        return [self._read_manifest(folder, number) for number in numbers]

    def keys(self, dataset: str, first: str | None = None, last: str | None = None) -> list[str]:
        """List the published partitions of a dataset from ``first`` to ``last``, both included."""
        folder = self._folder(dataset)
        names = self._listed(folder)
        wanted = [n for n in names if (first is None or n >= first) and (last is None or n <= last)]
        # What was published stays published: a partition is looked into until then, and not again.
        known = self._published.setdefault(dataset, set())
        known.update(n for n in wanted if n not in known and _newest(folder / n))
        return sorted(known.intersection(wanted))

    def _listed(self, folder: Path) -> list[str]:
        """Return the names in a folder: ten years of nights are long to list, and are asked for fifty times a night."""
        try:
            changed, now = folder.stat().st_mtime_ns, time.monotonic()
        except (FileNotFoundError, NotADirectoryError):
            return []
        known = self._listings.get(folder)
        same = known is not None and known.changed == changed
        if known is None or not (same and known.settled):
            since = known.since if known is not None and same else now
            known = self._listings[folder] = _Listing(changed, since, now, _names(folder))
        return known.names

    def read(self, dataset: str, key: str, columns: list[str] | None = None) -> pa.Table:
        """Read one partition, every byte verified."""
        import pyarrow.parquet as pq

        manifest = self.manifest(dataset, key)
        if manifest is None:
            raise NotPublishedError(dataset, key)
        (path,) = self.verified(manifest)
        wanted = (path, None if columns is None else tuple(columns))
        if wanted in self._small:
            return self._small[wanted]
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            # One thread: starting others takes longer than a night's rows. The reader takes a name also for
            # the beginning of a nested one, so exactly what was asked for is picked out afterwards.
            table = file.read(columns, use_threads=False)
        table = table if columns is None else table.select(columns)
        if table.num_rows != manifest.rows:
            raise CorruptPartitionError(path, f"{manifest.rows} rows", f"{table.num_rows} rows")
        self._remember(wanted, table)
        return table

    def _remember(self, wanted: _Wanted, table: pa.Table) -> None:
        """Keep a small table: nights that pass in one process read those before them again and again."""
        size = table.nbytes
        if size > SMALL_BYTES:
            return
        self._small[wanted] = table
        self._small_bytes += size
        while self._small_bytes > KEPT_BYTES:
            first = next(iter(self._small))  # the one that was read first
            self._small_bytes -= self._small.pop(first).nbytes

    def read_many(
        self, dataset: str, keys: Iterable[str], columns: list[str] | None = None
    ) -> pa.Table | None:
        """Read several partitions as one table in the order of ``keys``; nothing when there are none.

        Whole numbers beside numbers become numbers; a column that some partitions lack is missing in their rows.
        """
        import pyarrow as pa

        tables = [self.read(dataset, key, columns) for key in keys]
        return pa.concat_tables(tables, promote_options="permissive") if tables else None

    def publish(
        self,
        dataset: str,
        key: str,
        table: pa.Table,
        *,
        meta: Evidence | None = None,
        token: int | None = None,
    ) -> Publication:
        """Make ``table`` the content of a partition, whole or not at all.

        ``token`` is the ``version`` the writer started from; by default the one in force now. The same
        content again changes nothing; other content from a stale token is refused (``LateWriterError``).
        """
        folder = self._folder(dataset, key)
        folder.mkdir(parents=True, exist_ok=True)
        durable.sweep(folder, durable.lives)
        current = self.manifest(dataset, key)
        base = token if token is not None else (current.version if current else 0)
        manifest = Manifest(dataset, key, base + 1, (self._write_part(folder, table),), meta or {})
        if current and current.content == manifest.content:
            return Publication(current, fresh=False)
        text = as_text(manifest.as_json()).encode()
        if durable.create_once(folder / f"manifest-{manifest.version:06d}.json", text):
            return Publication(manifest, fresh=True)
        return self._lost(manifest)

    def verified(self, manifest: Manifest) -> list[Path]:
        """Return the partition's files after comparing each with its hash (once a process and file)."""
        folder = self._folder(manifest.dataset, manifest.key)
        return [self._verify(folder / part.name, part.sha256) for part in manifest.parts]

    def _lost(self, manifest: Manifest) -> Publication:
        winner = self.manifest(manifest.dataset, manifest.key)
        if winner and winner.content == manifest.content:
            return Publication(winner, fresh=False)
        raise LateWriterError(manifest.dataset, manifest.key, manifest.version)

    def _write_part(self, folder: Path, table: pa.Table) -> Part:
        import pyarrow.parquet as pq

        with durable.temporary(folder) as path:
            pq.write_table(table, path, compression="zstd", write_page_checksum=True)
            sha256, size = durable.sha256_of(path), path.stat().st_size
            name = _part_name(sha256)
            durable.settle(path, folder / name)
        return Part(name, sha256, size, table.num_rows)

    def _verify(self, path: Path, expected: str) -> Path:
        try:
            status = path.stat()
        except FileNotFoundError:
            raise CorruptPartitionError(path, expected, "missing") from None
        seen = (expected, status.st_ino, status.st_size, status.st_mtime_ns)
        if seen not in self._verified:
            actual = durable.sha256_of(path)
            if actual != expected:
                raise CorruptPartitionError(path, expected, actual)
            self._verified.add(seen)
        return path

    def _read_manifest(self, folder: Path, version: int) -> Manifest:
        """Read a manifest and compare it with its hash (once a process and file)."""
        path = folder / f"manifest-{version:06d}.json"
        status = path.stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._manifests.get(path)
        if known is None or known[0] != seen:
            known = self._manifests[path] = (seen, self._checked(path, version))
        return known[1]

    def _checked(self, path: Path, version: int) -> Manifest:
        try:
            value = json.loads(path.read_text())
            manifest = Manifest.from_json(value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptPartitionError(path, "a manifest", str(error)) from error
        if value.get("content") != manifest.content:
            raise CorruptPartitionError(path, str(value.get("content")), manifest.content)
        self._refuse_misplaced(manifest, path, version)
        return manifest

    def _refuse_misplaced(self, manifest: Manifest, path: Path, version: int) -> None:
        """Refuse a manifest that is another partition's, or names files by anything but their content."""
        place = (self._folder(manifest.dataset, manifest.key), manifest.version)
        if place != (path.parent, version):
            told = f"{manifest.dataset} of {manifest.key}, version {manifest.version}"
            raise CorruptPartitionError(path, f"{path.parent.name}, version {version}", told)
        for part in manifest.parts:
            if part.name != _part_name(part.sha256):
                raise CorruptPartitionError(path, _part_name(part.sha256), part.name)

    def _folder(self, dataset: str, key: str | None = None) -> Path:
        if not _DATASET.fullmatch(dataset):
            raise UnsafeNameError("dataset", dataset)
        if key is None:
            return self.root / dataset
        if not _KEY.fullmatch(key):
            raise UnsafeNameError("partition", key)
        return self.root / dataset / key
