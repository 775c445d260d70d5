"""Rows as the layer sees them: a matured night, and the bounded samples of rows that learning keeps.

Which rows are kept depends on a hash of their keys alone, so the order in which they arrive does not matter.
Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.clock import Night

Numbers = NDArray[np.float64]
Column = NDArray[Any]


@dataclass(frozen=True)
class MatureNight:
    """A night whose labels are known, and what was served on it."""

    night: Night

    keys: Sequence[str]
    """Who each row is; decides which rows are kept."""

    features: Numbers
    """Rows by inputs; NaN where an input is missing."""

    labels: Numbers
    """0 or 1, or the number to predict. Rows whose label is not a number are left out."""

    champion: Numbers | None = None
    """What tonight's champion says of these rows; needed for nights it was not trained on."""

    served: Mapping[str, Numbers] = field(default_factory=dict)
    """What each member said when the night was served; empty for a night before the layer."""

    segments: Sequence[str] | None = None
    """The segment of each row, where segments are declared."""

    certified: bool = True
    """Whether the labels may be learned from; a quarantined night or a broken feed is not certified."""

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        lengths = {len(self.keys), len(self.features), len(self.labels), *map(len, self.served.values())}
        lengths |= {len(column) for column in (self.champion, self.segments) if column is not None}
        if len(lengths) != 1:
            raise ValueError(f"{self.night}: columns of different lengths, {sorted(lengths)}")

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have a finite label."""
        return np.isfinite(self.labels)


@dataclass(frozen=True)
class Sample:
    """Some rows, column by column; ``hash`` is one of the columns."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.columns["hash"])

    def __getitem__(self, name: str) -> Column:
        """Return one column."""
        return self.columns[name]

    def joined(self, other: Sample) -> Sample:
        """Put another sample's rows below these; an empty sample takes the other's columns."""
        if not len(self):
            return other
        return Sample({name: np.concatenate([mine, other[name]]) for name, mine in self.columns.items()})

    def where(self, chosen: Column) -> Sample:
        """Keep chosen rows: a mask, or places."""
        return Sample({name: column[chosen] for name, column in self.columns.items()})

    def smallest(self, most: int) -> Sample:
        """Keep the rows with the smallest hashes, in order of hash."""
        return self.where(np.argsort(self["hash"], kind="stable")[:most])

    def as_json(self) -> dict[str, Any]:
        """Write the columns as lists; what is missing becomes null."""
        return {name: written(column) for name, column in self.columns.items()}

    @classmethod
    def from_json(cls, columns: Mapping[str, Any]) -> Sample:
        """Read what ``as_json`` wrote."""
        kinds = {"hash": np.uint64, "night": np.int64, "segment": str}
        return cls({name: np.array(column, kinds.get(name, float)) for name, column in columns.items()})


NOTHING = Sample({"hash": np.empty(0, np.uint64)})


def of_night(night: MatureNight, seed: int, **columns: Column) -> Sample:
    """Return a night's labelled rows with these further columns."""
    segments = np.zeros(len(night.keys), str) if night.segments is None else np.asarray(night.segments, str)
    rows = Sample(
        {
            "hash": row_hashes(night.keys, seed),
            "features": np.where(np.isfinite(night.features), night.features, np.nan),
            "label": np.asarray(night.labels, float),
            "segment": segments,
            "night": np.full(len(night.keys), ordinal(night.night)),
            **columns,
        }
    )
    return rows.where(night.known)


def row_hashes(keys: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a number for each key that depends on nothing else."""
    start = hashlib.blake2b(str(seed).encode(), digest_size=8)
    digests = []
    for key in keys:
        one = start.copy()
        one.update(key.encode())
        digests.append(one.digest())
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def ordinal(night: Night) -> int:
    """Return the day's number, to subtract nights."""
    return date.fromisoformat(night).toordinal()


def written(column: Column) -> list[Any]:
    """Write an array as lists, what is not a number as null."""
    if column.dtype.kind != "f":
        listed: list[Any] = column.tolist()
        return listed
    known: list[Any] = [
        written(one) if isinstance(one, np.ndarray) else (float(one) if np.isfinite(one) else None)
        for one in column
    ]
    return known
