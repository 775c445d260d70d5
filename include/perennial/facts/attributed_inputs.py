"""Which changed columns moved the predictions, by how much, and in which segment above all?

Each recent row is walked, column by column in drawn orders, from its restored to its actual values; what
the prediction moves at each step is the column's share (Shapley sampling, Strumbelj and Kononenko 2014;
swapping one marginal at a time, Budhathoki et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.facts.attributed_rows import Index, Numbers, Pair, blocks, restored
from perennial.facts.unusual_values import Unusual, unusual_values

Predict = Callable[[pd.DataFrame], Numbers]

MOST_COLUMNS = 24
"""Columns walked; the values of the others changed least."""
LEAST_CHANGE = 0.02
ORDERS = 2
"""Drawn orders, each also walked backwards."""
MATERIAL = 0.02
"""A column that moves predictions by less than this part of their standard deviation is no cause."""
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

    is_unusual: bool
    """Whether its values are unusual and moved predictions by more than a trifle."""
    is_plain: bool
    """Whether they are so far from usual that a fault is plainer than a changed world."""


@dataclass(frozen=True)
class Walked:
    """Row-level movements of the predictions by column, and where each column changed."""

    columns: tuple[Unusual, ...]
    steps: Numbers
    """Columns by rows."""
    before: Numbers
    """Predictions with all these columns restored."""
    after: Numbers
    """Actual predictions."""


def walk(pair: Pair, predict: Predict, seed: int) -> Walked:
    """Find where each column changed, and what each change moved."""
    changed = [one for one in unusual_values(pair) if one.distance > LEAST_CHANGE]
    kept = sorted(changed, key=lambda one: (-one.excess, -one.distance))[:MOST_COLUMNS]
    steps, before, after = _steps(pair, predict, kept, np.random.default_rng([seed, 1]))
    return Walked(tuple(kept), steps, before, after)


def shares(pair: Pair, walked: Walked, seed: int) -> tuple[InputShare, ...]:
    """Rank columns by their part of the unusual movement, with bootstrap intervals (90 %) over nights.

    A column's movement counts by the square of the part by which its values lie further off than they
    usually do: the most that a few stretches show is itself not certain.
    """
    if not walked.columns:
        return ()
    draw = np.random.default_rng([seed, 3])
    moved, change = (_means(pair, steps, draw) for steps in (np.abs(walked.steps), walked.steps))
    beyond = moved * np.array([[one.excess**2] for one in walked.columns])
    part = beyond / np.maximum(beyond.sum(axis=0), 1e-12)
    low, high = np.quantile(part[:, 1:], (0.05, 0.95), axis=1)
    change_low, change_high = np.quantile(change[:, 1:], (0.05, 0.95), axis=1)
    material = moved[:, 0] > MATERIAL * float(walked.after.std())
    found = [
        InputShare(
            column=one.column,
            segment=one.place.name if one.place else "",
            distance=one.distance,
            usual=one.usual,
            moved=float(moved[k, 0]),
            change=float(change[k, 0]),
            change_low=float(change_low[k]),
            change_high=float(change_high[k]),
            share=float(part[k, 0]),
            share_low=float(low[k]),
            share_high=float(high[k]),
            is_unusual=bool(one.excess > 0 and material[k]),
            is_plain=bool(one.is_plain and material[k]),
        )
        for k, one in enumerate(walked.columns)
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, -one.distance, one.column)))


def _means(pair: Pair, steps: Numbers, draw: np.random.Generator) -> Numbers:
    """Return the mean of each column's movements as it is, then resampled, in one row for each column."""
    block, _ = blocks(pair.recent.nights, FEWEST_NIGHTS, draw)
    size = np.bincount(block)
    sums = np.array([np.bincount(block, row, minlength=len(size)) for row in steps])
    drawn = draw.multinomial(len(size), np.full(len(size), 1 / len(size)), RESAMPLES).T
    resampled = (sums @ drawn) / (size @ drawn)
    return np.column_stack([steps.mean(axis=1), resampled])


def _steps(
    pair: Pair, predict: Predict, changed: Sequence[Unusual], draw: np.random.Generator
) -> tuple[Numbers, Numbers, Numbers]:
    pool = pd.concat([pair.reference.features, pair.recent.features], ignore_index=True)
    rows = {one.column: restored(pair, pair.column(one.column), one.place, draw) for one in changed}
    calm = pair.recent.features.copy()
    for name, row in rows.items():
        calm[name] = pool[name].take(row).array
    steps = np.zeros((len(rows), len(pair.recent)))
    drawn = [draw.permutation(len(rows)) for _ in range(ORDERS)]
    walks = [way for order in drawn for way in (order, order[::-1])]
    for order in walks:
        steps += _walk_once(pair, predict, calm, list(rows), order) / len(walks)
    return steps, predict(calm), predict(pair.recent.features)


def _walk_once(
    pair: Pair, predict: Predict, calm: pd.DataFrame, names: Sequence[str], order: Index
) -> Numbers:
    frame, said = calm.copy(), predict(calm)
    steps = np.zeros((len(names), len(calm)))
    for k in order:
        frame[names[k]] = pair.recent.features[names[k]].array
        now = predict(frame)
        steps[k], said = now - said, now
    return steps
