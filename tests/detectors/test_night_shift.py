"""The nightly watch keeps its budget where nothing is wrong, and sees what is."""

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.simulated_nights import PAGE_RATE, SCENARIOS, Change, Feed, interval
from benchmarks.simulated_pages import Statistics, generator, pages

from perennial.clock import after, between
from perennial.detectors.night_shift import NightShift
from perennial.facts.decision import Verdict
from perennial.facts.edges import freeze_edges
from perennial.facts.profile import profile
from perennial.facts.streams import NightStreams, Stream, Watch, streams_of
from perennial.policies.paging import Crossing, PageBudget

SHIFT, BUDGET = NightShift(), PageBudget()


def up_to(watch: Watch, nights: int, holidays: tuple[str, ...] = ()) -> Watch:
    """Cut a watch after so many nights."""
    grids = (grid[:nights] for grid in (watch.values, watch.sampling_sd, watch.plain))
    return Watch(watch.nights[:nights], watch.streams, *grids, watch.page_rate, frozenset(holidays))


def drawn(seed: int, change: Change | None = None, **feed: object) -> Watch:
    """Draw one watch of a made-up feed."""
    return Feed(**feed).watch(np.random.default_rng(seed), change)


def paged(feed: Feed, histories: int) -> np.ndarray:
    """Count the pages of the last 90 nights of so many histories of a feed."""
    found = Statistics.of(feed, generator(feed, 11), histories, SHIFT)
    nights = range(found.first_verdict(SHIFT), len(feed.nights))
    return pages(*found.ratios(nights, SHIFT, PAGE_RATE), BUDGET)[-90:].sum(axis=0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_budget_holds_where_nothing_is_wrong(scenario: str) -> None:
    """At most one page in the 90 nights after learning, and more than one in at most a twentieth.

    Both within two standard errors of 80 histories, 1,000 rows, 5 columns; ``benchmarks/false_alarms.py`` draws
    400 of every kind and size.
    """
    count = paged(Feed(scenario, 1000, 5, history=72), 80)
    assert interval(count)[1] <= 1.0, count.mean()
    assert np.mean(count > 1) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 80)


def test_the_other_half_of_a_stationary_history_stays_within_the_budget() -> None:
    """Half a year as history, 90 nights live: at most one page in the mean, three in no history."""
    count = paged(Feed("weekly_ar6", 1000, 5, history=180), 40)
    assert interval(count)[1] <= 1.0
    assert max(count) <= 2


def test_reading_night_by_night_is_what_the_simulation_did() -> None:
    """The shortcut of the simulation, one pass for all nights, gives the ratios, tails and pages of single nights."""
    feed = Feed("heavy", 1000, 5, history=120, live=120)
    quick = Statistics.of(feed, np.random.default_rng(3), 1, SHIFT)
    ratios, tails = quick.ratios(range(120, 240), SHIFT, PAGE_RATE)
    watch, earlier = feed.watch(np.random.default_rng(3)), []
    readings = [SHIFT.read(up_to(watch, 121 + t)) for t in range(120)]
    for reading in readings:
        earlier.append(BUDGET.remember(reading, BUDGET.decide(reading, earlier)))
    assert [reading.ratio for reading in readings] == pytest.approx(ratios[:, 0].tolist())
    assert [reading.tail for reading in readings] == pytest.approx(tails[:, 0].tolist())
    assert [past.fired for past in earlier] == pages(ratios, tails, BUDGET)[:, 0].tolist()


def test_made_up_profiles_are_what_real_rows_give() -> None:
    """Rows drawn one by one, profiled and turned into streams, vary as the made-up streams do."""
    draw, feed = np.random.default_rng(14), Feed("iid", 400, 1, history=100, live=1)
    edges = freeze_edges(pa.table({"n0": draw.normal(size=28 * 400)}))
    rows = (draw.poisson(400) for _ in range(101))
    nights = [
        streams_of("2020-01-06", profile(pa.table({"n0": draw.normal(size=n)}), edges), edges) for n in rows
    ]
    made_up = feed.watch(draw)
    by_name = dict(zip(nights[0].names, np.array([night.values for night in nights]).T, strict=True))
    for stream, values in zip(made_up.streams, made_up.values.T, strict=True):
        assert values.mean() == pytest.approx(by_name[stream].mean(), abs=0.06), stream
        assert values.std() == pytest.approx(by_name[stream].std(), rel=0.35, abs=1e-9), stream


