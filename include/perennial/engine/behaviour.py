"""What a model does, as a hash: its predictions for a few fixed rows.

The bytes that skops writes differ from run to run; the predictions do not. Training keeps the rows
beside the model, and every later stage can ask whether the model still does the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from perennial.engine.fitting import TrainingSet, as_inputs, predict
from perennial.estimators.base import ColumnKinds
from perennial.facts.evaluation import Task

FIXED_ROWS = 256
SIGNIFICANT_DIGITS = 12
"""Digits of a prediction that count: the last ones differ between processors."""


def fixed_rows(
    training_set: TrainingSet, *, masked: Collection[str] = (), limit: int = FIXED_ROWS
) -> pd.DataFrame:
    """Choose rows by the hash of their keys; ``masked`` columns are emptied, so that no person is kept.

    Adding rows to the training set replaces few of them; their order is that of the hashes.
    """
    hashes = [hashlib.sha256(str(key).encode()).hexdigest() for key in training_set.keys]
    chosen = np.argsort(np.asarray(hashes))[:limit]
    rows = as_inputs(training_set.rows.iloc[chosen], training_set.columns).reset_index(drop=True)
    return rows.assign(
        **{name: _empty(name, training_set.columns) for name in rows.columns if name in set(masked)}
    )


def behaviour(model: Any, rows: pd.DataFrame, *, task: Task, columns: ColumnKinds) -> str:
    """Hash a model's predictions for these rows (SHA-256 of 12 significant digits each)."""
    predictions = np.ravel(predict(model, rows, task=task, columns=columns))
    # Adding zero makes of -0.0 the 0.0 that it equals.
    text = "\n".join(f"{value + 0.0:.{SIGNIFICANT_DIGITS}g}" for value in predictions)
    return hashlib.sha256(text.encode()).hexdigest()


def rows_as_text(rows: pd.DataFrame, columns: ColumnKinds) -> str:
    """Write fixed rows as JSON, every number to its last digit."""
    inputs = as_inputs(rows, columns).astype(object)
    values = inputs.where(inputs.notna(), None).to_numpy().tolist()
    content = {"numeric": columns.numeric, "categorical": columns.categorical, "rows": values}
    return json.dumps(content, ensure_ascii=False)


def rows_from_text(text: str) -> pd.DataFrame:
    """Read what ``rows_as_text`` wrote."""
    content = json.loads(text)
    columns = ColumnKinds(tuple(content["numeric"]), tuple(content["categorical"]))
    return as_inputs(pd.DataFrame(content["rows"], columns=list(columns.names), dtype=object), columns)


def _empty(name: str, columns: ColumnKinds) -> Any:
    return np.nan if name in columns.numeric else None
