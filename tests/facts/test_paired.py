"""Paired comparison by night: the published formula, its error rates, and what it refuses to say."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from perennial.facts.paired import Outcome, Question, compare, limits, mean_per_row, pseudo_values

REFERENCE = (
    0.012,
    -0.004,
    0.008,
    0.015,
    0.003,
    0.009,
    -0.001,
    0.011,
    0.006,
    0.002,
    0.014,
    0.005,
    0.007,
    0.010,
)


def autocorrelated(seed: int, *, reps: int, nights: int, serial: float) -> np.ndarray:
    """Draw standard normal nights, each resembling the one before."""
    noise = np.random.default_rng(seed).standard_normal((reps, nights))
    series = noise.copy()
    for night in range(1, nights):
        series[:, night] = serial * series[:, night - 1] + math.sqrt(1 - serial**2) * noise[:, night]
    return series


def share_better(gains: np.ndarray) -> float:
    """Return how often the challenger would be called better."""
    return float((limits(gains, alpha=0.05)["low"] > 0).mean())


def test_the_reference_values_of_the_formula() -> None:
    """Fourteen pseudo-values with a known answer fix the formula for good."""
    found = mean_per_row([1000 * value for value in REFERENCE], [1000] * 14)
    assert found.estimate == pytest.approx(0.006929, abs=1e-6)
    assert found.standard_error == pytest.approx(0.001481, abs=1e-6)
    assert (found.degrees, found.serial) == (13, 0)
    assert found.low == pytest.approx(0.004307, abs=1e-6)
    assert found.high == pytest.approx(0.009550, abs=1e-6)


def test_pseudo_values_are_those_of_deleting_each_night_by_hand() -> None:
    """Nights of different size weigh by their rows."""
    gains, rows = np.array([3.0, 8.0, 1.0]), np.array([10.0, 40.0, 20.0])
    whole = 12 / 70
    by_hand = [3 * whole - 2 * left for left in (9 / 60, 4 / 30, 11 / 50)]
    assert pseudo_values(gains, rows) == pytest.approx(by_hand)


@pytest.mark.parametrize(("serial", "least", "most"), [(0.0, 0.015, 0.055), (0.3, 0.03, 0.085)])
def test_a_model_that_is_not_better_is_rarely_called_better(serial, least, most) -> None:
    """At no true gain and 14 nights the declared .05 holds within its simulated band."""
    assert least <= share_better(autocorrelated(11, reps=4000, nights=14, serial=serial)) <= most


def test_a_gain_of_six_tenths_of_a_night_is_found_in_28_nights() -> None:
    """Power is at least .80 at .6 standard deviations of a night."""
    gains = 0.6 + autocorrelated(12, reps=4000, nights=28, serial=0.0)
    assert share_better(gains) >= 0.80


def test_counting_rows_as_independent_would_promote_one_time_in_five() -> None:
    """The mistake the clustering avoids: luck of a night a tenth of a row's, 1000 rows a night."""
    rng = np.random.default_rng(13)
    luck = 0.1 * rng.standard_normal((2000, 14))
    means = luck + rng.standard_normal((2000, 14)) / math.sqrt(1000)
    error_of_rows = 1 / math.sqrt(14 * 1000)
    naive = float((means.mean(axis=1) > stdtrit(13_999, 0.95) * error_of_rows).mean())
    assert naive > 0.20
    assert share_better(means) <= 0.055


def test_two_equal_models_are_equivalent_never_better() -> None:
    """The champion beside itself gains exactly nothing."""
    found = compare([0.0] * 14, [100] * 14, Question(margin=0.005))
    assert found.outcome is Outcome.EQUIVALENT


def test_six_nights_are_too_few_to_judge() -> None:
    """Below seven nights nothing is said, however large the gain."""
    found = compare([50.0, 51.0, 52.0, 50.0, 51.0, 52.0], [100] * 6, Question())
    assert found.outcome is Outcome.UNASSESSABLE


def test_a_night_without_rows_does_not_count() -> None:
    """An empty night is neither evidence nor a division by zero."""
    gains, rows = [*[5.0, 6.0, 4.0, 5.0, 6.0, 4.0, 5.0], 0.0], [*[100] * 7, 0]
    assert compare(gains, rows, Question()) == compare(gains[:7], rows[:7], Question())


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_loss_that_is_not_a_number_is_not_assessable(broken) -> None:
    """NaN compares as neither better nor worse, and must not slip through as harmless."""
    found = compare([broken, *[1.0] * 13], [100] * 14, Question())
    assert found.outcome is Outcome.UNASSESSABLE


def test_autocorrelation_widens_and_never_narrows() -> None:
    """Nights that resemble each other hold less evidence; alternating nights do not hold more."""
    trend = [math.sin(day / 3) for day in range(28)]
    alternating = [(-1.0) ** day for day in range(28)]
    wide, plain = (mean_per_row(trend, [1] * 28, serial=serial) for serial in (True, False))
    assert wide.standard_error > 2 * plain.standard_error
    assert mean_per_row(alternating, [1] * 28).serial == 0


def test_the_forecast_of_nights_gives_about_the_power_it_aims_at() -> None:
    """Over 400 histories, waiting as long as forecast finds a gain of half a night's luck in about four of five."""
    found = []
    for seed, history in enumerate(autocorrelated(14, reps=400, nights=28, serial=0.0)):
        more = compare(history.tolist(), [1] * 28, Question(min_gain=0.5)).more_nights
        later = 0.5 + autocorrelated(seed, reps=1, nights=28 + more[0] if more else 28, serial=0.0)
        found.append(share_better(later))
    assert 0.72 <= np.mean(found) <= 0.92
