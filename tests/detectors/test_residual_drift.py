"""The slow arm: false pages inside the budget, lasting shifts found, ignorance said so."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from perennial.clock import after
from perennial.detectors.residual_drift import ResidualDrift
from perennial.facts.residuals import NightResidual, Residuals
from perennial.facts.shift import LIVE_STRETCH, ratios

FIRST = "2013-01-01"


def nights(means, first=FIRST, rows=900):
    """Date a row of mean residuals."""
    return tuple(NightResidual(after(first, i), rows, float(mean)) for i, mean in enumerate(means))


def watch(reference, live, scale=1.0):
    """Put the live nights right after the reference."""
    start = after(FIRST, len(reference))
    last = after(start, max(len(live) - 1, 0))
    return Residuals(last, nights(reference), nights(live, start), scale)


def stationary(histories, count, autocorrelation=0.0, sd=0.14, seed=1):
    """Draw residual nights in which nothing ever changes, one history a row."""
    shocks = np.random.default_rng(seed).normal(
        0, sd * np.sqrt(1 - autocorrelation**2), (histories, 100 + count)
    )
    for night in range(1, shocks.shape[1]):
        shocks[:, night] += autocorrelation * shocks[:, night - 1]
    return shocks[:, 100:]


def share_that_page(histories, reference, detector, shift=0.0, live=LIVE_STRETCH):
    """Return the share of histories that cross their own threshold on any live night."""
    known, lately = histories[:, :reference], histories[:, reference : reference + live] + shift
    thresholds = np.array([detector.threshold(tuple(row)) for row in known.tolist()])
    return float((np.abs(ratios(known, lately, detector.windows)).max(axis=1) > thresholds).mean())


@pytest.mark.parametrize("autocorrelation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("reference", [60, 120])
def test_ninety_stationary_nights_keep_the_budget(reference, autocorrelation):
    """Nothing wrong, a look every night, both windows: pages in 90 nights stay inside 90/365 (200 histories)."""
    histories = stationary(200, reference + LIVE_STRETCH, autocorrelation)
    detector = ResidualDrift(resamples=200)
    allowed = 1 - np.exp(-detector.allowed(LIVE_STRETCH))
    assert share_that_page(histories, reference, detector) <= allowed + 2 * np.sqrt(
        allowed * (1 - allowed) / 200
    )


def test_a_level_that_wanders_keeps_the_budget_that_is_broken_where_it_is_taken_to_stand_still():
    """A level that moves by .3 of a night's sd from month to month: inside 90/365, and outside without the term."""
    level = stationary(200, 90 + LIVE_STRETCH, 0.95, sd=0.3 * 0.14, seed=9)
    histories = stationary(200, 90 + LIVE_STRETCH, seed=8) + level
    detector, trusting = ResidualDrift(resamples=200, level_wander=0.3), ResidualDrift(resamples=200)
    allowed = 1 - np.exp(-detector.allowed(LIVE_STRETCH))
    reach = 2 * np.sqrt(allowed * (1 - allowed) / 200)
    assert share_that_page(histories, 90, detector) <= allowed + reach
    assert share_that_page(histories, 90, trusting) > allowed + reach


def test_half_of_a_stationary_history_sees_no_page_in_the_other_half():
    """Half the history is reference, the other half lives through ``read`` night by night: no night is over."""
    history = stationary(1, 180, 0.3, seed=3)[0]
    states = [ResidualDrift().read(watch(history[:90], history[90 : 90 + n])).state for n in range(1, 91)]
    assert states[:13] == ["learning"] * 13
    assert states[13:] == ["quiet"] * 77


def test_a_tighter_budget_pages_less():
    """The declared budget is what moves the threshold: a quarter of the pages raises it."""
    reference = tuple(stationary(1, 90)[0].tolist())
    strict = ResidualDrift(false_pages=1, per_nights=1460)
    assert strict.threshold(reference) > ResidualDrift().threshold(reference)


def test_a_shift_like_that_of_the_flights_is_found_within_45_nights():
    """A lasting shift of .10 over nights that vary by .14 is found in most histories within 45 nights."""
    histories = stationary(200, 180 + 45, 0.1)
    assert share_that_page(histories, 180, ResidualDrift(resamples=400), shift=-0.10, live=45) >= 0.7


def test_simulated_and_read_ratios_agree():
    """What the simulations judge is what ``read`` says: the same ratio, the same threshold."""
    history = stationary(1, 150, seed=5)[0]
    reading = ResidualDrift().read(watch(history[:90], history[90:130] - 0.1))
    simulated = ratios(history[None, :90], history[None, 90:130] - 0.1, (14, 28))[0, -1]
    assert reading.statistic == pytest.approx(abs(simulated))
    assert reading.threshold == ResidualDrift().threshold(tuple(history[:90].tolist()))


