"""The pictures of a training say what its unseen predictions say."""

import numpy as np
import pandas as pd
import pytest

from perennial.engine.fitting import TrainingSet, fit
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds
from perennial.registry.figures import calibration, importance, moved_by_column

PNG = b"\x89PNG"


def test_a_column_that_says_nothing_moves_nothing() -> None:
    """Shuffling it leaves every prediction nearly where it was."""
    generator = np.random.default_rng(7)
    rows = pd.DataFrame({"signal": generator.normal(size=500), "noise": generator.normal(size=500)})
    labels = rows["signal"].to_numpy() * 2
    training_set = TrainingSet(
        rows, labels, "regression", ColumnKinds(("signal", "noise")), np.arange(500).astype(str)
    )
    model = fit(make("linear", {}), training_set, seed=7)
    moved = moved_by_column(model, training_set, seed=7)
    assert moved["noise"] < 0.01
    assert moved["signal"] > 1
    assert importance(model, training_set, seed=7).startswith(PNG)


@pytest.mark.parametrize(
    ("task", "labels", "predictions", "classes"),
    [
        ("binary", np.array([0, 1, 1]), np.array([0.1, 0.6, 0.9]), ()),
        ("regression", np.array([1.0, 2.0]), np.array([1.5, 1.5]), ()),
        ("multiclass", np.array(["a", "b"]), np.array([[0.9, 0.1], [0.2, 0.8]]), ("a", "b")),
    ],
)
def test_every_task_has_its_calibration_and_the_same_figure_is_the_same_bytes(
    task, labels, predictions, classes
) -> None:
    """Also of fewer rows than groups."""
    drawn = [calibration(labels, predictions, task=task, classes=classes) for _ in range(2)]
    assert drawn[0].startswith(PNG)
    assert drawn[0] == drawn[1]
