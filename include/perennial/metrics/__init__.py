"""How good is a model? One metric a file; the file's name is the name in ``model.yaml``.

A mean over rows has sums that add up over nights, so gates can judge by night. A metric that is no mean, such as
AUC, is judged by what it would be without each night (``facts/left_out.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from perennial.catalogue import entries
from perennial.metrics.base import Metric

OF_WORTH = ("value", "unit_cost")
"""Metrics that mean nothing before the owner has said what outcomes are worth."""


def metrics() -> dict[str, type[Metric]]:
    """List every metric by the name used in ``model.yaml``.

    >>> sorted(metrics())
    ['accuracy', 'auc', 'average_precision', 'brier', 'f1', 'log_loss', 'mae', 'r2', 'rmse', 'unit_cost', 'value']
    """
    return entries("perennial.metrics", Metric)


def judging(name: str, value: Mapping[str, float] | None = None) -> Metric:
    """Return the metric that judges, with what is declared of the worth of outcomes.

    >>> judging("value", {"true_positive": 9.0}).threshold
    0.1
    """
    return metrics()[name](**value) if value else metrics()[name]()


def watching(judge: Metric) -> Metric:
    """Return the metric that single nights are followed by: the one that judges, where it is a mean over rows.

    >>> watching(judging("auc")).loss_name, watching(judging("mae")).loss_name
    ('squared error of the probability', 'absolute error')
    """
    return metrics()[judge.watched_as]() if judge.watched_as else judge
