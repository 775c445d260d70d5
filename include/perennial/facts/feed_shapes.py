"""Do two nights of a number differ as two units do, or as two columns that were exchanged?

Only a column with values of its own in every row can tell; where its values left the bins that were
frozen, mean and spread, which are exact, answer in their stead. Used by ``facts/feed_faults.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.facts.edges import BINS, ColumnEdges
from perennial.facts.profile import ColumnProfile

Numbers = NDArray[np.float64]

FEW_VALUES = 8
"""With fewer distinct values a night has no shape of its own to compare."""
KS_MOVED, KS_ALIKE = 0.25, 1.63
"""A moved distribution, as a share of rows; and an unmoved one, in units of its sampling error (1 %)."""
LINE_EXPLAINS, LEAST_SLOPE, LEAST_CORRELATION = 2 / 3, 0.2, 0.98
LEAST_OFFSET = 0.25
"""An offset below this share of the interquartile range is none: a unit change keeps zero at zero."""
TEMPERATURES = ((1.8, 32.0), (1 / 1.8, -32.0 / 1.8))
"""The unit changes with an offset that people make: Celsius and Fahrenheit."""
FACTORS = (10.0, 100.0, 1000.0, 60.0, 3600.0, 24.0, 1.609, 1.852, 3.6, 2.205, 3.281, 2.54, 25.4, 2.237, 33.86)
"""Factors between units that people confuse."""
NEAR = 0.1
"""How near a measured factor comes to a known one: quantiles of few hundred rows are no more exact."""
LINE_AT = (0.05, 0.25, 0.5, 0.75, 0.95)
OUT_OF_BINS = 0.5
"""With more of its values beyond the bins, a column's shape cannot be seen in them."""
SAME_CENTRE, SAME_SPREAD = 0.5, 1.5
"""Two columns are alike when their means differ by less than this many spreads, their spreads by less
than this factor."""


@dataclass(frozen=True)
class Distribution:
    """A numeric column's distribution as a broken line through its counts."""

    values: int
    at: Numbers
    below: Numbers
    """Share of the values below each point, rising from 0 to 1."""

    @classmethod
    def of(cls, column: ColumnProfile, cut: ColumnEdges) -> Distribution | None:
        """Draw it from a profile; none where nothing could be counted."""
        if not column.values or column.low is None or column.high is None or not cut.edges:
            return None
        ends = np.array([min(column.low, cut.edges[0]), *cut.edges, max(column.high, cut.edges[-1])])
        below = np.concatenate([[0.0], np.cumsum(column.counts) / column.values])
        return cls(column.values, np.clip(ends, column.low, column.high), below)

    def distance(self, other: Distribution) -> float:
        """Return the largest difference of shares (Kolmogorov and Smirnov)."""
        points = np.union1d(self.at, other.at)
        return float(np.abs(self._share_below(points) - other._share_below(points)).max())

    def quantiles(self, shares: Sequence[float]) -> Numbers:
        """Return the values below which these shares lie."""
        return np.interp(shares, self.below, self.at)

    def mapped(self, slope: float, offset: float) -> Distribution:
        """Return it with every value x replaced by offset + slope x."""
        return Distribution(self.values, offset + slope * self.at, self.below)

    def _share_below(self, points: Numbers) -> Numbers:
        # Where many values are equal the line is upright; the share right of it is the one that counts.
        last = np.append(np.diff(self.at) > 0, True)
        shares: Numbers = np.interp(points, self.at[last], self.below[last], left=0.0, right=1.0)
        return shares


