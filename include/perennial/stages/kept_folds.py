"""Predictions of folds, kept in the store: a retraining fits the newest folds and reads the others.

Stands below the last step of a training; ``engine/kept_folds.py`` says what makes two folds the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from perennial.engine.fitting import Array
from perennial.stages import datasets
from perennial.workspace import Workspace


@dataclass(frozen=True)
class KeptFolds:
    """The kept predictions of one model's folds."""

    workspace: Workspace
    model: str

    def get(self, key: str) -> Array | None:
        """Return what is kept under a key; nothing where nothing is."""
        if not self.workspace.store.version(datasets.folds(self.model), key):
            return None
        table = self.workspace.store.read(datasets.folds(self.model), key)
        return np.asarray(table["prediction"].to_pylist(), float)

    def put(self, key: str, predictions: Array) -> None:
        """Keep predictions: a number a row, or for classes a list."""
        table = pa.table({"prediction": pa.array(predictions.tolist())})
        self.workspace.store.publish(datasets.folds(self.model), key, table)
