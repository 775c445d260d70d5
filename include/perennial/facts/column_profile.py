"""What one column of a night's rows looks like, in about a kilobyte that adds up exactly.

A ``facts/profile.py`` has one for each column; ``facts/column_counts.py`` makes them from rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal

from perennial.facts import formats
from perennial.facts.categories import Categories

State = Literal["absent", "known", "retyped", "unseen"]
"""``absent``: the edges know the column, the rows lack it; ``retyped``: it came as another kind, and its
values are not counted; ``unseen``: the edges do not know it. The order is that of ``_WORST``."""

_WORST: tuple[State, ...] = ("absent", "known", "retyped", "unseen")

DISTINCT_COUNTED = 32
"""Distinct values are counted up to here; beyond, a profile says "more"."""


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one night."""

    state: State
    types: frozenset[str]
    """Arrow types it came as."""
    nulls: int
    """Rows without a value; every row where the column is absent."""
    not_finite: int = 0
    """Values that are not a number, or infinite."""
    counts: tuple[int, ...] = ()
    """On the frozen edges: under, each bin, over; or each top category, then all others."""
    distinct: frozenset[str] | None = frozenset()
    """Short hashes of the distinct values; none where there are more than are counted."""
    low: float | None = None
    """Least finite value."""
    high: float | None = None
    """Greatest finite value."""
    total: Fraction = Fraction(0)
    """Sum of the finite values, exact."""
    squares: Fraction = Fraction(0)
    """Sum of their squares, exact."""
    type_rows: Mapping[str, int] | None = None
    """Rows by Arrow type; none in a profile of the first version, and in what it was merged into."""
    formats: Mapping[str, int] | None = None
    """Values by what they look like (``facts/formats.py``); none as above."""
    categories: Categories | None = None
    """Heavy hitters and the number of different categories; none as above, and for numbers."""

    @property
    def values(self) -> int:
        """Count the values that the edges could place."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Return the mean of the finite numbers."""
        return float(self.total / self.values) if self.values and self.low is not None else None

    @property
    def sd(self) -> float | None:
        """Return the standard deviation of the finite numbers."""
        if not self.values or self.low is None:
            return None
        mean = self.total / self.values
        return math.sqrt(max(self.squares / self.values - mean * mean, Fraction(0)))

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        """Return the column over the rows of both."""
        both = self.distinct | other.distinct if None not in (self.distinct, other.distinct) else None  # type: ignore[operator]
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return ColumnProfile(
            state=max(self.state, other.state, key=_WORST.index),
            types=self.types | other.types,
            nulls=self.nulls + other.nulls,
            not_finite=self.not_finite + other.not_finite,
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            distinct=both if both is not None and len(both) <= DISTINCT_COUNTED else None,
            low=min(lows, default=None),
            high=max(highs, default=None),
            total=self.total + other.total,
            squares=self.squares + other.squares,
            type_rows=formats.added(self.type_rows, other.type_rows),
            formats=formats.added(self.formats, other.formats),
            categories=_together(self.categories, other.categories),
        )

    def as_json(self) -> dict[str, object]:
        """Write plain values; sums as fractions, so that they stay exact."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        distinct = None if self.distinct is None else sorted(self.distinct)
        return plain | {
            "types": sorted(self.types),
            "counts": list(self.counts),
            "distinct": distinct,
            "total": str(self.total),
            "squares": str(self.squares),
            "categories": self.categories.as_json() if self.categories else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> ColumnProfile:
        """Read what ``as_json`` wrote, now or in the first version."""
        distinct, categories = kept["distinct"], kept.get("categories")
        return cls(
            **{
                **kept,
                "types": frozenset(kept["types"]),
                "counts": tuple(kept["counts"]),
                "distinct": None if distinct is None else frozenset(distinct),
                "total": Fraction(kept["total"]),
                "squares": Fraction(kept["squares"]),
                "categories": Categories.from_json(categories) if categories else None,
            }
        )


def _together(one: Categories | None, other: Categories | None) -> Categories | None:
    return one + other if one is not None and other is not None else None
