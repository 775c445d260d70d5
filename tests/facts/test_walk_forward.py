"""A night is judged by earlier nights only, on its own weekday, without echoes."""

import numpy as np

from perennial.clock import after, between
from perennial.facts.walk_forward import Windows, baseline, median_of_known, trailing_mean, z_scores

WINDOWS = Windows(weeks=8, pooled_nights=28, ar_nights=120, clip=3)


def scores(values: np.ndarray, holidays: tuple[int, ...] = ()) -> np.ndarray:
    """Score one stream, night by night."""
    nights = between("2020-01-06", after("2020-01-06", len(values) - 1))
    ordinary = np.array([i not in holidays for i in range(len(values))])
    return z_scores(nights, values[:, None], np.full((len(values), 1), 0.01), ordinary, WINDOWS)[:, 0]


def test_what_comes_later_changes_nothing() -> None:
    """The score of a night is the same whether or not the nights after it are known."""
    values = np.random.default_rng(0).normal(size=200)
    np.testing.assert_array_equal(scores(values)[:150], scores(values[:150]))


def test_a_weekday_pattern_is_expected() -> None:
    """A week that repeats itself leaves nothing to explain."""
    week = np.resize([0.0, 1, 2, 3, 4, 5, 6], 70)[:, None]
    np.testing.assert_allclose(baseline(week, WINDOWS)[56:], week[56:])


def test_one_bad_night_is_not_echoed_on_its_weekday() -> None:
    """Four to eight weeks after an upheaval of a hundred deviations, its weekday is still judged fairly."""
    values = np.random.default_rng(1).normal(size=250)
    values[150] = 100.0
    z = scores(values)
    assert z[150] > 50
    assert np.abs(np.delete(z[70:], 80)).max() < 6


def test_a_holiday_is_not_scored_and_leaves_no_trace() -> None:
    """Held out of baselines, of the carried-over surprise and of the scale."""
    values = np.random.default_rng(2).normal(size=200)
    strange = values.copy()
    strange[150] = 100.0
    z = scores(strange, holidays=(150,))
    assert np.isnan(z[150])
    np.testing.assert_array_equal(z, scores(values, holidays=(150,)))


def test_autocorrelated_nights_are_whitened() -> None:
    """With phi .8, what last night explains is taken off: neighbouring scores are nearly unrelated."""
    draw, values = np.random.default_rng(3), np.zeros(390)
    for t in range(1, 390):
        values[t] = 0.8 * values[t - 1] + draw.normal()
    z = scores(values)[150:]
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 0.35


def test_without_enough_nights_there_is_no_score() -> None:
    """Twenty nights make neither four weekdays nor a pooled baseline with a scale."""
    assert np.isnan(scores(np.arange(20.0))).all()


def test_gaps_are_left_out_of_means_and_medians() -> None:
    """The mean of 1 and 3 is 2, whatever is missing between them."""
    column = np.array([[1.0], [np.nan], [3.0], [9.0]])
    assert trailing_mean(column, 3)[0][3, 0] == 2.0
    assert median_of_known(column[:3])[0] == 2.0
    assert np.isnan(median_of_known(column[:3], fewest=3)[0])
