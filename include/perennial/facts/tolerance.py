"""Which of tonight's moves matter to nobody: a column the model ignores, a harmless direction, a tolerated change.

Asked on a night that crossed its threshold, never before: what is set aside here is left out of a second reading
(``policies/severity.py``), so that it can only spare a page and never make one. Numpy is imported where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from perennial.facts.streams import Stream, Watch

if TYPE_CHECKING:
    from perennial.facts.streams import Numbers

Why = Literal["ignored", "harmless", "tolerated"]
"""``ignored``: the model's predictions hardly depend on the column; ``harmless``: it moved in a direction that was
declared harmless; ``tolerated``: it moved by no more than was declared."""
SAME_WEEKDAYS, USUAL_NIGHTS, WEEK = 8, 28, 7
SHARES = ("share", "missing")
IGNORABLE = ("location", "spread", "share")
"""A missing share is never ignored: it speaks of the delivery, and the next training would learn from it."""


@dataclass(frozen=True)
class Tolerated:
    """What a person declared of a column's moves."""

    worse_when: Literal["up", "down", "both"] = "both"
    level: float = 0.0
    """Change of the mean, in the column's own units."""
    share: float = 0.0
    """Change of a category's share, or of the share of missing values."""


def set_aside(
    watch: Watch, nights: int, tolerated: Mapping[str, Tolerated], ignored: Collection[str] = ()
) -> dict[int, Why]:
    """Return the places of the streams whose move tonight matters to nobody, and why.

    Args:
        watch: Streams up to tonight.
        nights: Nights that are looked at together: 1, or those of a lasting move.
        tolerated: What was declared, by column.
        ignored: Columns that the model's predictions hardly depend on.
    """
    before, now = moves(watch, nights)
    by = {(one.column, one.aspect): float(now[i] - before[i]) for i, one in enumerate(watch.streams)}
    found: dict[int, Why] = {}
    for place, stream in enumerate(watch.streams):
        if stream.group != "inputs" or not stream.column:
            continue
        change = float(now[place] - before[place])
        level = by.get((stream.column, "location"), math.nan)
        why = _why(stream, change, level, tolerated.get(stream.column))
        if why is None and stream.column in ignored and stream.aspect in IGNORABLE:
            why = "ignored"
        if why is not None:
            found[place] = why
    return found


def _why(stream: Stream, change: float, level: float, declared: Tolerated | None) -> Why | None:
    if declared is None or math.isnan(change) or stream.aspect == "association":
        return None  # nobody can say how far it moved, or nothing was declared of it
    if stream.aspect in SHARES:
        return "tolerated" if 0 < abs(change) <= declared.share else None
    # On the scale that is judged a column that moves draws together as well: its spread goes with its level.
    if stream.aspect == "spread" and not abs(change) <= abs(level):
        return None
    if declared.level and abs(level) <= declared.level:
        return "tolerated"
    return "harmless" if declared.worse_when == ("down" if level > 0 else "up") else None


def moves(watch: Watch, nights: int) -> tuple[Numbers, Numbers]:
    """Return each stream in plain numbers: what is usual, and what it is in the nights that are looked at.

    Usual is the median of the last eight ordinary nights of the weekday; for several nights together, of the 28
    ordinary nights before them.
    """
    from perennial.facts.walk_forward import median_of_known

    before = watch.nights[:-nights]
    ordinary = [place for place, night in enumerate(before) if night not in watch.holidays]
    weekday = [place for place in ordinary if nights == 1 and (len(before) - place) % WEEK == 0]
    usual = weekday[-SAME_WEEKDAYS:] or ordinary[-USUAL_NIGHTS:]
    return median_of_known(watch.plain[usual]), median_of_known(watch.plain[-nights:])


def narrowed(watch: Watch, places: Sequence[int], rate: float | None = None) -> Watch:
    """Return the watch of these streams alone, with another share of nights to cross if one is given."""
    keep = list(places)
    return replace(
        watch,
        streams=tuple(watch.streams[place] for place in keep),
        values=watch.values[:, keep],
        sampling_sd=watch.sampling_sd[:, keep],
        plain=watch.plain[:, keep],
        page_rate=watch.page_rate if rate is None else rate,
    )
