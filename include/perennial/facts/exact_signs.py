"""Signs of a broken feed that only exact sums show: what stands still, and what came in another unit.

Profiles hold exact sums, so two nights of ordinary rows are never equal by chance, and mean and spread tell a
factor where frozen bins have become too coarse. Asked beside ``facts/feed_faults.py``, which compares shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from perennial.clock import Night
from perennial.facts.edges import Edges
from perennial.facts.feed_faults import FEWEST_VALUES, SHARE_OF_NIGHTS, Fault
from perennial.facts.feed_shapes import known_factors
from perennial.facts.profile import ColumnProfile, Profile, merge

FEWEST_NIGHTS = 7
"""A column that keeps one value for fewer nights may do so by chance."""
BY_CHANCE = 0.001
"""A run of one value is no fault when ordinary nights would show it more often than this."""
LARGE, NEAR_LARGE, AGREES = 10, 0.8, 0.5
"""From here on a factor is taken for a unit when the spread is as near in logs, and the mean, brought back, within so
many spreads: a world that moves tenfold is rare."""
NEAR = 0.06
"""How near a smaller factor's mean and spread must both come to a known one: a world does move by half."""
LEAST, SUSPECT = 0.4, 0.25
"""In logs: a factor of half as much is the least suspected, and mean and spread lie so near to it."""
FAR, FAR_NIGHTS = 10.0, 2
"""Values so many usual ranges beyond the range, on so many nights, are a fault however few rows have one."""
NEARLY, MOSTLY = 0.85, 0.75
"""Share of nights that must lie beyond so many of the ordinary ones, for a fault and for a suspicion."""

Columns = Sequence[ColumnProfile]


def find_exact_signs(
    edges: Edges, reference: Mapping[Night, Profile], recent: Mapping[Night, Profile]
) -> list[Fault]:
    """List numeric columns that stood still, or came in another unit, on the recent nights.

    Args:
        edges: The cuts all profiles were counted on.
        reference: Ordinary nights, with the one before the recent nights among them.
        recent: The nights the finding is about.
    """
    return [
        fault
        for name, cut in edges.columns.items()
        if cut.kind == "number"
        for fault in _signs(name, list(_column(name, reference).values()), _column(name, recent))
    ]


def nearly_a_unit(edges: Edges, reference: Mapping[Night, Profile], recent: Mapping[Night, Profile]) -> str:
    """Name a column whose mean and spread both grew by nearly one known factor: too little for a fault, too much to learn.

    Empty where there is none.
    """
    for name, cut in edges.columns.items():
        usual, now = (list(_column(name, nights).values()) for nights in (reference, recent))
        if cut.kind != "number" or not usual or not now:
            continue
        before, after = _moments(usual), _moments(now)
        if not (before.mean and before.sd and after.sd) or after.mean / before.mean <= 0:
            continue
        known = _nearest(
            after.mean / before.mean, [one for one in known_factors() if abs(math.log(one)) > LEAST]
        )
        apart = (math.log(after.mean / before.mean / known), math.log(after.sd / before.sd / known))
        if max(abs(one) for one in apart) < SUSPECT and _mostly_beyond(usual, now):
            return name
    return ""


def _column(name: str, nights: Mapping[Night, Profile]) -> dict[Night, ColumnProfile]:
    found = {key: nights[key].columns.get(name) for key in sorted(nights)}
    return {
        key: column for key, column in found.items() if column is not None and column.values >= FEWEST_VALUES
    }


def _signs(name: str, usual: Columns, recent: Mapping[Night, ColumnProfile]) -> Iterator[Fault]:
    if not usual or not recent:
        return
    nights, now = tuple(recent), list(recent.values())
    if still := _still(usual, recent):
        said = f"{name} stands still: it has the values of the night before"
        yield Fault("stale", name, said, still, len(now))
    elif len(now) >= FEWEST_NIGHTS and _chance_of_run(usual, now) < BY_CHANCE:
        said = f"{name} has kept one value for {len(now)} nights, which ordinary nights do not"
        yield Fault("constant", name, said, nights, len(now))
    elif len(far := _far(usual, recent)) >= FAR_NIGHTS:
        said = f"{name} has values more than {FAR:g} times its usual range away from it"
        yield Fault("out_of_range", name, said, far, len(now))
    elif factor := _factor(usual, now):
        said = f"mean and spread of {name} look as if multiplied by {factor:.4g}"
        yield Fault("unit", name, said, nights, len(now))


