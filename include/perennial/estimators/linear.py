"""Logistic regression for classes, ridge regression for numbers: the baseline that must be beaten.

Its preparation is the textbook's: medians and a mark for missing numbers, one scale for all,
a column for each category that is frequent enough.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from perennial.estimators.base import ColumnKinds, Estimator, Interval, Space
from perennial.facts.evaluation import Task


class Linear(Estimator):
    """A weighted sum of the columns; categories that are rare or were never seen share one weight.

    >>> columns = ColumnKinds(numeric=("distance",))
    >>> type(Linear().pipeline("regression", columns, seed=7)[-1]).__name__
    'Ridge'
    """

    strength: float = Field(1.0, gt=0)
    """Strength of the penalty on the weights."""
    category_rows: int = Field(20, ge=1)
    """A category with fewer rows shares one column with the other rare ones."""
    most_categories: int = Field(50, ge=2, le=1_000)
    """Most columns that one categorical column becomes."""

    def space(self, task: Task) -> Space:
        """Search the penalty."""
        del task
        return {"strength": Interval(0.01, 100.0, log=True)}

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Fill, scale and spread the columns, then fit the weights."""
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import Pipeline

        if task == "regression":
            model = Ridge(alpha=self.strength, random_state=seed)
        else:
            model = LogisticRegression(C=1 / self.strength, max_iter=500, random_state=seed)
        return Pipeline([("columns", self.preparation(columns)), ("model", model)])

    def preparation(self, columns: ColumnKinds) -> Any:
        """Fill and scale numbers, spread categories; the same for every estimator that cannot take rows as they come."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        # keep_empty_features: a column that is empty in training must not change the others' places.
        fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        numbers = Pipeline([("fill", fill), ("scale", StandardScaler())])
        categories = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=self.category_rows,
            max_categories=self.most_categories,
        )
        parts = [
            ("numbers", numbers, list(columns.numeric)),
            ("categories", categories, list(columns.categorical)),
        ]
        return ColumnTransformer([part for part in parts if part[2]], remainder="drop")
