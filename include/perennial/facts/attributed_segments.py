"""What each segment adds to the change of predictions and of loss, so that a page can say where to look.

A segment's part of a mean is its rows' sum over all rows; the parts of a column's levels add up to the
whole. Read by ``facts/attribution.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennial.facts.attributed_rows import Index, Numbers, Pair, blocks

RESAMPLES = 400
FEWEST_NIGHTS = 5


@dataclass(frozen=True)
class SegmentShare:
    """One segment's part of a changed mean."""

    segment: str
    rows: float
    """Its part of the recent rows, 0 to 1."""
    change: float
    """What it adds to the change of the mean over all rows."""
    low: float
    high: float
    share: float | None
    """Its part of the change; none where the change as a whole may be nil."""


def segment_shares(pair: Pair, values: tuple[Numbers, Numbers], seed: int) -> tuple[SegmentShare, ...]:
    """Rank segments by what they add to the change of a mean, with bootstrap intervals (90 %) over nights."""
    draw = np.random.default_rng([seed, 7])
    ones = np.ones(len(pair.reference), bool), np.ones(len(pair.recent), bool)
    masks = [ones, *((s.reference, s.recent) for s in pair.segments)]
    past = _sums(np.array([m[0] for m in masks]) * values[0], _block(pair.reference.nights, draw), draw)
    now = _sums(np.array([m[1] for m in masks]) * values[1], _block(pair.recent.nights, draw), draw)
    apart = now - past
    low, high = np.quantile(apart[:, 1:], (0.05, 0.95), axis=1)
    certain = low[0] > 0 or high[0] < 0
    found = [
        SegmentShare(
            segment.name,
            float(segment.recent.mean()),
            float(apart[k, 0]),
            float(low[k]),
            float(high[k]),
            float(apart[k, 0] / apart[0, 0]) if certain else None,
        )
        for k, segment in enumerate(pair.segments, start=1)
    ]
    return tuple(sorted(found, key=lambda one: (-abs(one.change), one.segment)))


def _block(nights: np.typing.NDArray[np.str_], draw: np.random.Generator) -> Index:
    return blocks(nights, FEWEST_NIGHTS, draw)[0]


def _sums(values: Numbers, block: Index, draw: np.random.Generator) -> Numbers:
    """Return, segment by segment, the sum over all rows' count: as it is, then resampled."""
    count = int(block.max()) + 1
    size = np.bincount(block, minlength=count)
    sums = np.array([np.bincount(block, row, count) for row in values])
    drawn = draw.multinomial(count, np.full(count, 1 / count), RESAMPLES).T
    return np.column_stack([sums.sum(axis=1) / size.sum(), (sums @ drawn) / (size @ drawn)])
