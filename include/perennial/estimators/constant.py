"""The same answer for every row: the share of each class, or the mean. The least that a model must beat."""

from __future__ import annotations

from typing import Any

from perennial.estimators.base import ColumnKinds, Estimator
from perennial.facts.evaluation import Task


class Constant(Estimator):
    """Looks at no column.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    >>> model = Constant().pipeline("regression", ColumnKinds(numeric=("x",)), seed=7)
    >>> model.fit(rows, [1.0, 2.0, 3.0, 6.0]).predict(rows)[0].item()
    3.0
    """

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Keep the mean of the labels, or the share of each class."""
        del columns
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.pipeline import Pipeline

        if task == "regression":
            return Pipeline([("model", DummyRegressor(strategy="mean"))])
        return Pipeline([("model", DummyClassifier(strategy="prior", random_state=seed))])
