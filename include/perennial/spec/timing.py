"""Will a model's nights ever come? Schedules, time zones, and the times of rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from perennial.errors import Problem
from perennial.spec.draft import Draft, meant, shown
from perennial.spec.reading_yaml import KeyPath

_FIELDS_OF_CRON = 5


def timing_problems(draft: Draft) -> Iterator[Problem]:
    """Find schedules that never fire, unknown time zones, and sources without a time."""
    yield from _schedule(draft)
    yield from _timezone(draft)
    for source in draft.mapping("sources"):
        yield from _times(draft, ("sources", source))
    rows = draft.rows
    if rows and draft.document.at(("sources", rows, "static")) is True:
        message = f"the rows of {rows} are scored, so it cannot be static: a static table has no nights."
        fix = "Take `static` out, or name another source under `rows`."
        yield draft.problem(("sources", rows, "static"), message, fix, code="PER-1053")


def _schedule(draft: Draft) -> Iterator[Problem]:
    cron = draft.text("schedule")
    if cron is None:
        return
    wrong = cron_mistake(cron)
    if wrong:
        fix = "Write minute, hour, day, month and weekday, for example `0 2 * * *` for two in the morning."
        yield draft.problem(("schedule",), f"{shown(cron)} {wrong}.", fix, code="PER-1047")


def cron_mistake(cron: str) -> str:
    """Say what is wrong with a cron expression as a night's schedule; empty when nothing is.

    >>> cron_mistake("0 2 * * *"), cron_mistake("0 2 31 2 *"), cron_mistake("*/5 * * * *")
    ('', 'never fires', 'fires more than once a day, but a night is worked on once')
    """
    from croniter import CroniterBadDateError, CroniterError, croniter  # type: ignore[import-untyped]

    count = len(cron.split())
    if count != _FIELDS_OF_CRON:
        return f"has {count} {'field' if count == 1 else 'fields'}, not five"
    try:
        fields, _ = croniter.expand(cron)
        croniter(cron, datetime(2024, 1, 1)).get_next(datetime)  # noqa: DTZ001 - any start does
    except CroniterBadDateError:
        return "never fires"
    except (CroniterError, ValueError, TypeError, KeyError, AttributeError):
        return "is not a cron expression"
    if any(len(times) > 1 or times == ["*"] for times in fields[:2]):
        return "fires more than once a day, but a night is worked on once"
    return ""


def _timezone(draft: Draft) -> Iterator[Problem]:
    name = draft.text("timezone")
    if name is None:
        return
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = meant(name, sorted(available_timezones())).partition("Known:")[0].strip()
        fix = f"{near} Write a name of the time zone database, such as Europe/Berlin.".strip()
        yield draft.problem(("timezone",), f"there is no time zone {shown(name)}.", fix, code="PER-1047")


def _times(draft: Draft, base: KeyPath) -> Iterator[Problem]:
    source = draft.mapping(*base)
    static = source.get("static") is True
    nightly = "{night}" in (draft.text(*base, "uri") or "")
    if static and nightly:
        message = "a static table has no nights, but the address holds {night}."
        yield draft.problem((*base, "static"), message, "Keep one of the two.", code="PER-1053")
    if nightly and not static and "event_time" not in source:
        message = "is missing: a source with a file for each night says when its rows happen."
        yield draft.problem((*base, "event_time"), message, "Add `event_time: column`.", code="PER-1042")
    for field in ("lead_days", "event_time_format"):
        if source.get(field) and "event_time" not in source:
            message = f"{field} needs `event_time`."
            yield draft.problem((*base, field), message, "Add `event_time: column`.", code="PER-1053")
