"""Which columns have values that ordinary nights do not have, and is that so in one segment alone?

A column's distance to the reference is compared with that of every stretch of the reference to the rest of
it: seasons and weekdays move values as well. Attribution (``facts/attribution.py``) asks this of all columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from perennial.facts.attributed_rows import Column, Index, Mask, Numbers, Pair, Segment, stretches

BINS = 12
SPIKE = 0.5
"""A single value on so many rows may be a feed that stands still."""
FAR = 0.5
"""Values beyond the reference's range by this part of it are in no ordinary stretch: a night of weather may share
no value with any other night, and still lies among them."""
LOCAL = 3.0
"""A change is a segment's own when it is so many times as large there as elsewhere, ..."""
LOCAL_LEAST = 0.1
"""... at least so large, for with many segments one or other is always a little odd, ..."""
LOCAL_PART = 0.5
"""... and such a part of the whole change: a category that is lost everywhere is missed most where it was frequent."""
PLAIN_PART, PLAIN_LEAST, PLAIN_APART = 0.5, 0.06, 0.3
"""Values at twice their usual distance and further off by the second, or by the third alone, are plainly wrong."""


@dataclass(frozen=True)
class Unusual:
    """How far the values of a column moved, and how far they move by themselves."""

    column: str
    place: Segment | None
    """Where; none for everywhere."""
    distance: float
    """Total variation between reference and recent values, less what sampling makes; or the share of rows
    with the most frequent value, or with one far out of range, where that is the more telling."""
    usual: float
    """The most that a stretch of the reference as long as the recent nights shows."""

    @property
    def excess(self) -> float:
        """The part of the distance that no ordinary stretch shows, 0 to 1."""
        return max(1 - self.usual / self.distance, 0.0) if self.distance > 0 else 0.0

    @property
    def is_plain(self) -> bool:
        """Whether the values are so far off that a fault is plainer than a changed world."""
        apart = self.distance - self.usual
        return apart > PLAIN_APART or (apart > PLAIN_LEAST and self.excess > PLAIN_PART)


@dataclass(frozen=True)
class Counted:
    """Rows by group, reference night and bin, and recent rows by group and bin."""

    reference: Numbers
    recent: Numbers
    long: int
    """Nights of a stretch; 0 where the reference is too short for one."""

    def apart(self) -> tuple[Numbers, Numbers]:
        """Return for each group the distance of the recent rows, and the most of the stretches."""
        whole = self.reference.sum(axis=1)
        now = _apart(whole, self.recent)
        if not self.long:
            return now, np.zeros_like(now)
        summed = stretches(self.reference, self.long)
        return now, _apart(whole[:, None] - summed, summed).max(axis=1)

    def spikes(self) -> tuple[Numbers, Numbers]:
        """Return for each group the share of the most frequent value now, and the most of the stretches."""
        now = self.recent.max(axis=1) / np.maximum(self.recent.sum(axis=1), 1)
        summed = stretches(self.reference, max(self.long, 1))
        usual = summed.max(axis=2) / np.maximum(summed.sum(axis=2), 1)
        return now, usual.max(axis=1)


