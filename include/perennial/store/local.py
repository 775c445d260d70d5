"""Partitions on a local disk: content-addressed Parquet files under numbered manifests.

A partition is a folder; its newest manifest is its content. A writer takes the next number or
loses: that one hard link is the switch, the compare-and-swap and the fence against late writers.
"""

from __future__ import annotations

import json
import re
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

    def version(self, dataset: str, key: str) -> int:
        """Return the partition's version, 0 when nothing is published: the fencing token of a writer."""
        return max(self._versions(self._folder(dataset, key)), default=0)

    def manifest(self, dataset: str, key: str) -> Manifest | None:
        """Return the manifest in force, or nothing."""
        folder = self._folder(dataset, key)
        newest = max(self._versions(folder), default=0)
        return self._read_manifest(folder, newest) if newest else None

    def keys(self, dataset: str, first: str | None = None, last: str | None = None) -> list[str]:
        """List the published partitions of a dataset from ``first`` to ``last``, both included."""
        folder = self._folder(dataset)
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        wanted = [n for n in names if (first is None or n >= first) and (last is None or n <= last)]
        return [name for name in wanted if any(self._versions(folder / name))]

    def read(self, dataset: str, key: str, columns: list[str] | None = None) -> pa.Table:
        """Read one partition, every byte verified."""
        import pyarrow.parquet as pq

        manifest = self.manifest(dataset, key)
        if manifest is None:
            raise NotPublishedError(dataset, key)
        (path,) = self.verified(manifest)
        table = pq.read_table(path, columns=columns, page_checksum_verification=True)
        if table.num_rows != manifest.rows:
            raise CorruptPartitionError(path, f"{manifest.rows} rows", f"{table.num_rows} rows")
        return table

    def read_many(
        self, dataset: str, keys: Iterable[str], columns: list[str] | None = None
    ) -> pa.Table | None:
        """Read several partitions as one table in the order of ``keys``; nothing when there are none."""
        import pyarrow as pa

        tables = [self.read(dataset, key, columns) for key in keys]
        return pa.concat_tables(tables, promote_options="default") if tables else None

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
        path = folder / f"manifest-{version:06d}.json"
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

    @staticmethod
    def _versions(folder: Path) -> list[int]:
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return [int(found[1]) for name in names if (found := _MANIFEST.fullmatch(name))]

    def _folder(self, dataset: str, key: str | None = None) -> Path:
        if not _DATASET.fullmatch(dataset):
            raise UnsafeNameError("dataset", dataset)
        if key is None:
            return self.root / dataset
        if not _KEY.fullmatch(key):
            raise UnsafeNameError("partition", key)
        return self.root / dataset / key
