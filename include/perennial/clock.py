"""Nights and instants: the only module that asks the time of day.

A night is one data interval, named by its local date (``2013-05-12``). Everything the project
decides is judged in night time; the wall clock is only written down beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from perennial.errors import NotANightError

_NIGHT = re.compile(r"\d{4}-\d{2}-\d{2}")

Night = str
"""The key of a night, ``YYYY-MM-DD``; nights sort as text."""


def night(text: str) -> Night:
    """Return ``text`` if it names a night, or say what a night looks like.

    >>> night("2013-05-12")
    '2013-05-12'
    """
    if _NIGHT.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass
    raise NotANightError(text)


def after(key: Night, days: int = 1) -> Night:
    """Return the night ``days`` later (earlier when negative).

    >>> after("2013-02-28"), after("2013-03-01", -1)
    ('2013-03-01', '2013-02-28')
    """
    return (date.fromisoformat(key) + timedelta(days=days)).isoformat()


def between(first: Night, last: Night) -> list[Night]:
    """List the nights from ``first`` to ``last``, both included.

    >>> between("2013-12-30", "2014-01-01")
    ['2013-12-30', '2013-12-31', '2014-01-01']
    """
    start = date.fromisoformat(first)
    span = (date.fromisoformat(last) - start).days
    return [(start + timedelta(days=i)).isoformat() for i in range(span + 1)]


def nights_apart(earlier: Night, later: Night) -> int:
    """Count the nights from ``earlier`` to ``later``; negative when the order is the other way.

    >>> nights_apart("2013-05-12", "2013-05-14")
    2
    """
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def start_of(key: Night, timezone: str) -> datetime:
    """Return the instant, in UTC, at which the night's local day begins."""
    local = datetime.fromisoformat(key).replace(tzinfo=ZoneInfo(timezone))
    return local.astimezone(UTC)


def end_of(key: Night, timezone: str) -> datetime:
    """Return the instant, in UTC, at which the night's local day ends (half-open)."""
    return start_of(after(key), timezone)


def wall_clock() -> datetime:
    """Ask the time of day, in UTC: for ``recorded_at``, never for a decision."""
    return datetime.now(UTC)  # noqa: TID251  the one place that asks
