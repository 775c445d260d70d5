"""Two pictures that belong to every training: is it calibrated, and what does it look at.

Drawn from predictions for rows that the model had not seen. MLflow shows them with the run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from perennial.engine.fitting import Array, TrainingSet, predict
from perennial.facts.evaluation import Task
from perennial.registry.training import png

GROUPS = 10
IMPORTANCE_ROWS = 512
MOST_BARS = 20


def calibration(labels: Array, predictions: Array, *, task: Task, classes: tuple[str, ...] = ()) -> bytes:
    """Draw, for tenths of the rows ordered by prediction, the mean label over the mean prediction (PNG)."""
    if task == "multiclass":
        labels = np.asarray(classes)[predictions.argmax(axis=1)] == np.asarray(
            [str(label) for label in labels]
        )
        predictions = predictions.max(axis=1)
    order = np.argsort(predictions, kind="stable")
    groups = [group for group in np.array_split(order, GROUPS) if len(group)]
    x = [float(predictions[group].mean()) for group in groups]
    y = [float(labels[group].astype(float).mean()) for group in groups]
    figure, axes = _figure()
    ends = [min(x + y), max(x + y)]
    axes.plot(ends, ends, color="0.7", label="perfect")
    axes.plot(x, y, marker="o", label="unseen rows")
    axes.set(xlabel="mean prediction", ylabel="mean label", title="Calibration, rows in tenths")
    axes.legend()
    return png(figure)


def importance(model: Any, training_set: TrainingSet, *, seed: int) -> bytes:
    """Draw how much the predictions move when a column is shuffled (PNG); says nothing about causes.

    The bar is the mean absolute change over at most 512 rows. Of two columns that say the same, both
    look unimportant.

    Reference: Breiman 2001, Random Forests (with predictions in place of the loss: no label is needed).
    """
    moved = moved_by_column(model, training_set, seed=seed)
    shown = sorted(moved, key=lambda name: moved[name])[-MOST_BARS:]
    figure, axes = _figure()
    axes.barh(shown, [moved[name] for name in shown])
    axes.set(xlabel="mean change of the prediction when shuffled", title="What the model looks at")
    return png(figure)


def moved_by_column(model: Any, training_set: TrainingSet, *, seed: int) -> dict[str, float]:
    """Return the mean absolute change of the prediction when one column is shuffled, by column."""
    generator = np.random.default_rng(seed)
    few = generator.permutation(len(training_set))[:IMPORTANCE_ROWS]
    rows, columns, task = training_set.rows.iloc[few], training_set.columns, training_set.task
    as_they_are = predict(model, rows, task=task, columns=columns)
    moved: dict[str, float] = {}
    for name in columns.names:
        shuffled = rows.assign(**{name: rows[name].to_numpy()[generator.permutation(len(rows))]})
        change = predict(model, shuffled, task=task, columns=columns) - as_they_are
        moved[name] = float(np.abs(change).mean())
    return moved


def usual_distance(model: Any, training_set: TrainingSet, *, seed: int) -> float:
    """Return the mean absolute difference between the predictions of two rows: what a column could move at most."""
    generator = np.random.default_rng(seed)
    few = generator.permutation(len(training_set))[:IMPORTANCE_ROWS]
    rows = training_set.rows.iloc[few]
    found = predict(model, rows, task=training_set.task, columns=training_set.columns)
    return float(np.abs(found - found[generator.permutation(len(found))]).mean())


def _figure() -> tuple[Any, Any]:
    # The object itself and not pyplot: pyplot keeps every figure, and looks for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="tight")
    return figure, figure.subplots()