def unusual_values(pair: Pair) -> Iterator[Unusual]:
    """Measure every column, in the place where it changed."""
    nights, night = np.unique(pair.reference.nights, return_inverse=True)
    long = min(len(np.unique(pair.recent.nights)), len(nights) // 2)
    for column in pair.columns:
        segments = [one for one in pair.segments if one.column != column.name]
        yield _measured(column, segments, night.astype(np.int64), long)


def _measured(column: Column, segments: list[Segment], night: Index, long: int) -> Unusual:
    """Take the whole, or the one segment outside of which nothing unusual is seen."""
    distance, usual = _counts(column.binned(BINS), segments, night, long).apart()
    groups = _groups(column, segments)
    telling = _standing(column, groups, night, long).items(), _far_out(column, groups).items()
    for group, (now, past) in chain(*telling):
        if now - past > distance[group] - usual[group]:
            distance[group], usual[group] = now, past
    excess = distance - usual
    inside, outside = excess[1 : len(segments) + 1], excess[len(segments) + 1 :]
    part = np.array([one.recent.mean() for one in segments])
    own = (inside > LOCAL_LEAST) & (inside > LOCAL * outside) & (inside > excess[0])
    own &= part * inside >= LOCAL_PART * excess[0]
    if not own.any():
        return Unusual(column.name, None, float(distance[0]), float(usual[0]))
    best = int(np.argmax(np.where(own, inside - np.maximum(outside, 0), -np.inf)))
    return Unusual(column.name, segments[best], float(distance[best + 1]), float(usual[best + 1]))


def _counts(bins: tuple[Index, Index], segments: list[Segment], night: Index, long: int) -> Counted:
    """Count everywhere, in each segment, and outside of each."""
    size, nights = int(max(bins[0].max(), bins[1].max())) + 1, int(night.max()) + 1
    cell = night * size + bins[0]
    past = [np.bincount(cell, minlength=nights * size)]
    past += [np.bincount(cell[one.reference], minlength=nights * size) for one in segments]
    now = [np.bincount(bins[1], minlength=size)]
    now += [np.bincount(bins[1][one.recent], minlength=size) for one in segments]
    reference = np.array(past, dtype=float).reshape(len(past), nights, size)
    recent = np.array(now, dtype=float)
    return Counted(
        np.concatenate([reference, reference[:1] - reference[1:]]),
        np.concatenate([recent, recent[:1] - recent[1:]]),
        long,
    )


def _groups(column: Column, segments: list[Segment]) -> list[tuple[Mask, Mask]]:
    """List the rows of either side: everywhere, in each segment, and outside of each."""
    everywhere = np.ones(len(column.reference), bool), np.ones(len(column.recent), bool)
    inside = [(one.reference, one.recent) for one in segments]
    return [everywhere, *inside, *((~past, ~now) for past, now in inside)]


def _standing(
    column: Column, groups: list[tuple[Mask, Mask]], night: Index, long: int
) -> dict[int, tuple[float, float]]:
    """Return, for the groups in which one value stands on most rows, its share and the usual one."""
    codes = np.unique(np.concatenate(column.sides), return_inverse=True)[1].astype(np.int64)
    past, now = codes[: len(column.reference)], codes[len(column.reference) :]
    found: dict[int, tuple[float, float]] = {}
    for group, (there, here) in enumerate(groups):
        if not here.any() or np.bincount(now[here]).max() < SPIKE * here.sum():
            continue
        recent, usual = _counts((past[there], now[here]), [], night[there], long).spikes()
        found[group] = float(recent[0]), float(usual[0])
    return found


def _far_out(column: Column, groups: list[tuple[Mask, Mask]]) -> dict[int, tuple[float, float]]:
    """Return, for each group, the share of values far out of the reference's range; usual is none."""
    known = column.reference[~np.isnan(column.reference)]
    if not column.is_number or not len(known):
        return {}
    reach = FAR * (known.max() - known.min())
    far = (column.recent < known.min() - reach) | (column.recent > known.max() + reach)
    return {k: (float(far[now].mean()), 0.0) for k, (_, now) in enumerate(groups)} if far.any() else {}


def _apart(past: Numbers, now: Numbers) -> Numbers:
    """Return total variations between counts (last axis), less what equal distributions would show."""
    rows, recent = (np.maximum(side.sum(axis=-1, keepdims=True), 1) for side in (past, now))
    both = (past + now) / (rows + recent)
    by_chance = 0.5 * np.sqrt(2 / np.pi * both * (1 - both) * (1 / rows + 1 / recent)).sum(axis=-1)
    found = 0.5 * np.abs(past / rows - now / recent).sum(axis=-1) - by_chance
    return np.asarray(np.maximum(found, 0.0), dtype=np.float64)
