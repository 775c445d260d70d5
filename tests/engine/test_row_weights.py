"""Rows that count more or less: what is asked for is what the model heeds, and what nobody asked for changes nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from perennial.engine.fitting import TrainingSet, fit, kinds_of, predict
from perennial.engine.row_weights import row_weights
from perennial.errors import CannotWeighError
from perennial.estimators import make

NIGHTS = np.asarray([f"2013-01-{night:02}" for night in range(1, 29) for _ in range(40)], dtype=object)


def changing(seed: int) -> TrainingSet:
    """Draw rows whose label follows x in the first half of the nights and turns against it in the second."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"x": rng.normal(size=len(NIGHTS))})
    late = NIGHTS > "2013-01-14"
    score = np.where(late, -1.5, 1.5) * rows["x"].to_numpy() - 1
    labels = (rng.random(len(NIGHTS)) < 1 / (1 + np.exp(-score))).astype(int)
    keys = np.arange(len(NIGHTS)).astype(str)
    return TrainingSet(rows, labels, "binary", kinds_of(rows, ["x"]), keys, nights=NIGHTS)


def test_nothing_asked_is_no_weight() -> None:
    """The same training as before there were weights."""
    assert row_weights(np.asarray([0, 1, 1]), None, class_weights=None, half_life=None) is None
    assert row_weights(np.asarray([1, 1]), None, class_weights="balanced", half_life=None) is None


def test_a_half_life_halves_and_the_mean_is_one() -> None:
    """A row fourteen nights older than another counts half as much, with a half-life of fourteen."""
    weights = row_weights(np.zeros(len(NIGHTS)), NIGHTS, class_weights=None, half_life=14.0)
    assert weights is not None
    assert weights.mean() == pytest.approx(1)
    assert weights[0] / weights[14 * 40] == pytest.approx(0.5)


@pytest.mark.parametrize("labels", [np.asarray([0, 0, 0, 1]), np.asarray([False, False, False, True])])
def test_balanced_classes_weigh_the_same_in_all(labels) -> None:
    """Also where yes and no are truth values."""
    weights = row_weights(labels, None, class_weights="balanced", half_life=None)
    assert weights is not None
    assert weights[:3].sum() == pytest.approx(weights[3])


def test_declared_class_weights_are_ratios() -> None:
    """A class that is not named counts once."""
    weights = row_weights(np.asarray(["a", "b", "c"]), None, class_weights={"b": 5}, half_life=None)
    assert weights is not None
    assert (weights[1] / weights[0], weights[2] / weights[0]) == (pytest.approx(5), pytest.approx(1))


@pytest.mark.parametrize("name", ["gradient_boosting", "linear", "by_class"])
def test_a_model_heeds_the_weights(name: str) -> None:
    """With a short half-life it learns the newest relation, without it the mean of both."""
    rows = changing(3)
    weights = row_weights(rows.labels, NIGHTS, class_weights=None, half_life=3.0)
    given = make(name, {"min_samples_leaf": 100} if name == "by_class" else {})
    asked = pd.DataFrame({"x": [-1.5, 1.5]})
    low, high = predict(
        fit(given, replace(rows, weights=weights), 7), asked, task="binary", columns=rows.columns
    )
    even = predict(fit(given, rows, 7), asked, task="binary", columns=rows.columns)
    assert low > high
    assert low - high > even[0] - even[1] + 0.1


def test_an_estimator_that_takes_no_weights_is_told() -> None:
    """Silence would train something else than what was declared."""
    rows = changing(3)
    weights = row_weights(rows.labels, NIGHTS, class_weights="balanced", half_life=None)
    neighbours = make("by_class", {"name": "sklearn.neighbors.KNeighbors"})
    with pytest.raises(CannotWeighError, match="KNeighborsClassifier takes no sample_weight"):
        fit(neighbours, replace(rows, weights=weights), 7)
