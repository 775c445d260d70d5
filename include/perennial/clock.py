"""Nights and instants: the only module that asks the time of day.

A night is one data interval, named by its local date (``2013-05-12``). Everything the project
decides is judged in night time; the wall clock is only written down beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from perennial.errors import NotAMomentError, NotANightError

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


def moment(text: str, timezone: str) -> tuple[Night, datetime | None]:
    """Return the night that a moment lies in and, where a time of day is given, the instant in UTC.

    >>> moment("2013-05-12", "America/New_York")
    ('2013-05-12', None)
    >>> moment("2013-05-13T03:30Z", "America/New_York")[0]
    '2013-05-12'
    """
    if _NIGHT.fullmatch(text):
        return night(text), None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as mistake:
        raise NotAMomentError(text) from mistake
    local = given.replace(tzinfo=ZoneInfo(timezone)) if given.tzinfo is None else given
    return local.astimezone(ZoneInfo(timezone)).date().isoformat(), local.astimezone(UTC)


def wall_clock() -> datetime:
    """Ask the time of day, in UTC: for ``recorded_at``, never for a decision."""
    return datetime.now(UTC)  # noqa: TID251  the one place that asks
