"""Realised loss has intervals that hold where neighbouring nights resemble each other, and says when it cannot tell."""

import math

import numpy as np
import pytest

from perennial.clock import after
from perennial.facts.realised import ERROR, LEAST_NIGHTS, NightMean, realised

HISTORIES = 600
RECENT, PROMISED, USUAL = 14, 14, 56


def nights(means: np.ndarray, rows: int = 200, first: str = "2013-01-01") -> list[NightMean]:
    """Make a night of each mean loss."""
    return [NightMean(after(first, i), rows, float(mean) * rows) for i, mean in enumerate(means)]


def wandering(draw: np.random.Generator, count: int, serial: float) -> np.ndarray:
    """Draw nightly mean losses around .5 that resemble their neighbours."""
    found = draw.normal(size=count)
    for night in range(1, count):
        found[night] = serial * found[night - 1] + math.sqrt(1 - serial**2) * found[night]
    return 0.5 + 0.05 * found


def test_more_than_promised_is_told_with_its_interval() -> None:
    """Five hundredths more on every night than evaluation found: the whole interval is above nothing."""
    draw = np.random.default_rng(1)
    told = wandering(draw, PROMISED, 0.0)
    found = realised("version 3", nights(wandering(draw, RECENT, 0.0) + 0.1), nights(told))
    assert found.promised is not None
    assert found.promised.low > 0
    assert "than evaluation promised" in found.reason
    assert "before is not assessable" in found.reason


@pytest.mark.parametrize("serial", [0.0, 0.3, 0.6])
def test_an_end_of_an_interval_misses_as_often_as_declared(serial: float) -> None:
    """At most one time in twenty, within two standard errors, also on nights that resemble their neighbours."""
    missed = np.zeros(2)
    for seed in range(HISTORIES):
        history = wandering(np.random.default_rng([seed, 5]), RECENT + USUAL, serial)
        found = realised("v", nights(history[USUAL:]), (), nights(history[:USUAL])).usual
        assert found is not None
        missed += (found.low > 0, found.high < 0)
    allowed = ERROR + 2 * math.sqrt(ERROR * (1 - ERROR) / HISTORIES)
    assert (missed / HISTORIES <= allowed).all()


@pytest.mark.parametrize("count", [1, 2, LEAST_NIGHTS - 1])
def test_few_nights_are_shown_and_compared_with_nothing(count: int) -> None:
    """The sentence says how many more are needed."""
    found = realised("v", nights(np.full(count, 0.5)), nights(np.full(14, 0.4)))
    assert (found.promised, found.usual) == (None, None)
    assert found.mean is not None
    assert found.mean.loss == 0.5
    assert f"{LEAST_NIGHTS - count} more nights are needed" in found.reason


def test_without_labels_nothing_is_known() -> None:
    """Nights without a labelled row are no nights, and no night is no loss of nought."""
    found = realised("version 3", [NightMean("2013-01-01", 0, 0.0)])
    assert found.mean is None
    assert "No label of version 3" in found.reason
    assert found.as_json()["mean"] is None


def test_a_loss_that_is_no_number_is_told_as_that() -> None:
    """A prediction that is NaN must not look harmless: no interval, no comparison, and NaN in the sentence."""
    made = [*nights(np.full(13, 0.5)), NightMean("2013-02-01", 200, math.nan)]
    found = realised("v", made, nights(np.full(14, 0.4)))
    assert found.promised is None
    assert "lost nan a row" in found.reason
    assert "not assessable" in found.reason
