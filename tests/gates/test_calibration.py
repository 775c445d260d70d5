"""Probabilities must mean what they say: surely off, by more than a floor, and more than before."""

import math

import numpy as np
import pytest
from benchmarks.simulated_gates import World, calibrated_refused
from tests.gates.nights import evaluation, miscalibrated

from perennial.facts.decision import Verdict
from perennial.facts.tally import calibration_terms, tally
from perennial.gates.calibration import Calibration


def verdict(bias: float, slope: float = 0.0, *, champion_bias: float = 0.0, **changes) -> Verdict:
    """Judge probabilities that are off by this much a row."""
    tallies = miscalibrated(bias, slope, champion_bias=champion_bias)
    return Calibration().decide(evaluation(tallies, **changes)).verdict


@pytest.mark.parametrize(
    ("bias", "slope", "expected"),
    [
        (0.0, 0.0, Verdict.PASS),
        (0.02, 0.0, Verdict.PASS),
        (0.08, 0.0, Verdict.FAIL),
        (-0.08, 0.0, Verdict.FAIL),
        (0.0, -0.05, Verdict.FAIL),
    ],
)
def test_only_what_is_sure_and_above_the_floor_fails(bias, slope, expected) -> None:
    """A sure error of two points does not matter; eight do, in either direction."""
    assert verdict(bias, slope) is expected


def test_a_challenger_is_not_blamed_for_what_the_champion_does_too() -> None:
    """The same bias as before is no reason to keep the old model; without a champion it is."""
    assert verdict(0.08, champion_bias=0.07) is Verdict.PASS
    assert verdict(0.08, kind="first", champion=None) is Verdict.FAIL


def test_missing_residuals_hold() -> None:
    """Calibration that was not measured is not good calibration."""
    bare = miscalibrated(0.0, count=6)
    assert Calibration().decide(evaluation(bare)).verdict is Verdict.HOLD


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_it_says_that_it_does_not_apply(task) -> None:
    """Numbers have no probability of one class; their mean residual is shown, never judged."""
    decision = Calibration().decide(evaluation(miscalibrated(0.3), task=task))
    assert decision.verdict is Verdict.PASS
    assert decision.reason.startswith("Does not apply")
    assert ("mean residual" in decision.reason) is (task == "regression")


def simulated(rng: np.random.Generator, *, shift: float, stretch: float, spread: float):
    """Draw 14 nights of 1000 rows; the night's luck moves all its logits by ``spread``."""
    nights = np.repeat([f"2013-05-{day:02}" for day in range(1, 15)], 1000)
    logit = rng.standard_normal(14_000)
    truth = logit + np.repeat(spread * rng.standard_normal(14), 1000)
    y = rng.random(14_000) < 1 / (1 + np.exp(-truth))
    p = 1 / (1 + np.exp(-(shift + stretch * logit)))
    terms = calibration_terms(y, p, probability=True)
    tallies = tally(nights, np.zeros(14_000), residuals={"challenger": terms})
    return Calibration().decide(evaluation(tallies, "first", champion=None)).verdict


@pytest.mark.parametrize(
    ("shift", "stretch", "least", "most"),
    [(0.0, 1.0, 0.0, 0.06), (0.5, 1.0, 0.85, 1.0), (0.0, 1.8, 0.9, 1.0)],
)
def test_calibrated_models_pass_and_shifted_or_overconfident_ones_fail(shift, stretch, least, most) -> None:
    """With luck of a night .3 logits: at most .06 false of 150; large shifts and stretches are found."""
    rng = np.random.default_rng(math.floor(51 + 10 * shift + stretch))
    failed = sum(simulated(rng, shift=shift, stretch=stretch, spread=0.3) is Verdict.FAIL for _ in range(150))
    assert least <= failed / 150 <= most


@pytest.mark.parametrize(
    ("world", "most"),
    [(World(14), 0.06), (World(14, 0.3), 0.075), (World(28, 0.6), 0.09), (World(7, 0.6), 0.13)],
)
def test_a_calibrated_model_is_rarely_refused_even_without_floors(world, most) -> None:
    """Five hundred whole decisions at the declared .05; the floors only lower it."""
    gate = Calibration(floor_residual=0.0, floor_slope=0.0)
    assert calibrated_refused(np.random.default_rng(53), world, gate, 500) / 500 <= most
