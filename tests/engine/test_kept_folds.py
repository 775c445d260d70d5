"""A fold that was fitted before is not fitted again, and anything that could change its predictions makes it another."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.engine.test_folds import SEASON
from tests.engine.test_folds import season as numbers_only

from perennial.engine.fitting import Array, TrainingSet
from perennial.engine.folds import Unseen, folds_of, forward_predictions
from perennial.engine.kept_folds import KnownFolds
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds, Estimator
from perennial.estimators.custom import Custom

BOOSTING = make("gradient_boosting", {"iterations": 5})


class Shelf(dict[str, Array]):
    """Keeps predictions in memory."""

    def put(self, key: str, predictions: Array) -> None:
        """Keep predictions; never twice under one key."""
        assert key not in self
        self[key] = predictions


def season() -> TrainingSet:
    """Make a hundred nights with a number and a category."""
    rows = numbers_only()
    kinds = np.where(np.arange(len(rows)) % 3, "a", "b")
    return replace(
        rows, rows=rows.rows.assign(kind=kinds.astype(object)), columns=ColumnKinds(("x",), ("kind",))
    )


def unseen(rows: TrainingSet, shelf: Shelf, estimator: Estimator = BOOSTING, seed: int = 7) -> Unseen:
    """Predict the folds of a training set, with what the shelf knows."""
    known = KnownFolds(estimator, rows, seed, shelf).predictions
    return forward_predictions(estimator, rows, folds_of(rows, fold_nights=28), seed=seed, known=known)


def test_a_longer_season_fits_its_new_folds_only() -> None:
    """And says to the last digit what fitting all of them would have said."""
    whole, shelf = season(), Shelf()
    earlier = whole.take(np.flatnonzero(whole.nights <= SEASON[29 + 2 * 28 - 1]))
    unseen(earlier, shelf)
    assert len(shelf) == 2
    kept = unseen(whole, shelf)
    assert len(shelf) == len(folds_of(whole, fold_nights=28))
    assert kept.predictions.tobytes() == unseen(whole, Shelf()).predictions.tobytes()


@pytest.mark.parametrize("change", ["label", "value", "category", "seed", "parameter", "order"])
def test_whatever_could_change_a_prediction_makes_another_fold(change: str) -> None:
    """A corrected label, a corrected value, another seed or recipe: nothing old is taken for it."""
    rows, shelf = season(), Shelf()
    unseen(rows, shelf)
    before, folds = len(shelf), len(folds_of(rows, fold_nights=28))
    estimator, seed = BOOSTING, 7
    if change == "label":
        labels = rows.labels.copy()
        labels[0] = not labels[0]
        rows = replace(rows, labels=labels)
    elif change in ("value", "category"):
        names = rows.columns.numeric if change == "value" else rows.columns.categorical
        frame = rows.rows.copy()
        frame.loc[frame.index[0], names[0]] = None
        rows = replace(rows, rows=frame)
    elif change == "order":
        order = np.arange(len(rows))
        order[:2] = 1, 0
        rows = rows.take(order)
    elif change == "seed":
        seed = 8
    else:
        estimator = make("gradient_boosting", {"iterations": 6})
    unseen(rows, shelf, estimator, seed)
    assert len(shelf) == before + folds


def test_code_of_a_folder_is_always_run(tmp_path: Path) -> None:
    """What it depends on cannot be seen from outside."""
    (tmp_path / "estimator.py").write_text(
        "from sklearn.dummy import DummyClassifier\n"
        "def build(task, columns, parameters, seed):\n    return DummyClassifier()\n"
    )
    shelf = Shelf()
    unseen(season(), shelf, Custom(code=tmp_path / "estimator.py"))
    assert not shelf
