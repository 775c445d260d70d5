"""A threshold from a past is exceeded as often as asked, never zero, and not lifted away by upheavals."""

import numpy as np
import pytest
from benchmarks.simulated_nights import SCENARIOS, Feed
from benchmarks.simulated_pages import Statistics, generator

from perennial.detectors.night_shift import NightShift
from perennial.facts.own_past import CEILING, LEAST, episodes, limit, strangeness, tail_index
from perennial.facts.walk_forward import lasting

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("nights", [30, 100, 200])
def test_at_most_the_rate_of_ordinary_nights_exceeds_the_threshold(nights: int) -> None:
    """One night in 90 asked for: 4,000 pasts of normal largest surprises, and one more night of each."""
    sizes = np.abs(DRAW.normal(size=(nights + 1, 4000, 20))).max(axis=2)
    exceeded = (sizes[-1] > limit(sizes[:-1], 1 / 90, 180)).mean()
    assert exceeded <= 1 / 90 + 2 * np.sqrt(1 / 90 / 4000)


def test_a_night_at_its_threshold_is_as_strange_as_the_rate() -> None:
    """Threshold and p-value are two ways of saying one thing."""
    past = np.abs(DRAW.normal(size=(100, 5, 20))).max(axis=2)
    np.testing.assert_allclose(strangeness(past, limit(past, 1 / 90, 180), 1 / 90, 180), 1 / 90)


def test_a_past_without_surprises_has_a_threshold() -> None:
    """Zeros give the least threshold, and no tail."""
    nothing = np.zeros((100, 1))
    assert (limit(nothing, 1 / 90, 180)[0], tail_index(nothing)[0]) == (LEAST, 0.0)


def test_upheavals_lift_the_threshold_to_twice_the_ordinary_at_most() -> None:
    """Ten nights at a thousand deviations do not blind the watch."""
    past = np.abs(DRAW.normal(size=(300, 1, 20))).max(axis=2)
    wild = past.copy()
    wild[100:110] = 1000.0
    assert limit(wild, 1 / 90, 180)[0] <= 1.2 * CEILING * limit(past, 1 / 90, 180)[0]


def test_the_tail_index_is_that_of_the_distribution() -> None:
    """A Pareto tail with exponent 3 has index a third; the nearly normal one a third of that."""
    wild = 1 + DRAW.pareto(3, size=(20_000, 1))
    normal = np.abs(DRAW.normal(size=(20_000, 1, 20))).max(axis=2)
    assert tail_index(wild)[0] == pytest.approx(1 / 3, abs=0.02)
    assert tail_index(normal)[0] == pytest.approx(0.11, abs=0.03)


def test_surprises_of_a_week_are_one_number_and_one_bad_night_is_clipped() -> None:
    """Seven surprises of 1 are 7 / sqrt(7) together; a lone one of a hundred counts as 3."""
    z = np.ones((20, 1))
    assert lasting(z, 7, 3)[-1, 0] == pytest.approx(np.sqrt(7))
    z[:, 0] = 0.0
    z[-1] = 100.0
    assert lasting(z, 7, 3)[-1, 0] == pytest.approx(3 / np.sqrt(7))


def test_too_many_gaps_are_no_number() -> None:
    """Two nights of seven without a surprise are too many, and so is tonight's."""
    z = np.ones((20, 3))
    z[-3:-1, 1] = np.nan
    z[-1, 2] = np.nan
    assert np.isnan(lasting(z, 7, 3)[-1]).tolist() == [False, True, True]


def test_an_upheaval_of_ten_weeks_says_nothing_of_ordinary_nights() -> None:
    """Two joined markets, seventy of 300 nights: they are known as an episode, with a few days around, and no other."""
    past = np.abs(DRAW.normal(size=(300, 1, 20))).max(axis=2)
    past[150:220] = DRAW.uniform(15, 50, size=(70, 1))
    found = episodes(past, np.ones_like(past, bool))[:, 0]
    assert found[150:220].all()
    assert not found[:146].any()
    assert not found[224:].any()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nights_in_control_make_no_episode(scenario: str) -> None:
    """Wandering, weekly and heavy-tailed nights: none in 40 histories of 300 nights, so the budget is as it was."""
    feed = Feed(scenario, 1000, 5, 210, 90, 16)
    sizes = Statistics.of(feed, generator(feed, 3), 40, NightShift()).alone
    assert not episodes(np.nan_to_num(sizes), ~np.isnan(sizes)).any()