def test_an_in_sample_reference_pages_where_a_fair_one_is_quiet():
    """Nights the model was fitted on vary by .05, new ones by .14: only the fair reference keeps the budget."""
    fair = stationary(200, 90 + LIVE_STRETCH, sd=0.14, seed=7)
    flattering = np.concatenate([fair[:, :90] * (0.05 / 0.14), fair[:, 90:]], axis=1)
    detector = ResidualDrift(resamples=400)
    assert share_that_page(flattering, 90, detector) > 2 * share_that_page(fair, 90, detector)


def test_too_short_a_reference_is_learning_never_quiet():
    """Fifty-nine nights of reference give no verdict, even where live nights are far away."""
    reading = ResidualDrift().read(watch(stationary(1, 59)[0], [-0.5] * 30))
    assert (reading.state, reading.threshold) == ("learning", None)
    assert "59 nights" in reading.reason
    assert "60 are needed" in reading.reason


def test_a_new_champion_is_learning_until_the_shortest_window_is_full():
    """Thirteen matured nights give no verdict, and say how many are needed."""
    reading = ResidualDrift().read(watch(stationary(1, 90)[0], [-0.5] * 13))
    assert reading.state == "learning"
    assert "13 nights" in reading.reason


def test_a_residual_that_is_no_number_is_no_verdict():
    """A night whose residual is not a number may hide anything, so nothing is called quiet."""
    live = [0.0] * 20 + [float("nan")]
    reading = ResidualDrift().read(watch(stationary(1, 90)[0], live))
    assert reading.state == "learning"
    assert "not a number" in reading.reason


def test_a_shift_too_small_to_matter_is_quiet():
    """Over the threshold but inside the effect floor is no drift, and the sentence says why."""
    reading = ResidualDrift().read(watch(stationary(1, 90, sd=0.005)[0], [0.02] * 28))
    assert reading.ratio > 1
    assert reading.state == "quiet"
    assert "0.03 that matters" in reading.reason


def test_the_floor_of_a_regression_counts_in_spreads_of_its_label():
    """The same minutes are drift for a label that varies by 10 and noise for one that varies by 1,000."""
    reference, live = stationary(1, 90, sd=0.5)[0], [5.0] * 28
    assert ResidualDrift().read(watch(reference, live, scale=10.0)).state == "over"
    assert ResidualDrift().read(watch(reference, live, scale=1000.0)).state == "quiet"


def test_a_reference_without_any_spread_can_still_be_left():
    """A model that was always exactly right has no spread; a real shift is over, equality is quiet."""
    assert ResidualDrift().read(watch([0.0] * 60, [0.1] * 14)).state == "over"
    assert ResidualDrift().read(watch([0.0] * 60, [0.0] * 14)).state == "quiet"


def test_the_reason_is_one_sentence_with_the_numbers():
    """Page, log and alert show the very sentence: window, shift, interval, threshold, budget."""
    reading = ResidualDrift().read(watch(stationary(1, 90)[0], [-0.2] * 28))
    assert reading.state == "over"
    for said in (
        "28 matured nights",
        "0.200 below predictions",
        "95% interval",
        "1 false page in 365 nights",
    ):
        assert said in reading.reason


def test_the_same_nights_give_the_same_evidence():
    """Order of delivery changes nothing; the hash is that of the nights, the settings and the seed."""
    history = stationary(1, 120)[0]
    once = watch(history[:90], history[90:])
    shuffled = Residuals(once.night, once.reference[::-1], once.live[::-1])
    assert ResidualDrift().read(once).evidence_hash == ResidualDrift().read(shuffled).evidence_hash
    assert ResidualDrift().read(once).evidence_hash != ResidualDrift(seed=1).read(once).evidence_hash


def test_a_reading_is_plain_values():
    """The ledger writes readings as JSON: nothing of numpy may be left in them; the tail is a number for the budget."""
    reading = ResidualDrift().read(watch(stationary(1, 90)[0], [-0.2] * 28))
    assert 0.02 < reading.tail < 0.4
    assert json.loads(json.dumps(reading.as_json()))["evidence"]["window"] == 28


def test_nights_without_labelled_rows_do_not_count():
    """A night of no rows has no mean; it is neither reference nor live."""
    reference, live = nights([0.0] * 90), nights([0.0] * 14, "2013-06-01", rows=0)
    assert ResidualDrift().read(Residuals("2013-06-14", reference, live)).state == "learning"


def test_a_night_is_never_compared_with_itself():
    """A night that is both reference and live is refused when the residuals are put together."""
    with pytest.raises(ValueError, match="both a reference and a live night"):
        Residuals("2013-01-05", nights([0.0] * 5), nights([0.0] * 2))


def test_windows_are_held_to_what_the_threshold_covers():
    """A window longer than the stretch that is simulated, or shorter than a week, is refused."""
    for windows in ((3,), (120,), ()):
        with pytest.raises(ValidationError):
            ResidualDrift(windows=windows)
