"""Which changed columns moved the predictions, by how much, and in which segment above all?

Each recent row is walked, column by column in drawn orders, from its restored to its actual values; what
the prediction moves at each step is the column's share (Shapley sampling, Strumbelj and Kononenko 2014;
swapping one marginal at a time, Budhathoki et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.facts.attributed_rows import Index, Numbers, Pair, blocks, restored
from perennial.facts.unusual_values import PLAIN_APART, Unusual, unusual_values

Predict = Callable[[pd.DataFrame], Numbers]
Loss = Callable[[Numbers, Numbers], Numbers]
"""Of labels and predictions, row by row."""

MOST_COLUMNS = 24
"""Columns walked; the values of the others changed least."""
LEAST_CHANGE = 0.02
ORDERS = 2
"""Drawn orders, each also walked backwards."""
MATERIAL = 0.04
"""A column that moves predictions by less than this part of their standard deviation is no cause; one whose values are
far off all that is usual, by less than half of it."""
RESAMPLES = 400
FEWEST_NIGHTS = 5


@dataclass(frozen=True)
class InputShare:
    """What one column's changed values did to the predictions."""

    column: str
    segment: str
    """Where its values changed; empty for everywhere."""
    distance: float
    """How far its values there lie from the reference's, 0 to 1 (``facts/unusual_values.py``)."""
    usual: float
    """How far they lie by themselves at most."""
    moved: float
    """Mean absolute movement of a prediction."""
    change: float
    """Mean signed movement: its part of the change of the mean prediction."""
    change_low: float
    change_high: float
    share: float
    """Its part of all unusual movement, 0 to 1."""
    share_low: float
    share_high: float
    loss: float | None
    """Its part of the change of the mean loss, over the recent rows with a label; none without labels."""
    loss_low: float | None
    loss_high: float | None

    is_unusual: bool
    """Whether its values are unusual and moved predictions by more than a trifle."""
    is_plain: bool
    """Whether they are so far from usual that a fault is plainer than a changed world."""

    @property
    def is_far(self) -> bool:
        """Whether its values are further off than any changed world explains."""
        return self.distance - self.usual > PLAIN_APART


@dataclass(frozen=True)
class Walked:
    """Row-level movements of predictions and losses by column, and where each column changed."""

    columns: tuple[Unusual, ...]
    steps: Numbers
    """Columns by rows."""
    losses: Numbers
    """What each step did to the loss of a row, columns by rows; NaN for rows without a label."""
    before: Numbers
    """Predictions with all these columns restored."""
    after: Numbers
    """Actual predictions."""


def squared_error(labels: Numbers, predictions: Numbers) -> Numbers:
    """Return the loss of each row: for chances of a class, the Brier score."""
    lost: Numbers = (labels - predictions) ** 2
    return lost


def walk(pair: Pair, predict: Predict, seed: int, loss: Loss = squared_error) -> Walked:
    """Find where each column changed, and what each change moved."""
    changed = [one for one in unusual_values(pair) if one.distance > LEAST_CHANGE]
    kept = sorted(changed, key=lambda one: (-one.excess, -one.distance))[:MOST_COLUMNS]
    calm = _restored(pair, kept, np.random.default_rng([seed, 1]))
    draw, names = np.random.default_rng([seed, 2]), [one.column for one in kept]
    steps, losses = np.zeros((2, len(kept), len(pair.recent)))
    drawn = [draw.permutation(len(kept)) for _ in range(ORDERS)]
    walks = [way for order in drawn for way in (order, order[::-1])]
    for order in walks:
        moved, lost = _walk_once(pair, predict, loss, calm, names, order)
        steps += moved / len(walks)
        losses += lost / len(walks)
    return Walked(tuple(kept), steps, losses, predict(calm), predict(pair.recent.features))


def shares(pair: Pair, walked: Walked, seed: int) -> tuple[InputShare, ...]:
    """Rank columns by their part of the unusual movement, with bootstrap intervals (90 %) over nights.

    A column's movement counts by the square of the part by which its values lie further off than they
    usually do: the most that a few stretches show is itself not certain.
    """
    if not walked.columns:
        return ()
    draw, nights = np.random.default_rng([seed, 3]), pair.recent.nights
    moved, change = (_means(nights, steps, draw) for steps in (np.abs(walked.steps), walked.steps))
    beyond = moved * np.array([[one.excess**2] for one in walked.columns])
    parts = _intervals(beyond / np.maximum(beyond.sum(axis=0), 1e-12))
    lost, changes = _lost(nights, walked, draw), _intervals(change)
    least = np.array(
        [MATERIAL / 2 if one.distance - one.usual > PLAIN_APART else MATERIAL for one in walked.columns]
    )
    material = moved[:, 0] > least * float(walked.after.std())
    found = [
        InputShare(
            one.column,
            one.place.name if one.place else "",
            one.distance,
            one.usual,
            float(moved[k, 0]),
            *changes[k],
            *parts[k],
            *lost[k],
            is_unusual=bool(one.excess > 0 and material[k]),
            is_plain=bool(one.is_plain and material[k]),
        )
        for k, one in enumerate(walked.columns)
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, -one.distance, one.column)))


def _intervals(found: Numbers) -> list[tuple[float, float, float]]:
    """Return each row's first value, and the interval (90 %) of those that follow."""
    low, high = np.quantile(found[:, 1:], (0.05, 0.95), axis=1)
    return [(float(found[k, 0]), float(low[k]), float(high[k])) for k in range(len(found))]


def _lost(
    nights: NDArray[Any], walked: Walked, draw: np.random.Generator
) -> Sequence[tuple[float | None, float | None, float | None]]:
    """Return each column's part of the change in mean loss with its interval, over rows with a label."""
    known = ~np.isnan(walked.losses).any(axis=0)
    if not known.any():
        return [(None, None, None)] * len(walked.columns)
    return _intervals(_means(nights[known], walked.losses[:, known], draw))


def _means(nights: NDArray[Any], steps: Numbers, draw: np.random.Generator) -> Numbers:
    """Return the mean of each column's movements as it is, then resampled, in one row for each column."""
    block, _ = blocks(nights, FEWEST_NIGHTS, draw)
    size = np.bincount(block)
    sums = np.array([np.bincount(block, row, minlength=len(size)) for row in steps])
    drawn = draw.multinomial(len(size), np.full(len(size), 1 / len(size)), RESAMPLES).T
    resampled = (sums @ drawn) / (size @ drawn)
    return np.column_stack([steps.mean(axis=1), resampled])


def _restored(pair: Pair, changed: Sequence[Unusual], draw: np.random.Generator) -> pd.DataFrame:
    pool = pd.concat([pair.reference.features, pair.recent.features], ignore_index=True)
    calm = pair.recent.features.copy()
    for one in changed:
        rows = restored(pair, pair.column(one.column), one.place, draw)
        calm[one.column] = pool[one.column].take(rows).array
    return calm


def _walk_once(
    pair: Pair, predict: Predict, loss: Loss, calm: pd.DataFrame, names: Sequence[str], order: Index
) -> tuple[Numbers, Numbers]:
    labels = pair.recent.labels if pair.recent.labels is not None else np.full(len(calm), np.nan)
    frame, said = calm.copy(), predict(calm)
    steps, losses = np.zeros((2, len(names), len(calm)))
    for k in order:
        frame[names[k]] = pair.recent.features[names[k]].array
        now = predict(frame)
        steps[k], losses[k] = now - said, loss(labels, now) - loss(labels, said)
        said = now
    return steps, losses
