"""Our metrics agree with scikit-learn's, and show what scikit-learn would hide."""

import numpy as np
import pytest
from benchmarks.simulated_metrics import cell
from sklearn import metrics as oracle

from perennial.errors import NotAMeanError
from perennial.metrics import judging, metrics
from perennial.metrics.base import places

RNG = np.random.default_rng(61)
Y = RNG.integers(0, 2, 500)
P = RNG.random(500)
CLASS = RNG.integers(0, 3, 500)
SHARES = RNG.dirichlet([1, 1, 1], 500)
TRUTH, GUESS = RNG.normal(size=500), RNG.normal(size=500)


@pytest.mark.parametrize(
    ("name", "y", "prediction", "expected"),
    [
        ("log_loss", Y, P, oracle.log_loss(Y, P)),
        ("log_loss", CLASS, SHARES, oracle.log_loss(CLASS, SHARES)),
        ("brier", Y, P, oracle.brier_score_loss(Y, P)),
        ("brier", CLASS, SHARES, oracle.brier_score_loss(CLASS, SHARES, scale_by_half=False)),
        ("accuracy", Y, P, oracle.accuracy_score(Y, P >= 0.5)),
        ("accuracy", CLASS, SHARES, oracle.accuracy_score(CLASS, SHARES.argmax(axis=1))),
        ("auc", Y, P, oracle.roc_auc_score(Y, P)),
        ("average_precision", Y, P, oracle.average_precision_score(Y, P)),
        ("f1", Y, P, oracle.f1_score(Y, P >= 0.5)),
        ("r2", TRUTH, GUESS, oracle.r2_score(TRUTH, GUESS)),
        ("rmse", TRUTH, GUESS, oracle.root_mean_squared_error(TRUTH, GUESS)),
        ("mae", TRUTH, GUESS, oracle.mean_absolute_error(TRUTH, GUESS)),
    ],
)
def test_scores_are_scikit_learns(name, y, prediction, expected) -> None:
    """A number on our pages is the number another tool would show."""
    assert metrics()[name]().score(y, prediction) == pytest.approx(expected)


def test_a_sure_and_wrong_prediction_costs_much_but_not_everything() -> None:
    """An infinite loss would make every mean infinite."""
    assert 36 < metrics()["log_loss"]().row_loss([1], [0.0])[0] < 37


def test_a_class_the_model_has_never_seen_costs_like_a_sure_error() -> None:
    """A new class is the model's failure, not a missing row."""
    loss = metrics()["log_loss"]().row_loss(places(["new"], ["a", "b"]), [[0.5, 0.5]])
    assert loss[0] > 36


def test_auc_is_no_mean_over_rows() -> None:
    """It says so, instead of being averaged over nights."""
    with pytest.raises(NotAMeanError, match="auc is not a mean"):
        metrics()["auc"]().row_loss([1, 0], [0.5, 0.5])


def test_auc_of_one_class_is_not_a_number() -> None:
    """No pair, no ranking."""
    assert np.isnan(metrics()["auc"]().score([1, 1], [0.2, 0.3]))


def test_worth_is_what_a_table_of_outcomes_says() -> None:
    """Each row is worth its outcome, called where that is worth more by the model's own probability."""
    worth = judging("value", {"true_positive": 8.0, "false_positive": -1.0, "false_negative": -2.0})
    assert worth.threshold == pytest.approx(1 / 11)
    assert worth.score([1, 1, 0, 0], [0.5, 0.05, 0.5, 0.05]) == pytest.approx((8 - 2 - 1 + 0) / 4)
    assert worth.row_loss([1, 1, 0, 0], [0.5, 0.05, 0.5, 0.05]).tolist() == [0.0, 10.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("value", {"true_positive": -5.0}, "being right"),
        ("value", {"false_positive": 3.0}, "being right"),
        ("unit_cost", {"too_low": 0.0}, "above zero"),
    ],
)
def test_a_worth_that_rewards_mistakes_is_refused(name: str, value: dict[str, float], said: str) -> None:
    """A gain for being wrong is a slip of the sign."""
    with pytest.raises(ValueError, match=said):
        judging(name, value)


@pytest.mark.parametrize("name", ["auc", "average_precision", "f1", "value", "unit_cost", "log_loss"])
def test_luck_is_taken_for_a_gain_as_rarely_as_declared(name: str) -> None:
    """Two models of one quality, 14 nights that resemble each other by .3: at most .055 within two standard errors."""
    count = 1500 if name not in ("auc", "average_precision") else 500
    found = cell(np.random.default_rng(31), name, (14, 0.3, None if name == "unit_cost" else -2.2), count)
    rate = found["realised"]
    assert rate <= 0.055 + 2 * np.sqrt(0.055 * 0.945 / count)
