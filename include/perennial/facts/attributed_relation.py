"""How much of a change in loss came from changed inputs and how much from a changed relation, and where?

The split compares losses on rows that both sides share (DISDE: Cai, Namkoong and Yadlowsky 2023). Where the
relation changed is read from residuals: which segment's, or which column's, moved most for ordinary nights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.facts.attributed_rows import Column, Index, Numbers, Pair, blocks, stretches

FOLDS = 3
LEAST_OVERLAP = 0.1
RESAMPLES = 400
FEWEST_NIGHTS = 5
RANKS = 20
SCORE = "the prediction itself"
"""The name under which a change of calibration stands: residuals that came to depend on the score."""


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


@dataclass(frozen=True)
class RelationShare:
    """How residuals (label less prediction) moved in one place."""

    column: str
    """The column whose relation moved; empty for everywhere."""
    segment: str
    """The segment; empty for a column as a whole."""
    effect: float
    """Segment: change of its mean residual beside the rest's. Column: change of the difference of residuals
    between its highest and its lowest values. Everywhere: change of the mean residual."""
    low: float
    high: float
    z: float
    """In standard errors of ordinary nights."""
    usual: float
    """The most that a stretch of the reference as long as the recent nights moved, in the unit of ``effect``."""
    explains: float
    """Variance of residuals that it explains beyond chance and the usual: an order among places that overlap."""
    p: float
    """Adjusted for all places looked at (Holm 1979)."""


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
    chance = np.zeros(len(side))
    for k in range(FOLDS):
        kept = fold != k
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=8, min_samples_leaf=40, early_stopping=False, random_state=seed
        )
        model.fit(x[kept], side[kept], sample_weight=balance[kept])
        chance[~kept] = model.predict_proba(x[~kept])[:, 1]
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


@dataclass(frozen=True)
class Places:
    """Where a relation may have moved: everywhere, in a segment, along a column."""

    names: tuple[tuple[str, str], ...]
    """Column and segment of each; both empty for everywhere."""
    reference: Numbers
    """Rows by places: membership, or rank among the reference's values from -1 to 1."""
    recent: Numbers


def places(pair: Pair, scores: tuple[Numbers, Numbers]) -> Places:
    """List the places to look at."""
    named = [("", "")] + [(s.column, s.name) for s in pair.segments]
    past: list[Numbers] = [np.ones(len(pair.reference))] + [s.reference.astype(float) for s in pair.segments]
    now: list[Numbers] = [np.ones(len(pair.recent))] + [s.recent.astype(float) for s in pair.segments]
    for column in (*pair.columns, Column(SCORE, True, *scores)):
        if column.is_number and len(np.unique(column.reference[~np.isnan(column.reference)])) > 1:
            ranks = _ranks(column)
            named.append((column.name, ""))
            past.append(ranks[0])
            now.append(ranks[1])
    return Places(tuple(named), np.column_stack(past), np.column_stack(now))


def _ranks(column: Column) -> tuple[Numbers, Numbers]:
    known = np.sort(column.reference[~np.isnan(column.reference)])
    sides = []
    for side in column.sides:
        middle = (np.searchsorted(known, side, "left") + np.searchsorted(known, side, "right")) / 2
        sides.append(np.where(np.isnan(side), 0.0, 2 * middle / len(known) - 1))
    return sides[0], sides[1]


def moved_residuals(
    pair: Pair, looked: Places, residuals: tuple[Numbers, Numbers], seed: int
) -> tuple[RelationShare, ...]:
    """Return how residuals moved in each place, beside how they move from night to night.

    Of every night: the covariance of residual and place (for everywhere, the mean residual). Recent nights
    less reference nights, in standard errors made of how nights differ and of how rows do (random effects,
    DerSimonian and Laird 1986); chance blocks of rows where the reference has too few nights.
    """
    draw = np.random.default_rng([seed, 6])
    by_nights = len(np.unique(pair.reference.nights)) >= FEWEST_NIGHTS
    fewest = 1 if by_nights else len(pair.reference.nights) + len(pair.recent.nights)
    past, now = (
        _by_block(place, residual, blocks(rows.nights, fewest, draw)[0])
        for place, residual, rows in zip(
            (looked.reference, looked.recent), residuals, (pair.reference, pair.recent), strict=True
        )
    )
    usual = past.wandering(now.blocks) if by_nights else np.zeros(len(looked.names))
    return _compared(looked, past, now, usual)


