"""A model must beat what costs nothing, surely, on nights it has not seen."""

from dataclasses import replace

from tests.gates.nights import evaluation, nights

from perennial.facts.decision import Verdict
from perennial.gates.minimum_quality import MinimumQuality


def first(baseline: float, count: int = 14):
    """Judge a first model that loses about .5 a row beside a baseline's summed loss a night."""
    return evaluation(nights(0.0, count, baseline=baseline), "first", champion=None, champion_cutoff=None)


def test_beating_the_baseline_passes() -> None:
    """The sentence names the baseline and the gain."""
    decision = MinimumQuality().decide(first(60.0))
    assert decision.verdict is Verdict.PASS
    assert decision.reason.startswith("v4 beats the constant baseline: log_loss gain 0.1 a row")


def test_losing_to_the_baseline_fails() -> None:
    """A constant would serve better."""
    assert MinimumQuality().decide(first(40.0)).verdict is Verdict.FAIL


def test_a_model_no_better_than_a_constant_fails_rather_than_waits() -> None:
    """When any gain is shown to be negligible, more nights would not help."""
    assert MinimumQuality().decide(first(50.0)).verdict is Verdict.FAIL


def test_every_baseline_must_be_beaten_and_the_nearest_is_named() -> None:
    """A weak baseline does not excuse losing to a strong one."""
    tallies = tuple(replace(t, baselines={"constant": 60.0, "last_value": 45.0}) for t in nights(0.0))
    decision = MinimumQuality().decide(evaluation(tallies, "first", champion=None))
    assert decision.verdict is Verdict.FAIL
    assert "last_value" in decision.reason
    assert MinimumQuality(beat=("constant",)).decide(evaluation(tallies, "first")).verdict is Verdict.PASS


def test_a_baseline_that_was_not_scored_holds() -> None:
    """Nothing to beat is missing evidence."""
    assert MinimumQuality(beat=("seasonal",)).decide(first(60.0)).verdict is Verdict.HOLD
    bare = tuple(replace(t, baselines={}) for t in nights(0.0))
    assert MinimumQuality().decide(evaluation(bare, "first")).verdict is Verdict.HOLD


def test_only_the_challengers_own_training_nights_matter() -> None:
    """A champion trained inside the holdout does not spoil a comparison with a constant."""
    later = evaluation(nights(0.0), champion_cutoff="2013-05-08")
    assert MinimumQuality().decide(later).verdict is Verdict.PASS
    unfair = evaluation(nights(0.0), challenger_cutoff="2013-05-08")
    assert MinimumQuality().decide(unfair).verdict is Verdict.HOLD


def test_too_few_nights_hold() -> None:
    """Six nights are not evidence."""
    assert MinimumQuality().decide(first(60.0, 6)).verdict is Verdict.HOLD


def test_a_loss_to_the_linear_model_that_counts_as_none_is_forgiven() -> None:
    """However surely it is measured: a linear model that was tuned is not refused for the luck of a digit."""

    def beside(linear: float) -> Verdict:
        tallies = tuple(
            replace(t, baselines={"constant": 60.0, "linear": t.challenger - linear}) for t in nights(0.0)
        )
        given = evaluation(tallies, "first", champion=None, champion_cutoff=None)
        return MinimumQuality().decide(given).verdict

    assert beside(0.02) is Verdict.PASS
    assert beside(2.0) is Verdict.FAIL
