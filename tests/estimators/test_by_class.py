"""Any class by its dotted name: what it is called for each task, and what is said where it cannot be had."""

import numpy as np
import pandas as pd
import pytest

from perennial.engine.behaviour import behaviour, fixed_rows
from perennial.engine.fitting import TrainingSet, fit, kinds_of, predict
from perennial.errors import EstimatorClassError, UnsavableModelError
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds
from perennial.registry.artefacts import Artefact, read, write
from perennial.registry.trusted_types import trusted_for

COLUMNS = ColumnKinds(numeric=("x",), categorical=("c",))


def rows(task: str) -> TrainingSet:
    """Draw a number with gaps and a category that say something of the label."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=400), "c": rng.choice(["a", "b", "c"], 400)})
    score = 2 * frame["x"].to_numpy() + (frame["c"] == "a") + rng.normal(size=400)
    frame.loc[::7, "x"] = np.nan
    labels = {
        "binary": (score > 0).astype(int),
        "regression": score,
        "multiclass": np.where(score > 1, "high", np.where(score < -1, "low", "middle")),
    }[task]
    return TrainingSet(
        frame, np.asarray(labels), task, kinds_of(frame, ["x", "c"]), np.arange(400).astype(str)
    )


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
@pytest.mark.parametrize(
    "name",
    [
        "sklearn.ensemble.RandomForest",
        "sklearn.ensemble.ExtraTrees",
        "sklearn.ensemble.GradientBoosting",
        "sklearn.neural_network.MLP",
        "sklearn.tree.DecisionTree",
    ],
)
def test_reviewed_families_train_ship_and_come_back(name: str, task: str) -> None:
    """For each task under the one name; what is read again predicts the same."""
    training = rows(task)
    model = fit(make("by_class", {"name": name}), training, seed=7)
    trusted = trusted_for("by_class")
    loaded = read(Artefact(write(model, trusted), "x"), trusted)
    fixed = fixed_rows(training)
    assert behaviour(loaded, fixed, task=task, columns=training.columns) == behaviour(
        model, fixed, task=task, columns=training.columns
    )
    again = fit(make("by_class", {"name": name}), training, seed=7)
    made = [predict(each, training.rows, task=task, columns=training.columns) for each in (model, again)]
    assert made[0].tobytes() == made[1].tobytes()


@pytest.mark.parametrize(
    ("parameters", "task", "said"),
    [
        ({"name": "sklearn.ensemble.RandomWoods"}, "binary", "has no class RandomWoods"),
        ({"name": "nothing.of.that.Name"}, "binary", "cannot be imported"),
        ({"name": "RandomForest"}, "binary", "cannot be imported"),
        ({"name": "sklearn.preprocessing.StandardScaler"}, "binary", "has no predict"),
        ({"name": "sklearn.svm.LinearSVC"}, "binary", "has no predict_proba"),
        ({"name": "sklearn.ensemble.RandomForest", "trees": 5}, "binary", "unexpected keyword"),
        ({"name": "sklearn.metrics.roc_auc_score"}, "binary", "has no class"),
    ],
)
def test_what_cannot_be_had_is_said_by_name(parameters, task, said) -> None:
    """Before anything is fitted."""
    with pytest.raises(EstimatorClassError, match=said):
        make("by_class", parameters).pipeline(task, COLUMNS, seed=7)


def test_a_class_that_nobody_reviewed_is_refused_with_its_type() -> None:
    """It could be trained and never be served: the type to review stands in the message."""
    training = rows("regression")
    model = fit(make("by_class", {"name": "sklearn.gaussian_process.GaussianProcess"}), training, seed=7)
    with pytest.raises(UnsavableModelError, match=r"sklearn\.gaussian_process"):
        write(model, trusted_for("linear"))
