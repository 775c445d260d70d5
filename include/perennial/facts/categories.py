"""The heavy categories of a column and how many different ones it has, in a few kilobytes that add up.

Part of a column's profile (``facts/column_profile.py``); what the frozen edges name is counted there, this is
for the categories that nobody named: new ones, and columns with more than fit on a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

LISTED = 64
"""A part lists all its categories while there are so many at most, else those with more than a 64th of its rows."""
SMALLEST = 128
"""Hashes kept for the number of different categories: exact below, to about 9 % beyond."""
_HASH_BYTES = 6
_HASHED_AT_ONCE = 20_000


def hash_of(name: str) -> str:
    """Hash a value: a profile is kept for years, and a value may be about a person."""
    return hashlib.blake2b(name.encode(), digest_size=_HASH_BYTES).hexdigest()


@dataclass(frozen=True)
class Categories:
    """Heavy hitters with their bounds, and the smallest hashes of all categories.

    Adding is exact, whatever the order and the grouping: counts and bounds are sums, the smallest hashes of
    two sets are those of their union (Bar-Yossef et al. 2002, "counting distinct elements in a data stream").

    >>> import pyarrow as pa
    >>> one = Categories.of(pa.array(["UA", "AA"]), np.array([3, 1]))
    >>> two = Categories.of(pa.array(["UA", "DL"]), np.array([2, 2]))
    >>> (one + two).rows_of("UA"), (one + two).different
    ((5, 5), 3.0)
    """

    listed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Hash of a category: its rows where it was listed, and the slack of those parts."""
    slack: int = 0
    """Most rows that a category can have had in all parts where it was not listed, if it was listed in none."""
    smallest: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: pa.Array, counts: NDArray[np.int64]) -> Categories:
        """Take stock of one part: categories without repetition, and the rows of each."""
        slack = 0 if len(names) <= LISTED else int(counts.sum()) // LISTED
        heavy = np.flatnonzero(counts > slack)
        listed = {hash_of(names[int(i)].as_py()): (int(counts[i]), slack) for i in heavy}
        return cls(listed, slack, _smallest(names))

    def __add__(self, other: Categories) -> Categories:
        """Return the categories of both parts together."""
        both = {
            key: _added(self.listed.get(key, (0, 0)), other.listed.get(key, (0, 0)))
            for key in self.listed.keys() | other.listed.keys()
        }
        smallest = sorted({*self.smallest, *other.smallest})[:SMALLEST]
        return Categories(both, self.slack + other.slack, tuple(smallest))

    def rows_of(self, name: str) -> tuple[int, int]:
        """Return the least and the most rows a category can have; equal where it was listed in every part.

        They differ by a 64th of all rows at most, and a category with more rows than that is always listed.
        """
        count, covered = self.listed.get(hash_of(name), (0, 0))
        return count, count + self.slack - covered

    @property
    def different(self) -> float:
        """Return how many different categories there are: exact below 128, else with a standard error of 9 %."""
        if len(self.smallest) < SMALLEST:
            return float(len(self.smallest))
        return (SMALLEST - 1) * float(2 ** (8 * _HASH_BYTES)) / (int(self.smallest[-1], 16) + 1)

    def as_json(self) -> dict[str, object]:
        """Write plain values."""
        listed = {key: list(self.listed[key]) for key in sorted(self.listed)}
        return {"listed": listed, "slack": self.slack, "smallest": "".join(self.smallest)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Categories:
        """Read what ``as_json`` wrote."""
        text, width = kept["smallest"], 2 * _HASH_BYTES
        listed = {key: (count, covered) for key, (count, covered) in kept["listed"].items()}
        return cls(listed, kept["slack"], tuple(text[i : i + width] for i in range(0, len(text), width)))


def _added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _smallest(names: pa.Array) -> tuple[str, ...]:
    # By slices, or a million names would all be Python texts at once.
    kept: set[str] = set()
    for start in range(0, len(names), _HASHED_AT_ONCE):
        kept |= {hash_of(name) for name in names.slice(start, _HASHED_AT_ONCE).to_pylist()}
        kept = set(sorted(kept)[:SMALLEST])
    return tuple(sorted(kept))
