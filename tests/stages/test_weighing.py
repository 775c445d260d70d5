"""Weighed pages: none is added under no change, used columns page as before, ignored ones hardly ever."""

import numpy as np
import pytest
from benchmarks.severity import CHANGED, HISTORY, IGNORED, QUIET, Nights, unweighed, weighed_pages
from benchmarks.simulated_nights import Change, Feed
from benchmarks.simulated_pages import generator

from perennial.detectors.night_shift import NightShift
from perennial.facts.streams import Stream, Watch
from perennial.policies.paging import PageBudget
from perennial.policies.severity import Tolerance
from perennial.spec.watching import MonitoringSpec
from perennial.stages.verdict import Arm
from perennial.stages.weighing import weighed

FEED = Feed("weekly_ar6", 1000, 8, HISTORY, QUIET + CHANGED, bins=16)
SEED = 11


@pytest.fixture(scope="module")
def nights() -> Nights:
    """Draw sixty histories of eight columns."""
    return Nights(FEED, generator(FEED, SEED), 60, NightShift())


def test_weighing_adds_no_page_where_nothing_is_wrong(nights: Nights) -> None:
    """Pages in ninety ordinary nights, in sum no more than the budget alone makes, and within it."""
    found = nights.ratios(None, 0.0, 0.0)
    before, after = (count(found, PageBudget())[:QUIET].sum() for count in (unweighed, weighed_pages))
    assert after <= before
    assert after / 60 <= 1


def test_what_predictions_follow_pages_as_before(nights: Nights) -> None:
    """A used column that moves by a standard deviation pages on the first night, weighed or not."""
    found = nights.ratios("used", 1.0, 0.5)
    alone, both = (count(found, PageBudget())[QUIET].mean() for count in (unweighed, weighed_pages))
    assert both >= alone > 0.9


def test_what_is_ignored_is_recorded(nights: Nights) -> None:
    """A column nobody looks at pages on the first night as rarely as predictions count as moved by chance."""
    found = nights.ratios("ignored", 1.0, 0.0)
    assert unweighed(found, PageBudget())[QUIET].mean() > 0.9
    assert weighed_pages(found, PageBudget())[QUIET].mean() < 0.15


def seen(mean: float = 1.0) -> Watch:
    """Draw one history whose first number has moved on its last night; its last number stands for predictions."""
    feed = Feed("iid", 1000, 6, 250, 1, bins=16)
    watch = feed.watch(np.random.default_rng(SEED), Change(250, mean=mean))
    said = [
        Stream("prediction", one.aspect, group="predictions") if one.column == "n3" else one
        for one in watch.streams
    ]
    return Watch(watch.nights, tuple(said), watch.values, watch.sampling_sd, watch.plain, watch.page_rate)


def judged(watch: Watch, ignored: tuple[str, ...] = (), **features: Tolerance) -> Arm:
    """Judge and weigh its last night."""
    watching = MonitoringSpec(features=features)
    reading = watching.night_shift.read(watch)
    decision = watching.budget.decide(reading, [])
    arm = Arm("night_shift", "page", reading, decision, PageBudget.remember(reading, decision))
    return weighed(arm, [], watch, watching, ignored, [])


def test_a_night_is_weighed_by_the_shipped_detector() -> None:
    """Ignored, it is a notice that the budget does not count; used, it is the page it was."""
    assert judged(seen()).outcome == "page"
    lowered = judged(seen(), ("n0",))
    assert (lowered.outcome, lowered.crossing.fired) == ("notice", False)
    assert "the model hardly looks at it" in lowered.decision.reason
    assert judged(seen(), IGNORED).outcome == "page"


@pytest.mark.parametrize(
    ("declared", "outcome"),
    [
        ({"worse_when": "down"}, "notice"),
        ({"worse_when": "up"}, "page"),
        ({"tolerated": 5}, "notice"),
        ({"tolerated": 0.1}, "page"),
    ],
)
def test_what_was_declared_is_kept_to(declared: dict[str, object], outcome: str) -> None:
    """A move up of a standard deviation, where down is worse or five are tolerated, pages nobody."""
    assert judged(seen(), n0=Tolerance(**declared)).outcome == outcome