def _compared(looked: Places, past: Side, now: Side, usual: Numbers) -> tuple[RelationShare, ...]:
    from scipy.stats import t as student

    apart, error = now.mean - past.mean, np.sqrt(_variance([past, now]))
    free = past.blocks + now.blocks - 2
    holm = _holm(2 * student.sf(np.abs(apart / error), free))
    spread = np.array([1.0, *looked.reference[:, 1:].var(axis=0)])
    scale = np.array([1.0 if segment or not column else 2.0 for column, segment in looked.names]) / spread
    reach = float(student.ppf(0.95, free)) * error
    effect, low, high = apart * scale, (apart - reach) * scale, (apart + reach) * scale
    least = np.maximum(np.abs(apart) - np.maximum(reach, usual), 0) ** 2 / spread
    return tuple(
        RelationShare(
            column,
            segment,
            effect=float(effect[k]),
            low=float(low[k]),
            high=float(high[k]),
            z=float(apart[k] / error[k]),
            p=float(holm[k]),
            usual=float(usual[k] * scale[k]),
            explains=float(least[k]),
        )
        for k, (column, segment) in enumerate(looked.names)
    )


@dataclass(frozen=True)
class Side:
    """What blocks of one side show in each place."""

    found: Numbers
    """Blocks by places."""
    by_rows: Numbers
    """Mean variance of a block that its rows alone make."""

    @property
    def blocks(self) -> int:
        """Count blocks."""
        return len(self.found)

    @property
    def mean(self) -> Numbers:
        """Mean of the blocks."""
        return np.asarray(self.found.mean(axis=0), dtype=np.float64)

    @property
    def apart(self) -> Numbers:
        """Sum of squares of the blocks around their mean."""
        return np.asarray(((self.found - self.mean) ** 2).sum(axis=0), dtype=np.float64)

    def wandering(self, long: int) -> Numbers:
        """Return how far the mean of any stretch of so many blocks lies from that of the other blocks."""
        long = min(long, self.blocks // 2)
        inside = stretches(self.found.T, long)
        outside = self.found.sum(axis=0)[:, None] - inside
        return np.asarray(
            np.abs(inside / long - outside / (self.blocks - long)).max(axis=1), dtype=np.float64
        )


def _variance(sides: list[Side]) -> Numbers:
    """Return the variance of the difference of two means of blocks."""
    between = sum(side.apart for side in sides) / (sum(side.blocks for side in sides) - 2)
    rows = sum(side.by_rows * side.blocks for side in sides) / sum(side.blocks for side in sides)
    nights = np.maximum(between - rows, 0)
    found = sum((nights + side.by_rows) / side.blocks for side in sides)
    return np.maximum(np.asarray(found, dtype=np.float64), 1e-24)


def _by_block(place: Numbers, residual: Numbers, block: Index) -> Side:
    """Take, block by block, the covariance of place and residual; for everywhere, the mean residual."""
    names, block = np.unique(block, return_inverse=True)
    rows = np.bincount(block)

    def means(values: Numbers) -> Numbers:
        made = [np.bincount(block, column, len(names)) / rows for column in values.T]
        return np.asarray(made, dtype=np.float64).T

    centred = place - means(place)[block]
    centred[:, 0] = 1.0  # everywhere
    around = residual[:, None] - means(residual[:, None])[block]
    found = means(centred * residual[:, None])
    spread = (
        means((centred * around - means(centred * around)[block]) ** 2) / np.maximum(rows - 1, 1)[:, None]
    )
    return Side(found, spread.mean(axis=0))


def _holm(p: Numbers) -> Numbers:
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
