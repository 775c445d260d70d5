"""How good is a model? One metric a file; the file's name is the name in ``model.yaml``.

A good metric here is a mean over rows: its sums add up over nights, so gates can judge by night. A
metric that is no mean, such as AUC, is shown but cannot be the primary one.
"""

from __future__ import annotations

from perennial.catalogue import entries
from perennial.metrics.base import Metric


def metrics() -> dict[str, type[Metric]]:
    """List every metric by the name used in ``model.yaml``.

    >>> sorted(metrics())
    ['accuracy', 'auc', 'brier', 'log_loss', 'mae', 'rmse']
    """
    return entries("perennial.metrics", Metric)