@dataclass(frozen=True)
class Moved:
    """A numeric column whose distribution is not what it was."""

    now: ColumnProfile
    usual: ColumnProfile
    shape_now: Distribution
    shape_usual: Distribution

    @classmethod
    def of(cls, now: ColumnProfile, usual: ColumnProfile, cut: ColumnEdges) -> Moved | None:
        """Compare a night with ordinary ones; none where it did not move, or nothing can be compared."""
        if cut.kind != "number" or has_few_values(now):
            return None
        shapes = Distribution.of(now, cut), Distribution.of(usual, cut)
        if shapes[0] is None or shapes[1] is None or shapes[0].distance(shapes[1]) <= KS_MOVED:
            return None
        return cls(now, usual, shapes[0], shapes[1])

    def unit(self) -> tuple[float, float] | None:
        """Return factor and offset of a change of unit that explains the move, if one does."""
        beyond = (self.now.counts[0] + self.now.counts[-1]) / self.now.values
        return self._unit_by_moments() if beyond > OUT_OF_BINS else _line(self.shape_now, self.shape_usual)

    def _unit_by_moments(self) -> tuple[float, float] | None:
        if not (self.now.mean and self.usual.mean and self.now.sd and self.usual.sd):
            return None
        by_mean, by_spread = self.now.mean / self.usual.mean, self.now.sd / self.usual.sd
        near = [(abs(by_mean / known - 1), known) for known in known_factors()]
        off, factor = min(near)
        return (factor, 0.0) if off < NEAR and 1 / SAME_SPREAD < by_spread / factor < SAME_SPREAD else None

    def exchanged_with(self, other: Moved) -> bool:
        """Whether each looks like what the other used to be, and the two never looked alike."""
        if self.shape_usual.distance(other.shape_usual) <= 2 * KS_MOVED:
            return False
        if _alike(self.now, other.usual) and _alike(other.now, self.usual):
            return True
        apart = self.shape_now.distance(self.shape_usual) + other.shape_now.distance(other.shape_usual)
        crossed = self.shape_now.distance(other.shape_usual) + other.shape_now.distance(self.shape_usual)
        return crossed <= apart / 2


def has_few_values(column: ColumnProfile) -> bool:
    """Whether a night has so few distinct values that they have no shape, such as one for each airport."""
    return column.distinct is not None and len(column.distinct) < FEW_VALUES


def known_factors() -> list[float]:
    """List the factors between units that people confuse, both ways round."""
    return [factor for known in FACTORS for factor in (known, 1 / known)]


def _alike(one: ColumnProfile, other: ColumnProfile) -> bool:
    if one.mean is None or other.mean is None or not one.sd or not other.sd:
        return False
    apart = abs(one.mean - other.mean) / other.sd
    return apart < SAME_CENTRE and 1 / SAME_SPREAD < one.sd / other.sd < SAME_SPREAD


def _line(now: Distribution, before: Distribution) -> tuple[float, float] | None:
    """Return slope and offset of a unit change that explains the move, if one does."""
    x, y = before.quantiles(LINE_AT), now.quantiles(LINE_AT)
    if np.ptp(x) == 0 or np.ptp(y) == 0 or np.corrcoef(x, y)[0, 1] < LEAST_CORRELATION:
        return None
    slope, offset = (float(number) for number in np.polyfit(x, y, 1))
    lines = list(_units(slope, offset, spread=float(y[3] - y[1])))
    if not lines:
        return None
    left, slope, offset = min((now.distance(before.mapped(*line)), *line) for line in lines)
    # Converted back, the night must be an ordinary one: a world that changed is rarely that exact.
    alike = KS_ALIKE * math.sqrt(1 / now.values + 1 / before.values) + 2 / BINS
    return (slope, offset) if left <= min(alike, (1 - LINE_EXPLAINS) * now.distance(before)) else None


def _units(slope: float, offset: float, spread: float) -> Iterator[tuple[float, float]]:
    """List unit changes near a fitted line: quantiles of few hundred rows fit one to a few percent only."""
    if slope > 0 and abs(math.log(slope)) > LEAST_SLOPE and abs(offset) <= LEAST_OFFSET * spread:
        yield slope, 0.0
        yield from ((factor, 0.0) for factor in known_factors() if abs(slope / factor - 1) < NEAR)
    for factor, shift in TEMPERATURES:
        if abs(slope / factor - 1) < NEAR and abs(offset - shift) <= LEAST_OFFSET * max(spread, 1.0):
            yield factor, shift
