"""Gradient-boosted trees on binned columns: the default, and hard to beat on a table.

Numbers and categories go in as they are. A category is a set to split, not a number; the rarest share
one place, so that a column of thousands of aircraft costs no more than one of ten airlines.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from perennial.errors import CannotTrainError
from perennial.estimators.base import ColumnKinds, Estimator, Interval, Space
from perennial.facts.evaluation import Task

MOST_CATEGORIES = 254
"""scikit-learn's histogram of a column holds 255 values, one of them for what is missing."""


class GradientBoosting(Estimator):
    """Histogram gradient boosting; no early stopping, so every run fits what its parameters say.

    A value missing or never seen in training goes where most rows of the node went. The defaults are
    cautious: chosen on forward folds of the flights and of four smaller tables, where larger trees and
    more categories explain the past better and the next weeks worse.

    >>> columns = ColumnKinds(numeric=("distance",), categorical=("carrier",))
    >>> [name for name, _ in GradientBoosting().pipeline("binary", columns, seed=7).steps]
    ['columns', 'model']

    Reference: Ke et al. 2017, LightGBM; Fisher 1958 for the split of categories.
    """

    trusted_types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        # How the trees check their numbers; a partial of any other function is refused by that function's name.
        "functools.partial",
        "sklearn.utils.validation.check_array",
    )

    loss: Literal["squared", "absolute"] = "squared"
    """What a regression makes small: squared errors for the mean, absolute errors for the median."""
    learning_rate: float = Field(0.05, gt=0, le=1)
    """Share of each tree that is added."""
    iterations: int = Field(150, ge=1, le=10_000)
    """Trees (for each class, when there are more than two)."""
    leaves: int = Field(15, ge=2, le=1_000)
    """Most leaves of a tree."""
    leaf_rows: int = Field(30, ge=1)
    """Fewest rows in a leaf."""
    l2: float = Field(5.0, ge=0)
    """Penalty on the value of a leaf."""
    column_share: float = Field(0.5, gt=0, le=1)
    """Share of the columns that a node may look at."""
    category_rows: int = Field(40, ge=1)
    """A category with fewer rows shares one place with the other rare ones."""
    most_categories: int = Field(64, ge=2, le=MOST_CATEGORIES)
    """Most categories of a column that are told apart: the commonest ones."""

    rising: str = ""
    """Columns of numbers, parted by commas, with which the prediction never falls: `distance, age`."""
    falling: str = ""
    """Columns of numbers with which the prediction never rises."""

    def space(self, task: Task) -> Space:
        """Search what matters most: speed of learning, size and weight of the trees."""
        del task
        return {
            "learning_rate": Interval(0.02, 0.15, log=True),
            "iterations": Interval(60, 300, log=True, integer=True),
            "leaves": Interval(4, 31, log=True, integer=True),
            "leaf_rows": Interval(10, 200, log=True, integer=True),
            "l2": Interval(0.1, 50.0, log=True),
            "column_share": Interval(0.3, 1.0),
            "category_rows": Interval(10, 200, log=True, integer=True),
        }

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Encode categories as numbers that the trees take as sets, then boost."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        from sklearn.pipeline import Pipeline

        regression = task == "regression"
        learner = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        model = learner(
            loss=f"{self.loss}_error" if regression else "log_loss",
            learning_rate=self.learning_rate,
            max_iter=self.iterations,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.leaf_rows,
            l2_regularization=self.l2,
            max_features=self.column_share,
            categorical_features=list(range(len(columns.categorical))) or None,
            monotonic_cst=self._directions(task, columns),
            early_stopping=False,
            random_state=seed,
        )
        return Pipeline([("columns", self._preparation(columns)), ("model", model)])

    def _directions(self, task: Task, columns: ColumnKinds) -> list[int] | None:
        """Say for each column whether predictions may only rise or fall with it, in the order the trees see them."""
        asked = {
            name.strip(): sign
            for names, sign in ((self.rising, 1), (self.falling, -1))
            for name in names.split(",")
            if name.strip()
        }
        if not asked:
            return None
        if task == "multiclass":
            raise CannotTrainError("rising and falling need a label of two classes, or a number")
        strangers = [name for name in asked if name not in columns.numeric]
        if strangers:
            raise CannotTrainError(
                f"rising or falling names {strangers[0]}, which is no column of numbers here"
            )
        return [0] * len(columns.categorical) + [asked.get(name, 0) for name in columns.numeric]

    def _preparation(self, columns: ColumnKinds) -> Any:
        import numpy as np
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import OrdinalEncoder

        categories = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            min_frequency=self.category_rows,
            max_categories=self.most_categories,
        )
        parts = [
            ("categories", categories, list(columns.categorical)),
            ("numbers", "passthrough", list(columns.numeric)),
        ]
        return ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0)
