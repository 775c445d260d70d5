"""Groups that nobody declared and that a challenger serves worse: searched on every other night, confirmed between.

A part of ``evaluate``: the sums of the confirming nights go to the gate ``slices``, which tests and shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from perennial.engine.weak_groups import weak_groups
from perennial.facts.evaluation import Slice
from perennial.facts.tally import tally
from perennial.metrics.base import Metric
from perennial.stages.candidates import inputs

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from perennial.engine.fitting import Array

LEAST_NIGHTS = 14
"""Half of them search; with fewer, those between are fewer than the gate judges by."""


def weak_slices(
    metric: Metric, holdout: pa.Table, labels: Array, predictions: Mapping[str, Array]
) -> tuple[Slice, ...]:
    """Find the groups of a holdout with nights; ``metric`` is a mean over rows."""
    models = [name for name in ("challenger", "champion") if name in predictions]
    losses = {name: metric.row_loss(labels, predictions[name]) for name in models}
    return searched_and_summed(
        inputs(holdout), np.asarray(holdout["group"].to_pylist(), dtype=object), losses
    )


def searched_and_summed(rows: pd.DataFrame, nights: Array, losses: Mapping[str, Array]) -> tuple[Slice, ...]:
    """Find groups and sum the row losses of ``challenger`` and ``champion`` in them, on the nights between.

    Without a champion, or with fewer than 14 nights, nothing is searched.
    """
    names, places = np.unique(nights.astype(str), return_inverse=True)
    if set(losses) != {"challenger", "champion"} or len(names) < LEAST_NIGHTS:
        return ()
    searched = places % 2 == 0
    found = weak_groups(rows, losses["challenger"] - losses["champion"], searched)
    return tuple(
        Slice(
            group.rule,
            tally(
                nights[group.inside & ~searched],
                losses["challenger"][group.inside & ~searched],
                champion=losses["champion"][group.inside & ~searched],
            ),
        )
        for group in found
    )
