"""Which estimator suits a table: the trees, or on a small or simple table the line.

`perennial new` asks before it writes `model.yaml`; the gates would refuse trees that a line beats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.errors import PerennialError
from perennial.scaffold.inference import Column
from perennial.scaffold.judging import Judged

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from perennial.engine.fitting import Array, TrainingSet

NEWEST_SHARE = 0.3
"""Share of the rows, the newest, that is left to the gates where there is time."""
MOST_ROWS = 6000
LEARNED = 0.7
"""Share of the rows tried that is learned from; the others judge."""
SEED = 20130101


def suits(table: pa.Table, columns: Mapping[str, Column], judged: Judged) -> str:
    """Name the estimator with the smaller loss on rows that it has not seen, and say which and why.

    Rows are taken in order of time, older ones to learn from; without time by chance, whole entities together.
    """
    rows = _rows(table, columns, judged)
    learn, ask = _parted(rows, judged)
    try:
        losses = {
            name: _loss(name, rows.take(learn), rows.take(ask)) for name in ("gradient_boosting", "linear")
        }
    except (PerennialError, ValueError):
        return "gradient_boosting"  # too few rows of a class to tell; the gates will
    best = "linear" if losses["linear"] <= losses["gradient_boosting"] else "gradient_boosting"
    if best == "linear":
        said = " against ".join(f"{losses[name]:.4g}" for name in ("linear", "gradient_boosting"))
        judged.assumptions.append(
            f"estimator: linear, as it misses less than trees on rows that neither had seen (loss {said}); "
            "with more rows try gradient_boosting."
        )
    return best


def _rows(table: pa.Table, columns: Mapping[str, Column], judged: Judged) -> TrainingSet:
    from perennial.engine.fitting import TrainingSet, kinds_of

    frame = table.to_pandas().astype(object)
    label = columns[judged.label.name]
    frame = frame[_known(frame[label.name], label)]
    if judged.time is not None:
        frame = _oldest(frame, judged.time)
    frame = frame.sample(n=min(len(frame), MOST_ROWS), random_state=SEED).sort_index()
    inputs = frame[list(judged.features)].copy()
    for name in judged.features:
        inputs[name] = _values(frame[name], columns[name])
    return TrainingSet(
        inputs.reset_index(drop=True),
        _labels(frame[label.name], judged),
        judged.task,
        kinds_of(inputs, list(judged.features)),
        frame.index.to_numpy().astype(str),
        entities=frame[judged.entity].astype(str).to_numpy(dtype=object) if judged.entity else None,
    )


def _oldest(frame: pd.DataFrame, time: Column) -> pd.DataFrame:
    """Put rows in order of time and leave the newest out: those are the gates'."""
    known = frame[_known(frame[time.name], time)]
    moments = {text: time.instant(text) for text in known[time.name].unique()}
    known = known.iloc[np.argsort(known[time.name].map(moments).to_numpy(), kind="stable")]
    return known.iloc[: int(len(known) * (1 - NEWEST_SHARE))].reset_index(drop=True)


def _known(texts: pd.Series[Any], column: Column) -> Array:
    return np.asarray(texts.notna() & ~texts.isin(column.null_words))


def _values(texts: pd.Series[Any], column: Column) -> pd.Series[Any]:
    import pandas as pd

    kept = texts.where(_known(texts, column))
    return pd.to_numeric(kept, errors="coerce").astype(float) if column.numeric else kept


def _labels(texts: pd.Series[Any], judged: Judged) -> Array:
    if judged.task == "multiclass":
        return texts.astype(str).to_numpy(dtype=object)
    if judged.task == "regression":
        return texts.astype(float).to_numpy()
    positive = judged.classes[1] if judged.classes else sorted(map(str, judged.label.values))[1]
    return np.asarray(texts.astype(str) == positive, dtype=float)


def _parted(rows: TrainingSet, judged: Judged) -> tuple[Array, Array]:
    if judged.time is not None:
        cut = int(len(rows) * LEARNED)
        return np.arange(cut), np.arange(cut, len(rows))
    groups = rows.entities if rows.entities is not None else rows.keys
    names = np.unique(groups.astype(str))
    learned = np.random.default_rng(SEED).permutation(names)[: int(len(names) * LEARNED)]
    inside = np.isin(groups.astype(str), learned)
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def _loss(name: str, learn: TrainingSet, ask: TrainingSet) -> float:
    from perennial.engine.fitting import classes, fit, predict
    from perennial.estimators import make
    from perennial.metrics import metrics
    from perennial.metrics.base import places

    model = fit(make(name, {}), learn, SEED)
    values = predict(model, ask.rows, task=ask.task, columns=learn.columns)
    labels = places(list(ask.labels), classes(model)) if ask.task == "multiclass" else ask.labels
    metric = metrics()["rmse" if ask.task == "regression" else "log_loss"]()
    return float(np.mean(metric.row_loss(labels, values)))
