"""The promotion gate in a season: a challenger gives up its latest nights, and is judged on them beside the champion.

The question and its limits are those of the gate that ships. A promotion was wrong when the version that it
replaced would have lost less on the nights that followed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.nights import LAG, Table
from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Evaluation, Tally
from perennial.gates.against_champion import AgainstChampion

Numbers = NDArray[np.float64]

HOLDOUT_NIGHTS = 14
"""Nights kept back for the gate: the default of ``training.holdout_nights``."""
LEAST_NIGHTS = 7
"""Fewer the gate does not judge."""
JUDGED_NIGHTS = 14
"""Nights after a promotion on which it is judged in hindsight."""
MARGIN_SHARE = 0.01
"""A loss under this share counts as none, as in the gate."""


def kept_back(nights: int) -> int:
    """Return how many of a training's nights it gives up: few where a restart left few, as the stage does it."""
    return min(HOLDOUT_NIGHTS, max(nights // 3, LEAST_NIGHTS))


def goes_ahead(
    table: Table,
    losses: Callable[[int, int, int], Numbers],
    models: tuple[tuple[int, int], tuple[int, int]],
    night: int,
) -> bool:
    """Ask the gate whether a newer model may replace an older one, on the nights that were kept back.

    A model is the night that it was made on and the first night that it was trained on.
    """
    (old, _), (new, _) = models
    held = range(new - LAG + 1, night - LAG + 1)
    pairs = [(past, losses(*models[1], past), losses(*models[0], past)) for past in held]
    tallies = [
        Tally(table.nights[past], len(mine), float(mine.sum()), champion=float(theirs.sum()))
        for past, mine, theirs in pairs
        if len(mine)
    ]
    asked = Evaluation(
        "squared error" if table.task == "regression" else "log_loss",
        "refresh",
        challenger=str(new),
        champion=str(old),
        challenger_cutoff=table.nights[new - LAG],
        champion_cutoff=table.nights[old - LAG],
        tallies=tuple(tallies),
    )
    return AgainstChampion().decide(asked).verdict is Verdict.PASS


def wrong(
    losses: Callable[[int, int, int], Numbers],
    night: int,
    old: tuple[int, int],
    new: tuple[int, int],
    nights: int,
) -> bool:
    """Say in hindsight whether the replaced version would have lost less, by more than the margin, from then on."""
    after = range(night, min(night + JUDGED_NIGHTS, nights))
    before_sum, new_sum = (sum(float(losses(*model, past).sum()) for past in after) for model in (old, new))
    return new_sum > (1 + MARGIN_SHARE) * before_sum
