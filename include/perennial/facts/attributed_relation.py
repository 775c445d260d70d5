"""Where did the relation of inputs and labels change: in which segment, along which column, or everywhere?

Read from residuals, night by night: how they moved in each place beside how they move by themselves, and which
single change would have moved all places as they did. Read by ``facts/attribution.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perennial.facts.attributed_rows import Column, Index, Numbers, Pair, blocks, stretches

FEWEST_NIGHTS = 5
SHRUNK = 0.3
"""Part by which what places have in common from night to night is made less: it is estimated from a few nights."""
SCORE = "the prediction itself"
"""The name under which a change of calibration stands: residuals that came to depend on the score."""


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
    """Variance of residuals that it explains beyond chance and the usual."""
    matches: float
    """How well a change here and nowhere else accounts for how all places moved, in standard errors."""
    p: float
    """Adjusted for all places looked at (Holm 1979)."""

    @property
    def order(self) -> float:
        """Sort places that overlap: one that explains much, and of whose change the others' are the shadow.

        A segment moves with the carriers, places and hours that its rows have in common with other segments.
        """
        return self.matches * math.sqrt(self.explains)


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
    matched = _matched(past, now, _shadows(looked.recent, blocks(pair.recent.nights, 1, draw)[0]))
    return _compared(looked, past, now, usual, matched)


def _shadows(place: Numbers, block: Index) -> Numbers:
    """Return how each place (row) would move if residuals rose by one where another is (column)."""
    found = np.zeros((place.shape[1], place.shape[1]))
    for one in np.unique(block):
        here = place[block == one]
        centred = here - here.mean(axis=0)
        moved = centred.T @ centred / len(here)
        moved[0], moved[:, 0] = here.mean(axis=0), 0.0
        moved[0, 0] = 1.0
        found += moved
    return found / len(np.unique(block))


def _matched(past: Side, now: Side, shadows: Numbers) -> Numbers:
    """Return for each place how well a change there alone gives the movements of all: generalised least squares."""
    together: Numbers = past.found_apart.T @ past.found_apart + now.found_apart.T @ now.found_apart
    pooled = together / (past.blocks + now.blocks - 2)
    own = np.maximum(
        np.diag(pooled), (past.by_rows * past.blocks + now.by_rows * now.blocks) / (past.blocks + now.blocks)
    )
    shrunk = (1 - SHRUNK) * pooled
    np.fill_diagonal(shrunk, np.maximum(own, 1e-9 * own.max() + 1e-18))
    inverse = np.linalg.inv(shrunk * (1 / past.blocks + 1 / now.blocks))
    weighed = shadows.T @ inverse
    strength = np.einsum("jk,kj->j", weighed, shadows)
    found: Numbers = np.abs(weighed @ (now.mean - past.mean)) / np.sqrt(np.maximum(strength, 1e-24))
    return found


def _compared(
    looked: Places, past: Side, now: Side, usual: Numbers, matched: Numbers
) -> tuple[RelationShare, ...]:
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
            matches=float(matched[k]),
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
    def found_apart(self) -> Numbers:
        """What blocks show, less their mean."""
        return np.asarray(self.found - self.mean, dtype=np.float64)

    @property
    def apart(self) -> Numbers:
        """Sum of squares of the blocks around their mean."""
        return np.asarray((self.found_apart**2).sum(axis=0), dtype=np.float64)

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
