"""How much of a change in loss came from changed inputs, and how much from a changed relation?

Losses are compared on rows that both sides share (DISDE: Cai, Namkoong and Yadlowsky 2023). Where the relation
changed is another question, of ``facts/attributed_relation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.facts.attributed_rows import Index, Numbers, Pair, blocks

FOLDS = 3
FITTED_ROWS = 8_000
"""Rows that each fold's classifier is fitted on at most; it weighs all."""
LEAST_OVERLAP = 0.1
RESAMPLES = 400
FEWEST_NIGHTS = 5


@dataclass(frozen=True)
class Part:
    """One term of a split, with its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Split:
    """The change in mean loss, split in three (DISDE) that add up to it."""

    total: Part
    inputs: Part
    """From changed inputs: rows seen before that are harder, and rows hardly seen before."""
    relation: Part
    """From labels that follow otherwise from the same inputs."""
    harder: Part
    """Rows seen on both sides that became more frequent."""
    unseen: Part
    """Rows that the reference hardly has."""
    overlap: float
    """Share of the rows that both sides have in common, 0 to 1."""
    by_nights: bool
    """Whether the intervals are over nights; else over rows, as there are too few nights."""


def shared_weights(pair: Pair, seed: int) -> tuple[Numbers, Numbers, float]:
    """Return weights of both sides' rows that give both the inputs they share, and the size of the overlap.

    The shared distribution has density p q / (p + q); a classifier of the side, fitted on other nights
    than those it weighs, estimates q / (p + q).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = np.vstack([np.column_stack([c.sides[side] for c in pair.columns]) for side in (0, 1)])
    side = np.repeat([0, 1], [len(pair.reference), len(pair.recent)])
    balance = np.where(side == 1, len(pair.reference) / len(pair.recent), 1.0)
    fold = np.concatenate(
        [_folds(rows.nights, np.random.default_rng([seed, 4])) for rows in (pair.reference, pair.recent)]
    )
    chance, draw = np.zeros(len(side)), np.random.default_rng([seed, 8])
    for k in range(FOLDS):
        kept = draw.permutation(np.flatnonzero(fold != k))[:FITTED_ROWS]
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=8, min_samples_leaf=40, early_stopping=False, random_state=seed
        )
        model.fit(x[kept], side[kept], sample_weight=balance[kept])
        chance[fold == k] = model.predict_proba(x[fold == k])[:, 1]
    reference, recent = chance[side == 0], 1 - chance[side == 1]
    overlap = float(np.clip(reference.mean() + recent.mean(), 0, 1))
    return reference + 1e-9, recent + 1e-9, overlap


def _folds(nights: NDArray[np.str_], draw: np.random.Generator) -> Index:
    names, night = np.unique(nights, return_inverse=True)
    if len(names) < FOLDS:
        return draw.permutation(len(nights)) % FOLDS
    return (draw.permutation(len(names)) % FOLDS)[night].astype(np.int64)


def split(pair: Pair, losses: tuple[Numbers, Numbers], seed: int) -> tuple[Split | None, float]:
    """Split the change in mean loss; no split, only the overlap, where the sides share too few rows."""
    past_weight, now_weight, overlap = shared_weights(pair, seed)
    if overlap < LEAST_OVERLAP:
        return None, overlap
    draw = np.random.default_rng([seed, 5])
    past, by_nights = _terms(pair.reference.nights, losses[0], past_weight, draw)
    now, now_by_nights = _terms(pair.recent.nights, losses[1], now_weight, draw)
    terms = {
        "total": now[0] - past[0],
        "harder": past[1] - past[0],
        "relation": now[1] - past[1],
        "unseen": now[0] - now[1],
    }
    terms["inputs"] = terms["harder"] + terms["unseen"]
    parts = {name: _part(values) for name, values in terms.items()}
    return Split(**parts, overlap=overlap, by_nights=by_nights and now_by_nights), overlap


def _terms(
    nights: NDArray[np.str_], loss: Numbers, weight: Numbers, draw: np.random.Generator
) -> tuple[NDArray[np.float64], bool]:
    """Return the plain and the weighted mean loss: as they are, then resampled over nights."""
    block, by_nights = blocks(nights, FEWEST_NIGHTS, draw)
    count = int(block.max()) + 1
    sums = np.array([np.bincount(block, part, count) for part in (loss, 0 * loss + 1, loss * weight, weight)])
    drawn = draw.multinomial(count, np.full(count, 1 / count), RESAMPLES).T
    made = sums @ np.column_stack([np.ones(count), drawn])
    return np.array([made[0] / made[1], made[2] / made[3]]), by_nights


def _part(values: Numbers) -> Part:
    low, high = np.quantile(values[1:], (0.05, 0.95))
    return Part(float(values[0]), float(low), float(high))
