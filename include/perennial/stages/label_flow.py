"""Label coverage and delay watched themselves: labels that stay away or come late hide what a model loses.

Reads a few numbers a settled night. The arm ``labels`` has a budget of its own; only falls of coverage and rises of
delay count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from perennial.clock import Night, after, between
from perennial.detectors.night_shift import NightShift
from perennial.facts.night_loss import NightLoss
from perennial.facts.performance import LabelFlow
from perennial.facts.reading import Reading
from perennial.facts.streams import LONGEST_WATCH, Stream, Watch
from perennial.policies.paging import PageBudget

ARM = "labels"
BUDGET = PageBudget(false_pages=1, per_nights=365)
"""How often the watch over labels may be wrong: an arm beside others, so it gets a smaller budget."""
COVERAGE, DELAY = Stream("outcomes that came", "share"), Stream("nights until outcomes", "location")
ADDED = 3 / 8
"""Added to counts before the arcsine of a share (Anscombe 1948), as the nightly watch does."""
LEAST_DELAY = 1 / 24
"""Nights: an outcome that comes less than an hour later is never strange."""
USUAL_NIGHTS = 56


def label_flow(losses: Sequence[NightLoss], night: Night, last: Night) -> LabelFlow:
    """Say how labels come, up to night ``last``, the newest that is settled for good on ``night``."""
    final = [one for one in losses if one.matured and one.night <= last]
    if not final:
        why = "No night is settled for good yet, so there is nothing to compare."
        nothing = Reading(night, ARM, "learning", why)
        return LabelFlow(None, 0, 0, 0, None, None, None, None, nothing)
    newest, usual = final[-1], final[-1 - USUAL_NIGHTS : -1]
    rows = sum(one.whole.rows for one in usual)
    delays = [one.delay for one in usual if math.isfinite(one.delay)]
    return LabelFlow(
        newest.night,
        newest.whole.rows,
        newest.delivered,
        newest.whole.labelled,
        newest.delivered / newest.whole.rows if newest.whole.rows else None,
        sum(one.delivered for one in usual) / rows if rows else None,
        newest.delay if math.isfinite(newest.delay) else None,
        median(delays) if delays else None,
        label_reading(final, night, BUDGET.rate),
    )


def label_reading(final: Sequence[NightLoss], night: Night, rate: float) -> Reading:
    """Read coverage and delay of the last of these nights among their own past, as the nightly watch reads inputs.

    At most ``rate`` of ordinary nights cross, both ways together; what gets better crosses nothing.
    """
    read = NightShift().read(_watch(final, rate))
    worse = any(
        abs(moved.z) >= (read.threshold or math.inf) and (moved.z < 0) == (moved.column == COVERAGE.column)
        for moved in read.columns
    )
    state = "quiet" if read.state == "over" and not worse else read.state
    return replace(read, night=night, arm=ARM, state=state)


def _watch(final: Sequence[NightLoss], rate: float) -> Watch:
    """Lay coverage and delay out, a night a line."""
    import numpy as np

    nights = between(max(final[0].night, after(final[-1].night, 1 - LONGEST_WATCH)), final[-1].night)
    line = {night: place for place, night in enumerate(nights)}
    grids = np.full((3, len(nights), 2), np.nan)
    for one in final:
        if one.whole.rows and one.night in line:
            grids[:, line[one.night]] = _measured(one)
    return Watch(tuple(nights), (COVERAGE, DELAY), grids[0], grids[1], grids[2], rate)


def _measured(one: NightLoss) -> tuple[tuple[float, float], ...]:
    """Return coverage and delay as they are judged, what chance does to them, and as people say them."""
    rows = one.whole.rows
    angle = math.asin(math.sqrt((one.delivered + ADDED) / (rows + 2 * ADDED)))
    spread = one.delay_sd / math.sqrt(one.delivered) if one.delivered else math.nan
    return (
        (angle, one.delay),
        (0.5 / math.sqrt(rows), max(spread, LEAST_DELAY)),
        (one.delivered / rows, one.delay),
    )
