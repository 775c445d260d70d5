"""Whether a version loses more than was promised: rarely said of one that does not, soon of one that does much."""

import numpy as np
import pytest
from benchmarks.broken_promise import EARLIER, LAWS, PROMISED, YEAR, asked_on, broken, nights

from perennial.facts.broken_promise import BROKEN, chance_of_excess
from perennial.facts.realised import NightMean

VERSIONS = 150


def means(losses, rows: int = 900) -> list[NightMean]:
    """Make nights of losses a row."""
    return [NightMean(f"n{place:03}", rows, rows * float(loss)) for place, loss in enumerate(losses)]


@pytest.mark.parametrize("law", LAWS)
def test_versions_that_keep_their_promise_are_rarely_asked_about(law: str) -> None:
    """Of 150 years of asking every night at most 5 in 100 have a false request, within two standard errors."""
    draw = np.random.default_rng([11, LAWS.index(law)])
    losses = nights(law, VERSIONS, EARLIER + PROMISED[0] + YEAR, draw)
    share = asked_on(losses, PROMISED[0]).any(axis=1).mean()
    assert share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / VERSIONS)


def test_a_version_that_loses_much_more_is_asked_about_within_two_weeks() -> None:
    """Two standard deviations of a night are seen in 14 nights in more than half of the versions, three in nearly all."""
    assert broken("independent", 2.0, 1000, seed=4)["within_14"] > 0.5
    assert broken("independent", 3.0, 1000, seed=4)["within_14"] > 0.85


def test_the_nights_before_tell_how_nights_differ() -> None:
    """Fourteen nights that happen to be alike break no promise where nights usually differ by more."""
    draw = np.random.default_rng(3)
    promised, worse = means(0.40 + 0.001 * draw.normal(size=14)), means(0.41 + 0.001 * draw.normal(size=14))
    alike, unlike = (means(0.40 + spread * draw.normal(size=56)) for spread in (0.001, 0.02))
    of_alike, of_unlike = (chance_of_excess(worse, promised, before) for before in (alike, unlike))
    assert of_alike is not None
    assert of_alike < BROKEN
    assert of_unlike is not None
    assert of_unlike > BROKEN


def test_too_few_nights_or_no_number_say_nothing() -> None:
    """Six nights, twenty-seven before, nights without labels, or an infinite loss: nothing."""
    many = means(np.linspace(0.4, 0.5, 56))
    assert chance_of_excess(many[:6], many[:14], many) is None
    assert chance_of_excess(many[:14], many[:14], many[:27]) is None
    assert chance_of_excess([NightMean("n", 0, 0.0)] * 14, many[:14], many) is None
    assert chance_of_excess([NightMean("n", 1, float("inf"))] * 14, many[:14], many) is None
    assert chance_of_excess([], [], []) is None


def test_equal_losses_are_no_excess() -> None:
    """Nights without any spread do not divide by nothing: no more is no more, and more is more."""
    flat = means([0.5] * 56)
    assert chance_of_excess(flat[:14], flat[:14], flat) == pytest.approx(0.5, abs=1e-3)
    assert chance_of_excess(means([0.6] * 14), flat[:14], flat) == pytest.approx(0.0, abs=1e-9)
