"""What scores lead one to expect: at their word, and as far as labels bear them out."""

import numpy as np
import pytest

from perennial.facts.expected_loss import (
    BINS,
    HALF_LIVES,
    Matured,
    calibrated,
    expected_loss,
    expected_losses,
    expected_residuals,
    losses,
    residual_model,
    tally,
)


def matured(scores: np.ndarray, labels: np.ndarray, nights: int) -> Matured:
    """Count the same rows as so many nights."""
    told = [
        tally(one, other)
        for one, other in zip(np.split(scores, nights), np.split(labels, nights), strict=True)
    ]
    rows, came_true = (np.array([one[place] for one in told]) for place in (0, 1))
    return Matured(rows, came_true, np.arange(nights, 0, -1.0))


def drawn(count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores that are twice too sure of themselves, and their labels."""
    draw = np.random.default_rng(0)
    odds = draw.normal(size=count)
    return 1 / (1 + np.exp(-2 * odds)), (draw.random(count) < 1 / (1 + np.exp(-odds))).astype(float)


def test_calibrations_find_the_chances_that_labels_show() -> None:
    """Each but the raw one comes within .01 of the mean loss; at their word the scores promise too little."""
    scores, labels = drawn()
    found = expected_losses(scores, matured(scores, labels, 20))
    came = losses(scores, labels).mean()
    assert found.pop("raw") < came - 0.1
    assert list(found.values()) == pytest.approx([came] * len(found), abs=0.01)


@pytest.mark.parametrize("loss", ["log_loss", "brier"])
def test_the_expected_loss_of_known_chances_is_the_mean_of_what_comes(loss: str) -> None:
    """A million coins: half the time each loss."""
    assert expected_loss(np.array([0.8]), np.array([0.5]), loss) == pytest.approx(
        losses(np.array([0.8, 0.8]), np.array([0.0, 1.0]), loss).mean()
    )


@pytest.mark.parametrize("labels", [np.ones(400), np.array([0.0, 1.0] * 20)])
def test_few_labels_or_one_class_leave_scores_at_their_word(labels: np.ndarray) -> None:
    """Nothing can be calibrated on them."""
    scores = np.full(len(labels), 0.3)
    found = calibrated(scores, matured(scores, labels, 2))
    assert all((one == 0.3).all() for one in found.values())


def test_recent_nights_weigh_more_the_shorter_the_memory() -> None:
    """Ten nights at .2, then ten at .5 for one score: memories of 4, 14 and 45 nights in that order."""
    scores = np.full(2000, 0.35)
    labels = np.concatenate([np.tile([1.0, 0, 0, 0, 0], 200), np.tile([1.0, 0], 500)])
    found = calibrated(scores[:1], matured(scores, labels, 20))
    short, middle, long = (float(found[f"platt {half}"][0]) for half in HALF_LIVES)
    assert 0.5 > short > middle > long > 0.35


def test_tallies_of_nights_add_up_and_leave_out_what_has_no_label() -> None:
    """Ranges are fixed: the sum of two nights is the tally of both."""
    scores = np.array([0.0, 0.2, 0.9, 1.0])
    labels = np.array([0.0, 1.0, np.nan, 1.0])
    rows, came_true = tally(scores, labels)
    assert (rows.sum(), came_true.sum(), len(rows)) == (3, 2, BINS)
    halves = [tally(scores[:2], labels[:2])[0], tally(scores[2:], labels[2:])[0]]
    assert (halves[0] + halves[1] == rows).all()


def test_expected_residuals_are_rescaled_by_what_came() -> None:
    """Every night came twice as bad as told: with thirty rows of belief against thousands, nearly twice."""
    told = np.full(40, 10.0)
    found = expected_residuals(10.0, told, 2 * told, np.full(40, 500.0), np.arange(40, 0, -1.0))
    assert found.pop("raw") == 10.0
    assert list(found.values()) == pytest.approx([20.0] * 3, abs=0.2)


def test_without_matured_nights_expected_residuals_are_taken_at_their_word() -> None:
    """Nothing is divided by nothing."""
    none = np.zeros(0)
    assert set(expected_residuals(10.0, none, none, none, none).values()) == {10.0}


def test_the_residual_model_knows_where_the_noise_is() -> None:
    """Rows of one half are twice as noisy, and expected to be."""
    draw = np.random.default_rng(0)
    side = draw.integers(0, 2, size=4000).astype(float)
    residuals = np.abs(draw.normal(size=4000)) * (1 + side)
    calm, wild = residual_model(side[:, None], residuals).predict(np.array([[0.0], [1.0]]))
    assert wild / calm == pytest.approx(2, abs=0.2)