def test_a_short_history_is_learning() -> None:
    """Sixty nights make no calibrated threshold; eighty make a provisional one; a year makes a rank."""
    watch = drawn(4, scenario="weekly", history=300, live=1)
    alone = NightShift(lasting_share=0)
    sixty, eighty, all_of_them = (alone.read(up_to(watch, nights)) for nights in (60, 80, 301))
    assert (sixty.state, sixty.threshold) == ("learning", None)
    assert (eighty.provisional, all_of_them.provisional) == (True, False)
    assert eighty.state != "learning"


@pytest.mark.parametrize("history", [80, 120, 365])
def test_a_unit_change_fires_the_same_night_even_after_a_false_alarm(history: int) -> None:
    """A raised threshold is no mute: a column times a thousand pages at once, and names the column."""
    watch = drawn(6, Change(history, factor=1000), scenario="weekly_ar6", history=history, live=1)
    reading = SHIFT.read(watch)
    decision = BUDGET.decide(reading, [Crossing(watch.nights[-2], 1.1, fired=True)])
    assert decision.verdict is Verdict.FAIL
    assert reading.columns[0].column == "n0"


def test_an_upheaval_in_the_past_does_not_blind_the_watch() -> None:
    """Ten nights at a thousand times their unit are in the history; the next such night still pages."""
    watch = drawn(7, Change(299, factor=1000), scenario="weekly_ar6", history=299, live=1)
    watch.values[200:210] = watch.values[-1]
    reading = SHIFT.read(watch)
    assert BUDGET.decide(reading, []).verdict is Verdict.FAIL


def test_a_column_that_begins_to_move_does_not_deafen_the_watch() -> None:
    """A constant moves from one night on, as when two markets are joined: half a year later thresholds are as before."""
    watch = drawn(8, scenario="weekly_ar6", history=399, live=1)
    place = watch.streams.index(Stream("n0", "location"))
    watch.values[:200, place], watch.sampling_sd[:, place] = watch.values[0, place], 1e-3
    before, after_it = SHIFT.read(up_to(watch, 199)), SHIFT.read(watch)
    strange = [SHIFT.read(up_to(watch, nights)).state for nights in range(203, 231)]
    assert strange.count("over") > 14
    assert after_it.threshold <= 1.5 * before.threshold


