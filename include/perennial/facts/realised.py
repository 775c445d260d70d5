"""Realised loss as labels settle, beside what evaluation promised and beside the nights before.

A night is the unit of luck: its rows share weather and feeds, and neighbouring nights resemble each other, so
intervals are those of ``facts/paired.py``. What is said here is shown; the watches over labels decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from perennial.clock import Night
from perennial.facts.evidence import Json, canonical
from perennial.facts.paired import Interval, mean_per_row

ERROR = 0.05
"""One-sided error of each end of an interval: together they make a 90 % interval."""
LEAST_NIGHTS = 7
"""With fewer nights a loss is shown, and compared with nothing."""


@dataclass(frozen=True)
class NightMean:
    """The loss of the labelled rows of one night."""

    night: Night
    rows: int
    """Labelled rows."""
    loss: float
    """Sum of their losses."""


@dataclass(frozen=True)
class Mean:
    """A mean loss per row over several nights."""

    nights: int
    rows: int
    loss: float
    low: float | None
    """The 90 % interval; none for fewer than two nights, or losses that are not numbers."""
    high: float | None


@dataclass(frozen=True)
class Beside:
    """How much more was lost than somewhere else."""

    other: Mean
    excess: float
    """Mean loss minus that of the others; more than 0 is worse."""
    low: float
    """The 90 % interval."""
    high: float


@dataclass(frozen=True)
class Realised:
    """What a version's predictions cost on the last nights whose labels are known."""

    first: Night | None
    last: Night | None
    mean: Mean | None
    """None where no label is known yet."""
    promised: Beside | None
    """Beside its evaluation, on nights it had not seen; none where there was none, or too few nights."""
    usual: Beside | None
    """Beside the nights before, whoever served: a fresh reference."""
    nightly: tuple[NightMean, ...]
    reason: str
    """One full sentence with the numbers."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values; each night with its mean."""
        plain = asdict(self)
        plain["nightly"] = [[one.night, one.rows, one.loss / one.rows] for one in self.nightly]
        return {key: canonical(value) for key, value in plain.items()}


def realised(
    who: str,
    recent: Sequence[NightMean],
    promised: Sequence[NightMean] = (),
    before: Sequence[NightMean] = (),
    loss: str = "loss",
) -> Realised:
    """Put a version's last settled nights beside its evaluation and beside the nights before them.

    >>> nights = [NightMean(f"2013-05-{day:02}", 900, 400.0 + day % 3) for day in range(1, 15)]
    >>> realised("version 3", nights, promised=nights).promised.excess
    0.0
    """
    nights = tuple(one for one in recent if one.rows)
    if not nights:
        reason = f"No label of {who} is known yet, so nothing is known of what it lost."
        return Realised(None, None, None, None, None, (), reason)
    interval, mean = _mean(nights)
    beside_promise, beside_usual = (
        _beside(interval, *_mean(tuple(one for one in each if one.rows)), nights=len(nights))
        for each in (promised, before)
    )
    found = Realised(nights[0].night, nights[-1].night, mean, beside_promise, beside_usual, nights, "")
    return Realised(**{**vars(found), "reason": _reason(who, found, loss)})


def _mean(nights: Sequence[NightMean]) -> tuple[Interval | None, Mean | None]:
    rows = sum(one.rows for one in nights)
    if not rows:
        return None, None
    interval = mean_per_row([one.loss for one in nights], [one.rows for one in nights], alpha=ERROR)
    loss = sum(one.loss for one in nights) / rows
    ends = (interval.low, interval.high) if interval else (None, None)
    return interval, Mean(len(nights), rows, loss, *ends)


def _beside(
    ours: Interval | None, theirs: Interval | None, other: Mean | None, *, nights: int
) -> Beside | None:
    """Compare two sets of nights (Welch 1947); nothing where either has too few."""
    from scipy.special import stdtrit

    if ours is None or theirs is None or other is None or min(nights, other.nights) < LEAST_NIGHTS:
        return None
    parts = [one.standard_error**2 for one in (ours, theirs)]
    error = math.sqrt(sum(parts))
    shares = sum(part**2 / one.degrees for part, one in zip(parts, (ours, theirs), strict=True))
    degrees = sum(parts) ** 2 / shares if shares else 1.0
    reach = float(stdtrit(degrees, 1 - ERROR)) * error
    excess = ours.estimate - theirs.estimate
    return Beside(other, excess, excess - reach, excess + reach)


def _reason(who: str, found: Realised, loss: str) -> str:
    mean = found.mean
    if mean is None:
        return ""
    span = f"On {found.last}" if mean.nights == 1 else f"Over {mean.nights} nights to {found.last}"
    interval = "" if mean.low is None else f" (90 % interval {mean.low:.4g} to {mean.high:.4g})"
    said = f"{span} {who} lost {mean.loss:.4g} a row in {loss}{interval}, by {mean.rows} labels"
    if mean.nights < LEAST_NIGHTS:
        return f"{said}; {LEAST_NIGHTS - mean.nights} more nights are needed before that is compared with anything."
    told = [
        _compared(one, than)
        for one, than in (
            (found.promised, "than evaluation promised"),
            (found.usual, "than over the {nights} nights before"),
        )
    ]
    return f"{said}: {' and '.join(told)}."


def _compared(one: Beside | None, than: str) -> str:
    if one is None:
        return f"whether it is more {than.format(nights='')} is not assessable".replace("  ", " ")
    more = "more" if one.excess >= 0 else "less"
    ends = sorted((one.low, one.high)) if one.excess >= 0 else sorted((-one.high, -one.low))
    return f"{abs(one.excess):.3g} {more} ({ends[0]:.3g} to {ends[1]:.3g}) {than.format(nights=one.other.nights)}"
