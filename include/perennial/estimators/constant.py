"""The same answer for every row: the share of each class, the mean or the median. The least that a model must beat."""

from __future__ import annotations

from typing import Any, Literal

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

    centre: Literal["mean", "median"] = "mean"
    """What it answers for numbers: the mean has the least squared error, the median the least absolute one."""

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Keep the centre of the labels, or the share of each class."""
        del columns
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.pipeline import Pipeline

        if task == "regression":
            return Pipeline([("model", DummyRegressor(strategy=self.centre))])
        return Pipeline([("model", DummyClassifier(strategy="prior", random_state=seed))])
