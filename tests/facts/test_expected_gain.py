"""What the next training may gain, foretold from earlier ones."""

import numpy as np
import pytest
from benchmarks.worth import LEAST_COVERED, MOST_HELD_BACK, Kind, cell
from hypothesis import given
from hypothesis import strategies as st

from perennial.clock import after
from perennial.facts.expected_gain import PastTraining, expected_gain

NIGHT = "2013-06-01"


def past(gains: list[float | None]) -> list[PastTraining]:
    """Make trainings four weeks apart; none is a refusal."""
    return [
        PastTraining(after(NIGHT, -28 * back), gain is not None, gain, 2.0)
        for back, gain in enumerate(gains, 1)
    ]


def test_without_a_past_the_stated_prior_answers() -> None:
    """Half of the challengers serve, and those that do gain one percent: half a percent, with a wide interval."""
    found = expected_gain([], NIGHT)
    assert (found.promoted, found.mean, found.cpu_seconds) == (0.5, 0.005, None)
    low, high = found.interval
    assert low < -0.05
    assert high > 0.05
    assert "this is the prior" in found.sentence


def test_refusals_lower_what_is_foretold_and_gains_raise_it() -> None:
    """Ten refusals leave next to nothing; ten gains of five percent nearly those."""
    assert expected_gain(past([None] * 10), NIGHT).mean < 0.002
    assert expected_gain(past([0.05] * 10), NIGHT).mean == pytest.approx(0.04, abs=0.005)


def test_long_ago_counts_less() -> None:
    """A model that was refused four times three years ago is believed more than one refused this spring."""
    old = [PastTraining(after(NIGHT, -1000 - back), promoted=False) for back in range(4)]
    assert expected_gain(old, NIGHT).promoted > expected_gain(past([None] * 4), NIGHT).promoted + 0.1


def test_a_gain_that_is_no_number_is_not_learned() -> None:
    """It served, but nobody knows what it gained: the chance to serve grows, the gain stays the prior's."""
    found = expected_gain(past([float("nan")]), NIGHT)
    assert (found.measured, found.served) == (0, 1)
    assert found.centre == 0.01


@given(st.lists(st.none() | st.floats(-0.2, 0.2), max_size=8), st.floats(-0.1, 0.1))
def test_quantiles_and_chances_are_two_sides_of_one_law(gains: list[float | None], gain: float) -> None:
    """The chance of more falls as more is asked for, and beyond a quantile lies what it leaves."""
    found = expected_gain(past(gains), NIGHT)
    low, high = found.interval
    assert low <= high
    assert found.chance_above(gain) >= found.chance_above(gain + 0.01)
    assert found.chance_above(high) <= 0.05 + 1e-9 or high == 0.0
    assert found.chance_above(low) <= 0.95 + 1e-9


@pytest.mark.parametrize(
    "kind", [Kind(0.3, 0.06, 0.01, 0.03), Kind(0.7, 0.02, 0.03, 0.03), Kind(0.95, 0.06, 0.03, 0.01)]
)
def test_trainings_worth_their_cost_are_hardly_ever_held_back(kind: Kind) -> None:
    """Where one in five is worth it, at most one in ten of those waits; nine tenths of what is foretold comes true."""
    found = cell(kind, 20, seed=5)
    assert found["worth"] >= 0.2
    assert found["worth_held_back"] <= MOST_HELD_BACK
    assert found["covered"] >= LEAST_COVERED


def test_many_trainings_that_never_pay_are_held_back() -> None:
    """A model whose challengers are refused nineteen times of twenty soon waits, where a gain must be large."""
    found = cell(Kind(0.05, 0.0, 0.01, 0.03), 20, seed=5)
    assert found["worth"] <= 0.02
    assert found["not_worth_held_back"] >= 0.4


def test_the_same_past_foretells_the_same() -> None:
    """Nothing is drawn."""
    draw = np.random.default_rng(1)
    gains = [float(value) for value in draw.normal(0, 0.03, 6)]
    assert expected_gain(past(gains), NIGHT) == expected_gain(past(gains), NIGHT)
