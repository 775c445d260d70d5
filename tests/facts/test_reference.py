"""A verdict names its reference, what was left out of it and why, and how many nights are missing."""

from dataclasses import replace

import numpy as np
import pytest

from perennial.clock import after, between
from perennial.detectors.night_shift import NightShift
from perennial.facts.reference import Reference, nights_needed, reference_of
from perennial.facts.streams import NightStreams, Stream, Watch
from perennial.facts.walk_forward import Windows

SIZE = Stream("size", "location")
SHIFT = NightShift()
WINDOWS = Windows(SHIFT.weeks, SHIFT.pooled_nights, SHIFT.ar_nights, SHIFT.clip)
FIRST = "2023-01-02"


def watch(nights: int, missing: tuple[str, ...] = (), holidays: tuple[str, ...] = ()) -> Watch:
    """Lay out so many nights of one stream."""
    draw = np.random.default_rng(3)
    days = [day for day in between(FIRST, after(FIRST, nights - 1)) if day not in missing]
    values = {day: (float(draw.normal()),) for day in days}
    parts = [NightStreams(day, (SIZE,), value, (0.1,), value) for day, value in values.items()]
    return Watch.of(after(FIRST, nights - 1), parts, 1 / 90, holidays)


def asked(found: Watch, **more: object) -> Reference:
    """Ask for the reference of its last night."""
    return reference_of(found, weeks=8, pooled_nights=28, **more)


def test_a_night_is_compared_with_its_weekday_and_says_what_was_left_out() -> None:
    """Holidays, nights that did not come, and nights whose feed looked broken are named."""
    tonight = after(FIRST, 119)
    holiday, gone, bad = (after(tonight, -7 * week) for week in (1, 2, 3))
    found = asked(watch(120, (gone, bad), (holiday,)), set_aside={bad})
    assert (found.kind, len(found.nights)) == ("weekday", 5)
    assert found.left_out == {
        bad: "its feed looked broken",
        gone: "nothing came",
        holiday: "a listed holiday",
    }
    assert "5 Mondays" in found.sentence() or "left out" in found.sentence()
    assert "is not known" in found.sentence()


def test_a_young_history_is_pooled_or_nothing() -> None:
    """Four nights of the weekday are needed, else 21 of the last 28; with fewer it says so."""
    assert asked(watch(27)).kind == "pooled"
    assert asked(watch(10)).kind == "none"
    assert "too few nights" in asked(watch(10)).sentence()


def test_a_year_ago_is_shown_where_it_is_known() -> None:
    """The same weekday 52 weeks before, in the words of what moved tonight."""
    found = asked(watch(380), moved=["size mean 0.1 -> 0.9"])
    assert found.year_ago_known
    assert found.then[0].startswith("size mean ")
    assert "A year ago: size mean" in found.sentence()


@pytest.mark.parametrize("nights", [3, 20, 41, 60, 71])
def test_the_nights_that_are_needed_are_the_nights_it_takes(nights: int) -> None:
    """So many nights later the watch reads, and not one night earlier."""
    seen = watch(nights)
    more = nights_needed(seen.nights, seen.nights[-1], (), WINDOWS, SHIFT.provisional_nights)
    states = [SHIFT.read(watch(nights + days)).state for days in (more - 1, more)]
    assert states[0] == "learning"
    assert states[1] != "learning"


def test_gaps_and_holidays_make_it_longer() -> None:
    """Nights that did not come, or count for nothing, are waited for; with enough of them there is no wait."""
    seen = watch(50)
    whole = nights_needed(seen.nights, seen.nights[-1], (), WINDOWS, 30)
    fewer = nights_needed(seen.nights[::2], seen.nights[-1], (), WINDOWS, 30)
    assert whole < fewer
    assert nights_needed(watch(200).nights, watch(200).nights[-1], (), WINDOWS, 30) == 0
    assert replace(asked(seen), kind="none").sentence().startswith("Compared with nothing")
