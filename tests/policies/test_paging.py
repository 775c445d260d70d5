"""One page in ninety nights, never mute, never silent about what was held back."""

import math

import pytest

from perennial.clock import after, between
from perennial.facts.decision import Verdict
from perennial.facts.reading import Reading
from perennial.policies.paging import WILD, Crossing, PageBudget

TONIGHT = "2013-05-12"


def reading(ratio: float, tail: float = 0.125) -> Reading:
    """Read a night that reached so many times its threshold, among nights of so heavy a tail."""
    state = "over" if ratio > 1 else "quiet"
    return Reading(TONIGHT, "night_shift", state, "UA share 0.21 -> 0.35.", ratio * 4.0, 4.0, tail=tail)


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
    assert "raised the threshold to 1.63 times itself, and tonight reached 1.50" in decision.reason


def test_a_larger_event_is_never_muted() -> None:
    """Where nights are nearly normal, one page raises the threshold by 50 ** .125 = 1.63 and no more."""
    assert PageBudget().decide(reading(1.7), [page(1)]).verdict is Verdict.FAIL


def test_the_wilder_the_nights_the_higher_the_bar() -> None:
    """A second page must be fifty times rarer: three times the threshold where nights are as t with 3 degrees."""
    budget = PageBudget()
    assert budget.raised([page(1)], 0.1) == pytest.approx(50**0.1)
    assert budget.raised([page(1)], 0.3) == pytest.approx(50**0.3)
    assert budget.raised([page(1)]) == budget.raised([page(1)], WILD)
    assert budget.decide(reading(1.7, tail=0.3), [page(1)]).verdict is Verdict.HOLD


def test_the_bar_stays_and_then_sinks_back_over_the_budget_s_nights() -> None:
    """Full for sixty nights, half after forty-five more, forgotten after ninety more."""
    quiet = [Crossing(night, 0.5, fired=False) for night in between(after(TONIGHT, -150), after(TONIGHT, -1))]
    height = {
        ago: math.log(PageBudget().raised([page(ago), *quiet[1 - ago :]], 0.1)) / math.log(50) / 0.1
        for ago in (2, 60, 105, 150)
    }
    assert height == pytest.approx({2: 1.0, 60: 1.0, 105: 0.5, 150: 0.0})


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
