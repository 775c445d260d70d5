"""The nightly watch keeps its budget where nothing is wrong, and sees what is."""

import numpy as np
import pytest
from benchmarks.simulated_nights import Change, Feed, interval, live_outcomes

from perennial.clock import after, between
from perennial.detectors.night_shift import NightShift
from perennial.facts.decision import Verdict
from perennial.facts.streams import NightStreams, Stream, Watch
from perennial.policies.paging import Crossing, PageBudget

SHIFT, BUDGET = NightShift(), PageBudget()


def up_to(watch: Watch, nights: int, holidays: tuple[str, ...] = ()) -> Watch:
    """Cut a watch after so many nights."""
    grids = (grid[:nights] for grid in (watch.values, watch.sampling_sd, watch.plain))
    return Watch(watch.nights[:nights], watch.streams, *grids, watch.page_rate, frozenset(holidays))


def drawn(seed: int, change: Change | None = None, **feed: object) -> Watch:
    """Draw one watch of a made-up feed."""
    return Feed(**feed).watch(np.random.default_rng(seed), change)


@pytest.mark.parametrize("scenario", ["iid", "weekly", "ar", "weekly_ar"])
def test_the_budget_holds_where_nothing_is_wrong(scenario: str) -> None:
    """At most one page in 90 nights: mean within two standard errors, more than one in at most a tenth.

    25 histories of a year and 90 live nights, 1,000 rows, 20 columns; ``benchmarks/false_alarms.py`` draws
    more of them, with shorter histories and other sizes.
    """
    feed = Feed(scenario)
    watches = (feed.watch(np.random.default_rng([11, i])) for i in range(25))
    pages = [sum(o.paged for o in live_outcomes(w, feed.live, SHIFT, BUDGET)) for w in watches]
    mean, low, _ = interval(pages)
    assert low <= 1.0, mean
    assert np.mean(np.array(pages) > 1) <= 0.12


def test_the_other_half_of_a_stationary_history_stays_within_the_budget() -> None:
    """120 stationary nights as history, 120 live: the declared 1.33 pages at most, three in no history."""
    feed = Feed("weekly_ar", history=120, live=120)
    watches = (feed.watch(np.random.default_rng([5, i])) for i in range(20))
    pages = [sum(o.paged for o in live_outcomes(w, feed.live, SHIFT, BUDGET)) for w in watches]
    assert interval(pages)[1] <= 120 / 90
    assert max(pages) <= 2


def test_reading_night_by_night_is_what_the_simulation_did() -> None:
    """The shortcut of the simulation, one pass for all nights, gives the readings of single nights."""
    watch = drawn(3, scenario="weekly_ar", history=200, live=30)
    quick = live_outcomes(watch, 30, SHIFT, BUDGET)
    slow = [SHIFT.read(up_to(watch, 201 + t)).state for t in range(30)]
    assert [o.crossed for o in quick] == [state == "over" for state in slow]


def test_a_short_history_is_learning() -> None:
    """Sixty nights make no calibrated threshold; eighty make a provisional one; a year makes a rank."""
    watch = drawn(4, scenario="weekly", history=300, live=1)
    sixty, eighty, all_of_them = (SHIFT.read(up_to(watch, nights)) for nights in (60, 80, 301))
    assert (sixty.state, sixty.threshold) == ("learning", None)
    assert (eighty.provisional, all_of_them.provisional) == (True, False)
    assert eighty.state != "learning"


@pytest.mark.parametrize("history", [80, 120, 365])
def test_a_unit_change_fires_the_same_night_even_after_a_false_alarm(history: int) -> None:
    """A raised threshold is no mute: a column times a thousand pages at once, and names the column."""
    watch = drawn(6, Change(history, factor=1000), scenario="weekly_ar", history=history, live=1)
    reading = SHIFT.read(watch)
    decision = BUDGET.decide(reading, [Crossing(watch.nights[-2], 1.1, fired=True)])
    assert decision.verdict is Verdict.FAIL
    assert reading.columns[0].column == "n0"