def test_nulls_from_nothing_to_two_percent_are_found() -> None:
    """A column that never had a null: 2 % of them are seen the first night in at least 18 of 20 draws."""
    watches = [
        drawn(seed, Change(200, missing=0.02), scenario="weekly_ar6", history=200, live=1)
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
    """Mean .5 sd in one of twenty columns, weekday pattern and wandering level."""
    watches = [
        drawn(seed, Change(200, mean=0.5), scenario="weekly_ar6", history=200, live=1) for seed in range(20)
    ]
    assert sum(SHIFT.read(watch).state == "over" for watch in watches) >= 13


def test_a_small_move_that_stays_is_found_within_the_week() -> None:
    """A tenth of a deviation is nothing for one night; seven such nights together are over in 15 of 20 draws."""
    week = [
        drawn(seed, Change(200, mean=0.1), scenario="iid", features=5, history=200, live=7)
        for seed in range(20)
    ]
    readings = [[SHIFT.read(up_to(watch, 201 + t)) for t in range(7)] for watch in week]
    found = [next((r for r in seen if r.state == "over"), None) for seen in readings]
    assert sum(r is not None for r in found) >= 15
    together = next(r for r in found if r and r.evidence["nights"] == 7)
    assert together.reason.startswith("The 7 nights to ")
    assert "have moved: n0 mean" in together.reason


def test_lasting_moves_can_be_left_out() -> None:
    """With no share of the budget, only single nights are read, on the whole of it."""
    alone = NightShift(lasting_share=0)
    reading = alone.read(drawn(2, scenario="iid", history=200, live=1))
    assert reading.evidence["nights"] == 1


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


def odd_night(draw: np.random.Generator, rows: int, **changed: object) -> pa.Table:
    """Deliver a night with a constant column, one that is all null and one of infinities."""
    x = draw.normal(size=rows)
    x[: rows // 10] = np.inf
    night = {
        "x": x,
        "constant": np.full(rows, 7.0),
        "nothing": pa.nulls(rows, pa.float64()),
        "kind": draw.choice(["a", "b"], rows),
    }
    return pa.table({**night, **changed})


def odd_watch(last: pa.Table, reference_nights: int = 28) -> Watch:
    """Watch 119 odd nights of 300 rows and one more."""
    draw = np.random.default_rng(15)
    tables = [odd_night(draw, 300) for _ in range(119)]
    edges = freeze_edges(pa.concat_tables(tables[:reference_nights]))
    nights = between("2020-01-06", after("2020-01-06", 119))
    kept = [
        streams_of(night, profile(table, edges), edges)
        for night, table in zip(nights, [*tables, last], strict=True)
    ]
    return Watch.of(nights[-1], kept, page_rate=PAGE_RATE)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_night_of_hardly_any_rows_says_so(rows: int) -> None:
    """It is over because of its row count, and the number is in the sentence; nothing is divided by zero."""
    reading = SHIFT.read(odd_watch(odd_night(np.random.default_rng(16), rows)))
    assert (reading.state, reading.columns[0].direction[:11]) == ("over", "rows 300 ->")
    assert np.isfinite(reading.statistic)


@pytest.mark.parametrize("reference_nights", [1, 28])
def test_constants_nulls_and_infinities_are_ordinary_where_they_always_were(reference_nights: int) -> None:
    """They are quiet while they stay, also on edges frozen from one night, and no number is lost to them."""
    reading = SHIFT.read(odd_watch(odd_night(np.random.default_rng(17), 300), reference_nights))
    assert reading.state == "quiet"
    assert np.isfinite([reading.statistic, reading.threshold, reading.p, reading.tail]).all()


def test_a_constant_that_moves_an_empty_column_that_fills_and_new_infinities_are_found() -> None:
    """What never varied has no spread of its own: sampling alone is the measure, and it is far exceeded."""
    for column, values in (
        ("constant", np.full(300, 9.0)),
        ("nothing", np.ones(300)),
        ("x", np.full(300, np.inf)),
    ):
        reading = SHIFT.read(odd_watch(odd_night(np.random.default_rng(18), 300, **{column: values})))
        assert reading.state == "over", column
        assert column in {moved.column for moved in reading.columns[:2]}


def test_where_nothing_ever_varied_a_change_still_pages() -> None:
    """A past without any surprise has a threshold of two deviations, not of none."""
    nights, x = between("2020-01-06", after("2020-01-06", 119)), Stream("x", "location")
    kept = [NightStreams(night, (x,), (0.0,), (0.1,), (0.0,)) for night in nights[:-1]]
    still, moved = (
        SHIFT.read(
            Watch.of(nights[-1], [*kept, NightStreams(nights[-1], (x,), (v,), (0.1,), (v,))], PAGE_RATE)
        )
        for v in (0.0, 1.0)
    )
    assert (still.state, still.threshold, moved.state) == ("quiet", 2.0, "over")


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
    one, other = (SHIFT.read(drawn(12, scenario="ar6", history=150, live=1)) for _ in range(2))
    assert one.evidence_hash == other.evidence_hash


def test_a_year_of_many_streams_is_read_in_a_blink() -> None:
    """400 nights of 120 streams cost less than .15 CPU seconds: the monitor of a model runs every night."""
    from time import process_time

    watch = drawn(13, scenario="weekly_ar6", history=399, live=1)
    SHIFT.read(watch)
    started = process_time()
    SHIFT.read(watch)
    assert process_time() - started < 0.15
