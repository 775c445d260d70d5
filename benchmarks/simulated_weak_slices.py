"""Holdouts in which a group that nobody declared is served worse, or none is: how often is one named?

Rows, features and luck are drawn, searched by the shipped tree, and judged by the shipped gate. Counted by the
benchmark ``wrong_promotion`` and, smaller, held by ``tests/stages/test_weak_slices.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.simulated_gates import Draw, World, judged, nights_of
from perennial.clock import after
from perennial.facts.evaluation import Evaluation
from perennial.facts.tally import tally
from perennial.gates.slices import Slices
from perennial.stages.weak_slices import searched_and_summed

ROWS = 500
"""Rows of a night."""
ROW_SD, NIGHT_SD = 0.5, 0.05
"""Luck of a row and of a night, in log loss: the difference of two models of one problem."""
KINDS = 10
"""Groups of equal size, of which one is served worse."""


def weak_named(rng: Draw, world: World, harm: float, n: int) -> int:
    """Count holdouts in which a group is named, when a tenth of the rows truly loses ``harm`` and no other does."""
    return sum(bool(Slices().weak(_holdout(rng, world, harm))) for _ in range(n))


def _holdout(rng: Draw, world: World, harm: float) -> Evaluation:
    count = ROWS * world.nights
    rows = pd.DataFrame({f"x{i}": rng.standard_normal(count) for i in range(5)})
    rows["kind"] = rng.integers(0, KINDS, count).astype(str)
    lucks = nights_of(rng, "normal", world.autocorrelation, (1, world.nights))[0]
    nights = np.repeat([after("2013-05-01", night) for night in range(world.nights)], ROWS)
    excess = np.repeat(NIGHT_SD * lucks, ROWS) + ROW_SD * rng.standard_normal(count)
    hit = (rows["kind"] == "3").to_numpy()
    losses = {"challenger": 1.0 + excess + harm * hit, "champion": np.ones(count)}
    whole = tally(nights, losses["challenger"], champion=losses["champion"])
    return replace(judged(whole), found=searched_and_summed(rows, nights, losses))