def _same(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether two nights hold the same values; of few values, such as one an airport, how often does not count."""
    if one.distinct is not None or other.distinct is not None:
        return one.distinct == other.distinct and len(one.distinct or ()) > 1
    return (one.counts, one.total, one.squares) == (other.counts, other.total, other.squares)


def _still(usual: Columns, recent: Mapping[Night, ColumnProfile]) -> tuple[Night, ...]:
    """Return the nights that repeat the one before, if half do and ordinary nights never did."""
    now = [usual[-1], *recent.values()]
    for repeats in (_same, _contained) if len(recent) >= FEWEST_NIGHTS else (_same,):
        still = tuple(night for night, pair in zip(recent, pairwise(now), strict=True) if repeats(*pair))
        if len(still) >= SHARE_OF_NIGHTS * len(recent) and not any(
            repeats(*pair) for pair in pairwise(usual)
        ):
            return still
    return ()


def _contained(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether one night has, in every bin, no fewer values than the other: the same ones, of more or fewer rows."""
    if one.distinct is not None or other.distinct is not None:
        return False
    apart = [a - b for a, b in zip(one.counts, other.counts, strict=True)]
    return min(apart) >= 0 or max(apart) <= 0


def _chance_of_run(usual: Columns, now: Columns) -> float:
    """Return how likely ordinary nights all have the one value that all nights have now; 1 where they do not."""
    values = {night.distinct for night in now}
    if len(values) > 1 or len(now[0].distinct or ()) != 1:
        return 1.0
    share = sum(night.distinct == now[0].distinct for night in usual) / len(usual)
    return float(share ** len(now))


def _far(usual: Columns, recent: Mapping[Night, ColumnProfile]) -> tuple[Night, ...]:
    """Return the nights with values far beyond, as of a quantity that is mostly none, such as rain, in another unit."""
    low = min((one.low for one in usual if one.low is not None), default=0.0)
    high = max((one.high for one in usual if one.high is not None), default=0.0)
    reach = FAR * (high - low)
    return tuple(
        night
        for night, one in recent.items()
        if reach and one.low is not None and one.high is not None
        if one.low < low - reach or one.high > high + reach
    )


def _factor(usual: Columns, now: Columns) -> float | None:
    """Return the known factor by which mean and spread grew, if nearly every night lies beyond the ordinary ones."""
    before, after = _moments(usual), _moments(now)
    if not (before.mean and before.sd and after.sd):
        return None
    spread = after.sd / before.sd
    large = _nearest(spread, [known for known in known_factors() if not 1 / LARGE < known < LARGE])
    # A quantity about zero shows a large factor in its spread only, and its mean must agree.
    if (
        abs(math.log(spread / large)) < NEAR_LARGE
        and abs(after.mean / large - before.mean) < AGREES * before.sd
    ):
        return large if _spreads_beyond(usual, now) or _means_beyond(usual, now) else None
    factor = after.mean / before.mean
    small = _nearest(factor, known_factors())
    if abs(factor / small - 1) > NEAR or abs(math.log(spread / small)) > NEAR:
        return None
    return small if _means_beyond(usual, now) else None


def _nearest(factor: float, known: Sequence[float]) -> float:
    return min(known, key=lambda one: abs(math.log(one) - math.log(factor)) if factor > 0 else one)


class _Moments(NamedTuple):
    mean: float
    sd: float


def _moments(nights: Columns) -> _Moments:
    parts = [Profile(night.values + night.nulls, "", {"": night}) for night in nights]
    pooled = merge(*parts).columns[""]
    return _Moments(pooled.mean or 0.0, pooled.sd or 0.0)


def _mostly_beyond(usual: Columns, now: Columns) -> bool:
    """Whether three nights in four lie above, or below, three in four of the ordinary ones."""
    means = sorted(one.mean or 0.0 for one in usual)
    low, high = (means[int(share * (len(means) - 1))] for share in (1 - MOSTLY, MOSTLY))
    sides = [sum((one.mean or 0.0) < low for one in now), sum((one.mean or 0.0) > high for one in now)]
    return max(sides) >= MOSTLY * len(now)


def _means_beyond(usual: Columns, now: Columns) -> bool:
    return _beyond([one.mean or 0.0 for one in usual], [one.mean or 0.0 for one in now])


def _spreads_beyond(usual: Columns, now: Columns) -> bool:
    """Of a column with one value a night, such as a share of yesterday's, only means say anything."""
    return _beyond([one.sd or 0.0 for one in usual], [one.sd or 0.0 for one in now])


def _beyond(usual: Sequence[float], now: Sequence[float]) -> bool:
    """Whether nearly all nights lie above, or nearly all below, nearly all ordinary ones; few nights all of all."""
    few = len(now) < FEWEST_NIGHTS
    nearly = 1.0 if few else NEARLY
    low, high = (sorted(usual)[int(share * (len(usual) - 1))] for share in (1 - nearly, nearly))
    least = len(now) if few else NEARLY * len(now) - 1
    return sum(one < low for one in now) >= least or sum(one > high for one in now) >= least
