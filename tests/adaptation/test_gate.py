"""The layer serves only while it is no worse than the champion alone, and nobody is stopped without a reason."""

import numpy as np
import pytest

from perennial.adaptation.gate import LEAST_NIGHTS, Tally, never_worse
from perennial.clock import after
from perennial.facts.decision import Verdict

ROWS, NIGHTS, HISTORIES = 200, 28, 300


def tallies(gains: np.ndarray) -> list[Tally]:
    """Make a night of each gain per row."""
    return [
        Tally(after("2013-01-01", day), ROWS, 0.5 * ROWS, (0.5 - float(gain)) * ROWS, 2.0, 1.0)
        for day, gain in enumerate(gains)
    ]


def stopped(gain: float, serial: float, seed: int) -> float:
    """Return the share of histories whose layer, that gains so much a night on average, is stopped."""
    draw = np.random.default_rng(seed)
    luck = draw.standard_normal((HISTORIES, 60 + NIGHTS))
    for night in range(1, luck.shape[1]):
        luck[:, night] = serial * luck[:, night - 1] + np.sqrt(1 - serial**2) * luck[:, night]
    nights = gain + 0.01 * luck[:, -NIGHTS:]
    found = [never_worse(tallies(one)).verdict for one in nights]
    return sum(verdict is Verdict.FAIL for verdict in found) / HISTORIES


@pytest.mark.parametrize("serial", [0.0, 0.3])
def test_a_layer_as_good_as_the_champion_is_hardly_ever_stopped(serial: float) -> None:
    """At most one night in forty, and two standard errors."""
    assert stopped(0.0, serial, seed=3) <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / HISTORIES)


def test_a_layer_that_is_worse_by_a_nights_luck_is_stopped() -> None:
    """Two percent of the loss, which is what one night varies by: nine times of ten it no longer serves."""
    assert stopped(-0.01, 0.3, seed=3) >= 0.9


def test_a_new_layer_shows_two_weeks_before_it_serves() -> None:
    """However good it looks, and it says how many nights there are."""
    short = never_worse(tallies(np.full(LEAST_NIGHTS - 1, 0.1)))
    assert short.verdict is Verdict.HOLD
    assert "13 of 14 matured nights" in short.reason


def test_a_loss_that_is_no_number_stops_it() -> None:
    """What cannot be judged is not served."""
    assert never_worse(tallies(np.full(20, np.nan))).verdict is Verdict.FAIL


def test_the_answer_says_by_how_much_and_how_well_it_is_calibrated() -> None:
    """In per cent of the champion's loss; how far each mean lies off stands in the evidence."""
    draw = np.random.default_rng(1)
    found = never_worse(tallies(0.02 + 0.001 * draw.standard_normal(NIGHTS)))
    assert found.verdict is Verdict.PASS
    assert "-4 % loss" in found.reason
    assert (found.evidence["champion_off"], found.evidence["layer_off"]) == (0.01, 0.005)
