"""Looked at every night: equal versions are hardly ever promoted or rolled back, worse ones are found, waits are waits."""

import numpy as np
import pytest
from benchmarks.rollout import naive, promoted, rolled_back, rollout_cell, watch_cell
from benchmarks.simulated_gates import nights_of

from perennial.facts.decision import Verdict
from perennial.policies.rollback import Watching, decide, trigger
from perennial.policies.rollout import Rolling, Rollout

SHADOW = Rollout(steps=("shadow",))


@pytest.mark.parametrize("serial", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("luck", ["normal", "heavy tails (t4)", "left skew", "right skew"])
def test_nightly_looks_promote_a_version_that_is_no_better_in_at_most_one_of_twenty(
    luck: str, serial: float
) -> None:
    """Also at the horizon, also where luck is skewed; two standard errors of 1,000 rollouts are allowed for."""
    cell = rollout_cell(np.random.default_rng(5), luck, serial, 0.0, 1000)
    assert float(str(cell["realised"])) <= 0.05 + 0.0138


def test_a_test_that_is_looked_at_every_night_would_promote_far_more() -> None:
    """That is why an e-value is used."""
    gains = nights_of(np.random.default_rng(6), "normal", 0.3, (1000, 28))
    assert naive(gains).mean() > 5 * promoted(gains).mean()
    assert naive(gains).mean() > 0.25


def test_a_version_better_by_a_nights_deviation_is_promoted() -> None:
    """Within 28 nights, in at least .95 where nights are independent."""
    assert promoted(nights_of(np.random.default_rng(7), "normal", 0.0, (500, 28)) + 1).mean() >= 0.95


def test_a_larger_gain_is_never_seen_less_often() -> None:
    """Also where rare nights are far worse than the rest: what is drawn towards zero keeps its order."""
    luck = nights_of(np.random.default_rng(11), "left skew", 0.0, (2000, 28))
    shares = [promoted(luck + gain).mean() for gain in (0.5, 0.75, 1.0, 1.5, 2.5)]
    assert shares == sorted(shares)
    assert shares[-1] >= 0.9


@pytest.mark.parametrize("reference", [0, 28, 60])
@pytest.mark.parametrize("serial", [0.0, 0.3, 0.5])
def test_a_version_that_is_no_worse_is_hardly_ever_rolled_back(serial: float, reference: int) -> None:
    """In at most .015 of 60 nights, all looks together; two standard errors of 1,000 watches are allowed for."""
    cell = watch_cell(np.random.default_rng(8), "normal", serial, reference, 0.0, 1000)
    assert float(str(cell["realised"])) <= 0.015 + 0.0077


def test_a_version_worse_by_a_nights_deviation_is_found_within_a_fortnight() -> None:
    """In at least .97, by night 15 in the middle, where 60 nights tell how nights vary."""
    drawn = nights_of(np.random.default_rng(9), "normal", 0.0, (500, 120))
    night = rolled_back(drawn[:, 60:] - 1, drawn[:, :60])
    assert (night > 0).mean() >= 0.97
    assert np.median(night[night > 0]) <= 15


def test_the_policies_decide_as_the_simulation_looks() -> None:
    """What is simulated in one stroke is what the policy says night by night."""
    rng = np.random.default_rng(10)
    gains = nights_of(rng, "normal", 0.3, (40, 28)) + rng.choice([-1, 0, 1], (40, 1))
    for one, expected in zip(gains, promoted(gains), strict=True):
        answers = (
            SHADOW.decide(Rolling("shadow", "recipe", "new", "old", list(one[:nights]), nights))
            for nights in range(1, 29)
        )
        ended = next(each for each in answers if each.verdict is not Verdict.HOLD)
        assert (ended.verdict is Verdict.PASS) == bool(expected)
    before, live = gains[:, :28], nights_of(rng, "normal", 0.3, (40, 60)) - 0.8
    for past, now, night in zip(before, live, rolled_back(live, before), strict=True):
        fired = [at for at in range(1, 61) if trigger(list(now[:at]), list(past)).fires]
        assert (fired[0] if fired else 0) == night


@pytest.mark.parametrize(("kind", "verdict"), [("refresh", Verdict.PASS), ("recipe", Verdict.FAIL)])
def test_at_the_horizon_the_kind_of_change_decides(kind: str, verdict: Verdict) -> None:
    """Undecided, a refresh is promoted and a recipe is not, as declared, and the sentence says so."""
    gains = [0.1, -0.1] * 14
    decision = SHADOW.decide(Rolling("shadow", kind, "new", "old", gains, 28))
    assert decision.verdict is verdict
    assert "Undecided" in decision.reason


def test_a_freeze_holds_what_is_broken_stops_and_too_few_nights_wait() -> None:
    """Whatever the gains say."""
    well = [1.0] * 20
    frozen = Rolling("shadow", "refresh", "new", "old", well, 20, frozen_reason="a fair")
    assert SHADOW.decide(frozen).verdict is Verdict.HOLD
    broken = Rolling("shadow", "refresh", "new", "old", well, 20, broken="it answers nothing")
    assert SHADOW.decide(broken).verdict is Verdict.FAIL
    assert SHADOW.decide(Rolling("shadow", "refresh", "new", "old", well[:4], 4)).verdict is Verdict.HOLD
    assert decide(Watching("new", "old", [], broken="it answers nothing")).verdict is Verdict.FAIL
    assert decide(Watching("new", "old", [-9.0] * 4)).verdict is Verdict.HOLD
