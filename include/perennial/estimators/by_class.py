"""Any class that follows scikit-learn, by its dotted name, behind the preparation that the linear model has.

For a class that needs another preparation, write the folder's ``estimator.py`` instead.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, ClassVar

from pydantic import ConfigDict

from perennial.errors import EstimatorClassError
from perennial.estimators.base import ColumnKinds, Estimator
from perennial.estimators.linear import Linear
from perennial.facts.evaluation import Task


class ByClass(Estimator):
    """Builds the class called ``name``; every further parameter is passed to it.

    ``Classifier`` or ``Regressor`` is added to the name where the class is called so. It is given numbers without
    gaps, scaled, and a column for each frequent category; ``random_state`` is the training's seed where it takes one.

    >>> columns = ColumnKinds(numeric=("x",))
    >>> forest = ByClass(name="sklearn.ensemble.RandomForest", n_estimators=20)
    >>> type(forest.pipeline("regression", columns, seed=7)[-1]).__name__
    'RandomForestRegressor'
    """

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    trusted_types: ClassVar[tuple[str, ...]] = ("sklearn.tree._tree.Tree",)

    name: str = "sklearn.ensemble.ExtraTrees"
    """Dotted name of the class."""

    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Prepare the columns, then let the class learn.

        Raises:
            EstimatorClassError: no such class, no estimator, or a parameter that it does not take.
        """
        from sklearn.pipeline import Pipeline

        found = _class(self.name, "Regressor" if task == "regression" else "Classifier")
        taken = inspect.signature(found).parameters
        settings = {**({"random_state": seed} if "random_state" in taken else {}), **(self.model_extra or {})}
        try:
            model = found(**settings)
        except TypeError as mistake:
            raise EstimatorClassError(self.name, str(mistake)) from mistake
        needed = ("fit", "predict") if task == "regression" else ("fit", "predict", "predict_proba")
        missing = [method for method in needed if not hasattr(model, method)]
        if missing:
            raise EstimatorClassError(self.name, f"it has no {missing[0]}, so it cannot do {task}")
        return Pipeline([("columns", Linear().preparation(columns)), ("model", model)])


def _class(name: str, suffix: str) -> Any:
    module, _, last = name.rpartition(".")
    try:
        found = importlib.import_module(module)
    except (ImportError, ValueError) as mistake:
        raise EstimatorClassError(
            name, f"{module or 'its module'} cannot be imported ({mistake})"
        ) from mistake
    chosen = getattr(found, last + suffix, None) or getattr(found, last, None)
    if not inspect.isclass(chosen):
        raise EstimatorClassError(name, f"{module} has no class {last} or {last}{suffix}")
    return chosen
