"""The reviewed list is what fitted estimators of today's scikit-learn hold: no type more, none less."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeClassifier

from perennial.registry.trusted_types import EVERYWHERE, REVIEWED, trusted_for

ROWS = pd.DataFrame(np.random.default_rng(7).normal(size=(80, 2)), columns=["a", "b"])
BRANDED = ROWS.assign(c=np.arange(80) % 3)
TREE = DecisionTreeClassifier(random_state=7)
PAIR = [("tree", TREE), ("line", LogisticRegression())]
FAMILIES = {
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]),
    "RandomForest": RandomForestRegressor(n_estimators=2),
    "ExtraTrees": ExtraTreesClassifier(n_estimators=2),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=2),
    "DecisionTree": TREE,
    "AdaBoost": AdaBoostClassifier(n_estimators=2),
    "Bagging": BaggingClassifier(n_estimators=2),
    "KNeighbors": KNeighborsClassifier(),
    "MLP": MLPClassifier((2,), max_iter=2000, random_state=7),
    "CalibratedClassifierCV": CalibratedClassifierCV(LogisticRegression()),
    "Voting": VotingClassifier(PAIR),
    "Stacking": StackingClassifier(PAIR),
    "SplineTransformer": make_pipeline(SplineTransformer(), LogisticRegression()),
}

OF_ANOTHER_SCIPY = {
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines._BSpline",
}
"""One of the two is held, by the SciPy that the lock has for this Python."""


@pytest.mark.parametrize("family", REVIEWED)
def test_the_list_of_a_family_is_what_its_models_hold(family) -> None:
    """A new scikit-learn that brings or drops a type fails here, and the list is reviewed again."""
    rows = BRANDED[["c", "b"]] if family == "HistGradientBoosting" else ROWS
    model = FAMILIES[family].fit(rows, ROWS["a"] + ROWS["b"] > 0)
    held = set(skops.io.get_untrusted_types(data=skops.io.dumps(model))) - set(EVERYWHERE)
    assert held <= set(REVIEWED[family])
    assert set(REVIEWED[family]) - held <= OF_ANOTHER_SCIPY


def test_nothing_that_runs_a_command_was_ever_reviewed() -> None:
    """The list grows by review, and never by these."""
    dangerous = ("os.", "posix.", "subprocess.", "builtins.", "shutil.", "importlib.", "sys.", "operator.")
    assert not [name for name in trusted_for("adopted") if name.startswith(dangerous)]


def test_an_unknown_estimator_may_hold_nothing_of_its_own() -> None:
    """A tag that somebody changed in MLflow gives no more trust."""
    assert trusted_for("../evil") == list(EVERYWHERE)
