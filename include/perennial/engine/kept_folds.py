"""Predictions of a fold that was fitted before: the same rows, recipe and seed give the same ones again.

A retraining rolls over the folds of the one before it and adds the newest; only those need to be fitted. What makes
two folds the same is everything that their predictions depend on, by content and never by position or date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from perennial.engine.fitting import Array, TrainingSet, as_inputs
from perennial.engine.folds import RowFold
from perennial.estimators.base import Estimator
from perennial.estimators.custom import Custom
from perennial.facts.evidence import fingerprint


class Kept(Protocol):
    """Where predictions of folds are kept."""

    def get(self, key: str) -> Array | None:
        """Return what is kept under a key; nothing where nothing is."""

    def put(self, key: str, predictions: Array) -> None:
        """Keep predictions."""


@dataclass(frozen=True)
class KnownFolds:
    """The folds of one training set under one recipe, each fitted once however often it is asked for."""

    estimator: Estimator
    training_set: TrainingSet
    seed: int
    kept: Kept

    def predictions(self, fold: RowFold, made: Callable[[], Array]) -> Array:
        """Return the fold's predictions, as kept or as made now."""
        # A folder's own code may depend on what cannot be seen from here.
        if isinstance(self.estimator, Custom):
            return made()
        key = self._key(fold)
        known = self.kept.get(key)
        if known is not None and len(known) == len(fold.predicted):
            return known
        found = made()
        self.kept.put(key, found)
        return found

    def _key(self, fold: RowFold) -> str:
        parts = [self._rows[fold.train], self._labels[fold.train], self._rows[fold.predicted]]
        content = hashlib.sha256()
        if self.training_set.weights is not None:
            parts.append(self.training_set.weights[fold.train])
        for part in parts:
            content.update(f"{len(part)};".encode() + part.tobytes())
        return fingerprint({"recipe": self._recipe, "content": content.hexdigest()})

    @cached_property
    def _recipe(self) -> str:
        import sklearn

        training_set = self.training_set
        classes = sorted({str(label) for label in training_set.labels}) if self._by_name else []
        return fingerprint(
            {
                "estimator": type(self.estimator).__name__,
                "parameters": self.estimator.model_dump(mode="json"),
                "columns": list(training_set.columns.names),
                "numeric": list(training_set.columns.numeric),
                "task": training_set.task,
                "classes": classes,
                "seed": self.seed,
                "versions": [sklearn.__version__, np.__version__, pd.__version__],
            }
        )

    @cached_property
    def _rows(self) -> Array:
        inputs = as_inputs(self.training_set.rows, self.training_set.columns)
        return pd.util.hash_pandas_object(inputs, index=False).to_numpy()

    @cached_property
    def _labels(self) -> Array:
        labels = self.training_set.labels
        return pd.util.hash_array(labels.astype(object if self._by_name else float))

    @property
    def _by_name(self) -> bool:
        return self.training_set.task == "multiclass"
