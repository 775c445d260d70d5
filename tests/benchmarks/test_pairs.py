"""The benchmark of pairs: a seeded fast subset of its histories."""

import numpy as np
import pytest
from benchmarks.pairs import CHANGED, HISTORY, KINDS, QUIET, Going, paged_nights
from benchmarks.simulated_nights import Feed
from benchmarks.simulated_pages import Statistics, generator

from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget

HISTORIES = 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_keeps_the_budget_and_shows_a_lost_link(kind: str) -> None:
    """At most a page in 90 quiet nights with the pair among the columns; 1,000 rows lose a link of 0.3, and most page."""
    feed, detector = Feed("iid", 1000, 3, HISTORY, QUIET + CHANGED, bins=16), NightShift()
    draw = generator(feed, 5)
    found = Statistics.of(feed, draw, HISTORIES, detector)
    without = paged_nights(Statistics(found.alone.copy(), found.together.copy()), detector, PageBudget())
    found.add(Going(feed, kind).column(draw, HISTORIES, 0.0), feed, detector)
    paged = paged_nights(found, detector, PageBudget())
    quiet = paged[:QUIET].sum(axis=0)
    assert quiet.mean() - 2 * quiet.std() / np.sqrt(HISTORIES) <= 1
    assert (quiet > 1).mean() <= 0.1
    assert paged[QUIET:].any(axis=0).mean() > 0.7
    assert without[QUIET:].any(axis=0).mean() < 0.2
