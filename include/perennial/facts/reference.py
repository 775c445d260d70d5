"""What a night is compared with, in words: which nights, which were left out and why, and what a year ago was like.

Said in each verdict, so that nobody need trust a reference that was chosen out of sight. Where there is too little
to compare with, it says how many more nights it takes. Numpy is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from perennial.clock import Night, after, between
from perennial.facts.evidence import Json
from perennial.facts.streams import Watch

WEEK, YEAR = 7, 364
"""A year ago is the same weekday, 52 weeks before."""
LOOK_AHEAD = 200
NAMED = 3


@dataclass(frozen=True)
class Reference:
    """The nights that tonight is compared with."""

    kind: str
    """``weekday``: the same weekday of the last weeks; ``pooled``: all of the last nights; ``none``: too few nights."""
    nights: tuple[Night, ...]
    """Nights that are compared with."""
    left_out: Mapping[Night, str]
    """Nights that would have been among them, each with what stands against it."""
    year_ago: Night
    """The same weekday 52 weeks before."""
    year_ago_known: bool
    then: tuple[str, ...] = ()
    """What moved most tonight, as it was a year ago; shown, and no part of the threshold."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {**asdict(self), "said": self.sentence()}

    def sentence(self) -> str:
        """Say it in words."""
        if self.kind == "none":
            return "Compared with nothing: there are too few nights."
        weekday = f"{date.fromisoformat(self.year_ago):%A}s"
        what = weekday if self.kind == "weekday" else "nights of any weekday"
        out = [f"{night}: {why}" for night, why in self.left_out.items()]
        more = f" and {len(out) - NAMED} more" if len(out) > NAMED else ""
        left = f" (left out {', '.join(out[:NAMED])}{more})" if out else ""
        told = ", ".join(self.then) or "known, and nothing moved that it could tell of"
        year = f"A year ago: {told}" if self.year_ago_known else f"A year ago ({self.year_ago}) is not known"
        span = f"{len(self.nights)} {what} from {self.nights[0]} to {self.nights[-1]}"
        return f"Compared with {span}{left}. {year}."


def reference_of(
    watch: Watch,
    *,
    weeks: int,
    pooled_nights: int,
    set_aside: Collection[Night] = (),
    moved: Iterable[str] = (),
) -> Reference:
    """Say what the last night of a watch is compared with.

    Args:
        watch: Nights up to tonight.
        weeks: Weeks over which a night is compared with its weekday.
        pooled_nights: Nights that are pooled where a weekday was seen too rarely.
        set_aside: Nights kept out because their feed looked broken.
        moved: What moved most tonight, in the words of the reading, strangest first.
    """
    from perennial.facts.walk_forward import FEWEST_POOLED_SHARE, FEWEST_WEEKS

    tonight, there = watch.nights[-1], _there(watch)
    first = watch.nights[0]
    weekdays = [after(tonight, -WEEK * week) for week in range(weeks, 0, -1)]
    kind, asked = "weekday", [night for night in weekdays if night >= first]
    why = {night: _why(night, there, watch.holidays, set_aside) for night in asked}
    if sum(not reason for reason in why.values()) < FEWEST_WEEKS:
        kind, asked = "pooled", between(max(after(tonight, -pooled_nights), first), after(tonight, -1))
        why = {night: _why(night, there, watch.holidays, set_aside) for night in asked}
    used = tuple(night for night, reason in why.items() if not reason)
    enough = kind == "weekday" or len(used) >= FEWEST_POOLED_SHARE * pooled_nights
    year = after(tonight, -YEAR)
    return Reference(
        kind if enough else "none",
        used,
        {night: reason for night, reason in why.items() if reason},
        year,
        year in there,
        _then(watch, year, moved) if year in there else (),
    )


def _there(watch: Watch) -> set[Night]:
    import numpy as np

    known = np.flatnonzero(np.isfinite(watch.values).any(axis=1))
    return {watch.nights[place] for place in known}


def _why(night: Night, there: Collection[Night], holidays: Collection[Night], bad: Collection[Night]) -> str:
    if night in bad:
        return "its feed looked broken"
    if night not in there:
        return "nothing came"
    return "a listed holiday" if night in holidays else ""


def _then(watch: Watch, year: Night, moved: Iterable[str]) -> tuple[str, ...]:
    """Say the streams that moved most as they were a year ago."""
    row = watch.plain[watch.nights.index(year)]
    named = {one.describe(0.0, 0.0).removesuffix(" 0 -> 0"): place for place, one in enumerate(watch.streams)}
    found = []
    for words in list(moved)[:NAMED]:
        place = next((place for name, place in named.items() if words.startswith(f"{name} ")), None)
        if place is not None:
            stream, then = watch.streams[place], float(row[place])
            found.append(stream.describe(then, then).rpartition(" -> ")[0])
    return tuple(found)


def nights_needed(
    known: Collection[Night], tonight: Night, holidays: Collection[Night], windows: Any, scored_nights: int
) -> int:
    """Return after how many more nights the nightly watch can tell, if each of them comes; 0 where it can now.

    Found by letting the watch's own arithmetic run over nights that came and nights that are to come.

    Args:
        known: Nights that came and are compared with.
        tonight: The night that was judged last.
        holidays: Nights that are compared with nothing.
        windows: How far back each part of the watch looks (``walk_forward.Windows``).
        scored_nights: Earlier scored nights that a threshold needs.
    """
    import numpy as np

    from perennial.facts.walk_forward import z_scores

    first = min((*known, tonight))
    nights = between(first, after(tonight, LOOK_AHEAD))
    there = [night > tonight or night in known for night in nights]
    wave = np.random.default_rng(0).normal(size=len(nights))
    values = np.where(there, wave, np.nan)[:, None]
    ordinary = np.array([night not in holidays for night in nights])
    scored = ~np.isnan(z_scores(nights, values, np.ones_like(values), ordinary, windows)[:, 0])
    earlier = np.cumsum(scored) - scored
    can = scored & (earlier >= scored_nights)
    now = nights.index(tonight)
    later = np.flatnonzero(can[now:])
    return int(later[0]) if len(later) else LOOK_AHEAD
