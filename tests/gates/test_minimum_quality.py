"""A model must beat what costs nothing, surely, on nights it has not seen."""

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.simulated_gates import World, beside_constant, beside_linear, without_time
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


def test_what_is_known_beside_the_line_is_said_when_it_passes() -> None:
    """The worst loss to the linear model that is not ruled out stands in the sentence and in the evidence."""
    tallies = tuple(
        replace(t, baselines={"constant": 60.0, "linear": t.challenger + 0.3}) for t in nights(0.0)
    )
    decision = MinimumQuality().decide(evaluation(tallies, "first"))
    assert decision.verdict is Verdict.PASS
    assert "beside the linear baseline it gains 0.003, limits" in decision.reason
    assert "linear" in decision.evidence["beside"]


def test_every_simple_model_is_asked() -> None:
    """One that is surely better is not hidden by one of which little is known."""
    wild = [40.0, -40.0] * 7
    tallies = tuple(
        replace(t, baselines={"constant": 90.0, "linear": t.challenger - 3.0, "stump": t.challenger + luck})
        for t, luck in zip(nights(0.0), wild, strict=True)
    )
    decision = MinimumQuality(beat=("constant",), not_worse_than=("stump", "linear")).decide(
        evaluation(tallies, "first")
    )
    assert decision.verdict is Verdict.FAIL
    assert "linear" in decision.reason


@pytest.mark.parametrize("lost", [{}, {"linear": math.nan}])
def test_a_simple_model_that_was_not_scored_every_night_holds(lost) -> None:
    """Not knowing is not the same as not being worse."""
    whole = {"constant": 60.0, "linear": 60.0}
    tallies = (
        replace(nights(0.0)[0], baselines={"constant": 60.0, **lost}),
        *(replace(t, baselines=whole) for t in nights(0.0)[1:]),
    )
    assert MinimumQuality().decide(evaluation(tallies, "first")).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("world", "most"),
    [(World(7), 0.06), (World(14), 0.06), (World(28), 0.06), (World(14, 0.3), 0.085), (World(7, 0.6), 0.14)],
)
def test_a_model_no_better_than_the_constant_rarely_passes(world, most) -> None:
    """Five hundred whole decisions at the declared .05; seven nights that resemble each other are the worst."""
    assert beside_constant(np.random.default_rng(61), world, 500) / 500 <= most


@pytest.mark.parametrize(
    ("world", "loss", "least", "most"),
    [
        (World(14), 0.0, 0.95, 1.0),
        (World(14), 1.0, 0.4, 0.65),
        (World(14), 2.0, 0.0, 0.03),
        (World(14, 0.3), 3.0, 0.0, 0.03),
        (World(28), 1.5, 0.0, 0.03),
        (World(14, 0.0, 3.0), 0.0, 0.92, 1.0),
        (World(14, 0.0, 3.0), 4.2, 0.0, 0.05),
        (World(7, 0.3, 3.0), 3.0, 0.4, 0.65),
    ],
)
def test_how_often_a_model_that_loses_to_the_line_passes(world, loss, least, most) -> None:
    """One that is as good passes; a loss of the margin and four standard errors rarely does, a smaller one may."""
    assert least <= beside_linear(np.random.default_rng(62), world, loss, 300) / 300 <= most


@pytest.mark.parametrize("entities", [40, 200])
@pytest.mark.parametrize(("loss", "least", "most"), [(0.0, 0.0, 0.075), (1.0, 0.6, 0.85), (5.0, 0.0, 0.03)])
def test_without_time_the_rates_are_those_of_independent_nights(entities, loss, least, most) -> None:
    """Entities of different size in 20 hashed buckets, one margin being one standard error."""
    assert least <= without_time(np.random.default_rng(63), entities, loss, 300) / 300 <= most
