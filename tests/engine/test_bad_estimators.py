"""Estimators that fail or answer nonsense: each ends in a sentence that names it, never in a wrong number."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from perennial.engine.fitting import TrainingSet, fit, kinds_of, predict
from perennial.errors import BadPredictionsError, CannotTrainError, EstimatorFailedError
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds

BUILD = """
from tests.engine.test_bad_estimators import Odd
def build(task, columns, parameters, seed):
    return Odd(parameters["way"])
"""


class Odd(ClassifierMixin, BaseEstimator):
    """Learns nothing and answers in the way that it is told to."""

    def __init__(self, way: str) -> None:
        """Keep the way."""
        self.way = way

    def fit(self, rows: pd.DataFrame, labels: np.ndarray) -> "Odd":
        """Raise if that is its way."""
        del rows
        if self.way == "raises":
            message = "the matrix is singular"
            raise np.linalg.LinAlgError(message)
        self.classes_ = np.unique(labels)[:: -1 if self.way == "turned" else 1]
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Answer with a row too few."""
        return np.zeros(len(rows) - 1)

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """Answer in its way."""
        sure = np.full(len(rows), 0.8)
        return {
            "one column": sure[:, None],
            "flat": sure,
            "too few": np.stack([1 - sure, sure], axis=1)[1:],
            "above one": np.stack([1 - sure, sure + 1], axis=1),
            "negative": np.stack([-sure, 1 + sure], axis=1),
            "log odds": np.stack([-3 * sure, 3 * sure], axis=1),
            "uneven": np.stack([sure, sure], axis=1),
            "turned": np.stack([sure, 1 - sure], axis=1),
            "nan": np.full((len(rows), 2), np.nan),
        }[self.way]


def asked(way: str, folder, task: str = "binary") -> np.ndarray:
    """Fit the odd estimator through the folder's own file, and let it predict."""
    code = folder / "estimator.py"
    code.write_text(BUILD)
    frame = pd.DataFrame({"x": np.arange(20.0)})
    labels = np.arange(20) % 2
    rows = TrainingSet(frame, labels, task, kinds_of(frame, ["x"]), labels.astype(str))
    model = fit(make("custom", {"way": way}, code=code), rows, seed=7)
    return predict(model, frame, task=task, columns=rows.columns)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("one column", r"Odd returned the shape \(20, 1\), where \(20, 2\) was expected"),
        ("flat", "the shape"),
        ("too few", r"the shape \(19, 2\)"),
        ("above one", "probabilities from 0.2 to 1.8"),
        ("negative", "probabilities from -0.8 to 1.8"),
        ("log odds", "probabilities from -2.4 to 2.4"),
        ("uneven", "do not add up to 1"),
    ],
)
def test_what_is_no_probability_is_refused(way: str, said: str, tmp_path) -> None:
    """Clipped or cut to shape it would be a number that nobody meant."""
    with pytest.raises(BadPredictionsError, match=said):
        asked(way, tmp_path)


def test_a_row_too_few_is_refused_for_numbers_as_well(tmp_path) -> None:
    """Joined by position, every label would stand beside its neighbour's prediction."""
    with pytest.raises(BadPredictionsError, match=r"\(19,\)"):
        asked("flat", tmp_path, task="regression")


def test_classes_in_another_order_are_read_by_their_names(tmp_path) -> None:
    """The probability of yes is the one under yes, wherever it stands."""
    assert asked("turned", tmp_path) == pytest.approx(0.8)


def test_what_is_missing_stays_missing(tmp_path) -> None:
    """The gate that loads the model names it; here it must not become a number."""
    assert np.isnan(asked("nan", tmp_path)).all()


def test_an_estimator_that_raises_is_named_with_what_it_said(tmp_path) -> None:
    """And not as a line deep in another library."""
    with pytest.raises(EstimatorFailedError, match="Odd failed in fit: LinAlgError: the matrix is singular"):
        asked("raises", tmp_path)


@pytest.mark.parametrize("direction", ["rising", "falling"])
def test_a_prediction_goes_one_way_where_that_is_declared(direction: str) -> None:
    """Also where noise would turn it for a stretch."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"c": rng.choice(["a", "b"], 600), "x": rng.normal(size=600)})
    sign = 1 if direction == "rising" else -1
    labels = (rng.random(600) < 1 / (1 + np.exp(-sign * frame["x"].to_numpy()))).astype(int)
    rows = TrainingSet(frame, labels, "binary", kinds_of(frame, ["c", "x"]), np.arange(600).astype(str))
    line = pd.DataFrame({"c": "a", "x": np.linspace(-2, 2, 80)})
    steps = {}
    for parameters in ({"leaf_rows": 5}, {"leaf_rows": 5, direction: "x"}):
        model = fit(make("gradient_boosting", parameters), rows, seed=7)
        made = predict(model, line, task="binary", columns=rows.columns)
        steps[len(parameters)] = sign * np.diff(made)
    assert steps[1].min() < 0 <= steps[2].min()


@pytest.mark.parametrize(
    ("task", "names", "said"),
    [("binary", "c", "no column of numbers"), ("binary", "y", "names y"), ("multiclass", "x", "two classes")],
)
def test_a_direction_that_cannot_be_kept_is_refused(task, names, said) -> None:
    """A misspelt name would be a promise that nobody keeps."""
    columns = ColumnKinds(numeric=("x",), categorical=("c",))
    with pytest.raises(CannotTrainError, match=said):
        make("gradient_boosting", {"rising": names}).pipeline(task, columns, seed=7)
