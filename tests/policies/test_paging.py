"""One page in ninety nights, never mute, never silent about what was held back."""

import math

import pytest

from perennial.clock import after, between
from perennial.facts.decision import Verdict
from perennial.facts.reading import Reading
from perennial.policies.paging import Crossing, PageBudget

TONIGHT = "2013-05-12"


def reading(ratio: float) -> Reading:
    """Read a night that reached so many times its threshold."""
    state = "over" if ratio > 1 else "quiet"
    return Reading(TONIGHT, "night_shift", state, "UA share 0.21 -> 0.35.", ratio * 4.0, 4.0)


def page(nights_ago: int) -> Crossing:
    """Write an earlier night that paged."""
    return Crossing(after(TONIGHT, -nights_ago), 1.2, fired=True)


def test_a_first_crossing_pages() -> None:
    """FAIL is a page, with the reading's own sentence."""
    decision = PageBudget().decide(reading(1.01), [])
    assert (decision.verdict, decision.reason) == (Verdict.FAIL, "UA share 0.21 -> 0.35.")


def test_a_quiet_night_passes() -> None:
    """Under its threshold, whatever happened before."""
    assert PageBudget().decide(reading(0.99), [page(1)]).verdict is Verdict.PASS


def test_a_crossing_soon_after_a_page_is_a_notice() -> None:
    """Held, not passed: it is logged, says by how much, and nobody is woken."""
    decision = PageBudget().decide(reading(1.5), [page(1)])
    assert (decision.verdict, decision.evidence["outcome"]) == (Verdict.HOLD, "notice")
    assert "raised the threshold to 1.64 times itself, and tonight reached 1.50" in decision.reason


def test_a_larger_event_is_never_muted() -> None:
    """One page raises the threshold by exp(.5) = 1.65 and no more."""
    assert PageBudget().decide(reading(1.7), [page(1)]).verdict is Verdict.FAIL


def test_the_bar_sinks_back_over_the_budget_s_nights() -> None:
    """After ninety quiet nights one page is forgotten; half of it is left after forty-five."""
    quiet = [Crossing(night, 0.5, fired=False) for night in between(after(TONIGHT, -90), after(TONIGHT, -1))]
    budget = PageBudget()
    assert budget.raised([page(91), *quiet]) == pytest.approx(1.0, abs=0.01)
    assert math.log(budget.raised([page(46), *quiet[-45:]])) == pytest.approx(0.25, abs=0.01)


def test_quiet_nights_earn_no_credit() -> None:
    """A long calm must not lower the threshold below the calibrated one."""
    quiet = [Crossing(night, 0.5, fired=False) for night in between("2012-01-01", after(TONIGHT, -1))]
    assert PageBudget().raised(quiet) == 1.0


def test_the_order_of_the_earlier_nights_does_not_matter_and_later_ones_are_not_seen() -> None:
    """A replay may pass what it has; the night decides what counts."""
    budget, past = PageBudget(), [page(30), page(2)]
    later = Crossing(after(TONIGHT), 9.0, fired=True)
    assert budget.decide(reading(1.5), past) == budget.decide(reading(1.5), [later, *past[::-1]])


def test_learning_is_neither_a_page_nor_a_pass_and_is_not_remembered() -> None:
    """Absence of a verdict must not let the bar sink either."""
    tonight = Reading(TONIGHT, "night_shift", "learning", "Learning: 12 earlier nights.")
    decision = PageBudget().decide(tonight, [])
    assert decision.verdict is Verdict.HOLD
    assert PageBudget.remember(tonight, decision) is None


def test_what_is_remembered_is_what_later_nights_need() -> None:
    """Ratio and outcome, by night."""
    tonight = reading(1.25)
    assert PageBudget.remember(tonight, PageBudget().decide(tonight, [])) == Crossing(
        TONIGHT, 1.25, fired=True
    )