def test_an_upheaval_in_the_past_does_not_blind_the_watch() -> None:
    """Ten nights at a thousand times their unit are in the history; the next such night still pages."""
    watch = drawn(7, Change(299, factor=1000), scenario="weekly_ar", history=299, live=1)
    watch.values[200:210] = watch.values[-1]
    reading = SHIFT.read(watch)
    assert BUDGET.decide(reading, []).verdict is Verdict.FAIL


def test_nulls_from_nothing_to_two_percent_are_found() -> None:
    """A column that never had a null: 2 % of them are seen the first night in at least 18 of 20 draws."""
    watches = [
        drawn(seed, Change(200, missing=0.02), scenario="weekly_ar", history=200, live=1)
        for seed in range(20)
    ]
    readings = [SHIFT.read(watch) for watch in watches]
    found = [
        r
        for r in readings
        if r.state == "over" and r.columns[0].direction.startswith("n0 missing share 0 -> 0.0")
    ]
    assert len(found) >= 18


def test_half_a_deviation_is_found_within_the_night_more_often_than_not() -> None:
    """Mean .5 sd in one of twenty columns, weekday pattern and wandering level: .84 over 360 draws."""
    watches = [drawn(seed, Change(365, mean=0.5), scenario="weekly_ar", live=1) for seed in range(20)]
    assert sum(SHIFT.read(watch).state == "over" for watch in watches) >= 13


def test_a_listed_holiday_is_not_judged() -> None:
    """It reads as learning and says why: absence of a verdict is not a quiet night."""
    watch = drawn(8, Change(200, factor=1000), scenario="iid", history=200, live=1)
    reading = SHIFT.read(up_to(watch, 201, holidays=(watch.nights[-1],)))
    assert reading.state == "learning"
    assert "holiday" in reading.reason


def test_a_night_that_brought_nothing_is_not_quiet() -> None:
    """Silence is for the deadline to find, and never a PASS here."""
    watch = drawn(9, scenario="iid", history=200, live=1)
    watch.values[-1] = np.nan
    assert SHIFT.read(watch).state == "learning"


def test_the_history_of_inputs_survives_a_new_champion() -> None:
    """Predictions exist for the last 100 nights only; inputs keep their rank, and a jump of scores is named."""
    draw, nights = np.random.default_rng(10), between("2020-01-06", after("2020-01-06", 299))
    x, p = Stream("x", "location"), Stream("prediction", "location", group="predictions")
    kept = [
        NightStreams(n, (x,), (v,), (0.05,), (v,))
        for n, v in zip(nights, draw.normal(0, 0.05, 300), strict=True)
    ]
    kept += [
        NightStreams(n, (p,), (v,), (0.05,), (v,))
        for n, v in zip(nights[200:299], draw.normal(0, 0.05, 99), strict=True)
    ]
    kept.append(NightStreams(nights[-1], (p,), (1.0,), (0.05,), (1.0,)))
    reading = SHIFT.read(Watch.of(nights[-1], kept, page_rate=1 / 90))
    assert (reading.state, reading.provisional, reading.columns[0].column) == ("over", False, "prediction")


def test_the_same_watch_gives_the_same_hash() -> None:
    """A replay must reach the same evidence."""
    one, other = (SHIFT.read(drawn(12, scenario="ar", history=150, live=1)) for _ in range(2))
    assert one.evidence_hash == other.evidence_hash


def test_a_year_of_many_streams_is_read_in_a_blink() -> None:
    """400 nights of 120 streams cost less than .15 CPU seconds: the monitor of a model runs every night."""
    from time import process_time

    watch = drawn(13, scenario="weekly_ar", history=399, live=1)
    SHIFT.read(watch)
    started = process_time()
    SHIFT.read(watch)
    assert process_time() - started < 0.15
