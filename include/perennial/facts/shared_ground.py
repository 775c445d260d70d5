"""Did labels stop following from inputs, or did only the inputs move? Compared where old and new rows overlap.

Triage asks with the rows of the labelled nights of a finding and of the reference (``facts/likely_cause.py``).
Rows count by how well they could have come from either side, so a model that is wrong in a region that
became frequent does not look like a relation that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perennial.facts.logistic import chances, expit, fit, logit, told_by_others
from perennial.facts.paired import limits, pseudo_values

Numbers = NDArray[np.float64]

What = Literal["mean", "level", "spread of levels", "slope", "slope of levels", "expected loss"]
SCORE = "the score"

FEWEST_NIGHTS = 7
FEWEST_SHARED_ROWS = 150
"""With less shared ground, in rows of equal weight, whether the relation moved is not assessable."""
FEWEST_TO_SPREAD = 3
"""Fewer ordinary nights cannot tell how much nights differ."""
BORROWED_NIGHTS = 14
"""Ordinary nights that count with the recent ones when it is asked how much nights differ."""
RIDGE = 3.0
LEVEL_STEPS = 12
"""Newton's steps to a night's level: more than the few it takes."""


@dataclass(frozen=True)
class Rows:
    """Scored rows of several nights."""

    night: NDArray[np.int64]
    """Which night each row belongs to, in order."""
    inputs: Numbers
    """Inputs of about unit scale, rows by inputs; what is missing is at its mean, 0."""
    scores: Numbers
    """Predicted probabilities."""
    labels: Numbers
    """0 or 1; NaN where none has come."""
    measured: Numbers | None = None
    """The number the label is made from, where one is delivered with it."""
    names: tuple[str, ...] = ()
    """What the inputs are called; numbered where nothing is said."""

    def where(self, these: NDArray[np.bool_]) -> Rows:
        """Return some of the rows."""
        measured = None if self.measured is None else self.measured[these]
        labels, scores = self.labels[these], self.scores[these]
        return Rows(self.night[these], self.inputs[these], scores, labels, measured, self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns of ``described``."""
        return (*(self.names or (f"input {j}" for j in range(self.inputs.shape[1]))), SCORE)

    @cached_property
    def known(self) -> Rows:
        """Return the rows with a label and a score."""
        return self.where(np.isfinite(self.labels) & np.isfinite(self.scores))

    @cached_property
    def described(self) -> Numbers:
        """Return inputs and log odds of the score, the columns of every regression here."""
        odds = np.where(np.isfinite(self.scores), logit(self.scores), 0.0)
        return np.column_stack([self.inputs, odds])


@dataclass(frozen=True)
class Moved:
    """How far one number lies from its reference nights."""

    what: What
    of: str
    """The input, or the score; empty for what is no input's."""
    shift: float
    """Recent mean less reference mean."""
    p: float
    """Two-sided, nights being the unit of luck."""
    low: float
    """Lower end of the 95 % interval of the shift."""
    high: float
    """Upper end."""
    nights: tuple[int, int]
    """Reference nights and recent nights."""


def moved(what: What, of: str, reference: tuple[Numbers, Numbers], recent: tuple[Numbers, Numbers]) -> Moved:
    """Compare two means per weight from sums per night (sum, weight); neighbouring nights may be alike.

    A Welch t interval on the jackknife's pseudo-values of each side, both inflated by the reference's
    autocorrelation: fourteen nights cannot tell their own. How much recent nights differ is shrunk towards how much
    ordinary ones do, as if as many of those were among them (a moderated t, Smyth 2004); one night alone differs so.
    """
    from scipy.special import stdtr, stdtrit

    told, nights = limits(pseudo_values(*reference), alpha=0.025), (len(reference[0]), len(recent[0]))
    r, usual = float(told["serial"]), float(told["standard_error"])
    inflation = (1 + r) / (1 - r)
    variance, own = usual**2 * nights[0] / inflation, nights[1] - 1
    if own:
        spread = float(limits(pseudo_values(*recent), alpha=0.025, serial=False)["standard_error"])
        variance = (BORROWED_NIGHTS * variance + own * spread**2 * nights[1]) / (BORROWED_NIGHTS + own)
    parts = [
        (usual, float(told["degrees"])),
        ((variance / nights[1] * inflation) ** 0.5, float(BORROWED_NIGHTS + own)),
    ]
    shift = float(recent[0].sum() / recent[1].sum() - reference[0].sum() / reference[1].sum())
    error = float(np.hypot(parts[0][0], parts[1][0]))
    if not error:
        return Moved(what, of, shift, float(shift == 0.0), shift, shift, nights)
    degrees = error**4 / sum(max(one, 1e-300) ** 4 / freedom for one, freedom in parts)
    reach = float(stdtrit(degrees, 0.975)) * error
    p = 2 * float(stdtr(degrees, -abs(shift) / error))
    return Moved(what, of, shift, p, shift - reach, shift + reach, nights)


def sums(night: NDArray[np.int64], values: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return each night's weighted sum and its weight; nights without weight are left out."""
    keys, place = np.unique(night, return_inverse=True)
    total = np.bincount(place, values * weights, len(keys)).astype(float)
    weight = np.bincount(place, weights, len(keys)).astype(float)
    return total[weight > 0], weight[weight > 0]


@dataclass(frozen=True)
class Ground:
    """Reference and recent rows, the reference's own calibration, and what both sides share."""

    reference: Rows
    recent: Rows

    @cached_property
    def calibration(self) -> Numbers:
        """Return the regression of labels on score and inputs over the labelled reference rows."""
        known = self.reference.known
        return fit(_curved(known.described), known.labels, ridge=RIDGE)

    def expected(self, rows: Rows) -> Numbers:
        """Return what the reference says how often such rows come true."""
        return chances(_curved(rows.described), self.calibration)

    @cached_property
    def _unseen(self) -> Numbers:
        """Return what the other nights say of each labelled reference row: a regression fits its own nights too well.

        On flights their levels spread by .26 less in it, which recent nights would then seem to exceed.
        """
        known = self.reference.known
        return told_by_others(
            _curved(known.described), known.labels, known.night, self.calibration, ridge=RIDGE
        )

    def expected_loss(self, rows: Rows) -> tuple[Numbers, Numbers]:
        """Return each night's expected log loss of the scores, as sums and rows; what is not scored has none."""
        rows = rows.where(np.isfinite(rows.scores))
        told, odds = self.expected(rows), logit(rows.scores)
        each = np.logaddexp(0, odds) - told * odds
        return sums(rows.night, each, np.ones(len(each)))

    def realised_loss(self, rows: Rows) -> tuple[Numbers, Numbers]:
        """Return each night's log loss of the scores on labelled rows, as sums and rows."""
        odds = logit(rows.known.scores)
        each = np.logaddexp(0, odds) - rows.known.labels * odds
        return sums(rows.known.night, each, np.ones(len(each)))

    @cached_property
    def weights(self) -> tuple[Numbers, Numbers]:
        """Return overlap weights of labelled reference and recent rows (Li, Morgan and Zaslavsky 2018).

        They weigh both sides to the density proportional to pq / (p + q), the shared distribution of
        Cai, Namkoong and Yadlowsky (2023); from a logistic regression they balance the inputs' means exactly.
        """
        sides = self.reference.known, self.recent.known
        rows = np.concatenate([_curved(side.described) for side in sides])
        new = np.concatenate([np.zeros(len(sides[0].labels)), np.ones(len(sides[1].labels))])
        share = chances(rows, fit(rows, new, ridge=RIDGE))
        return share[new == 0], 1 - share[new == 1]

    @cached_property
    def shared_rows(self) -> float:
        """Return how many rows of equal weight the recent side's shared ground is worth (Kish 1965)."""
        weights = self.weights[1]
        return float(weights.sum() ** 2 / (weights**2).sum()) if weights.sum() else 0.0

    def relation(self) -> list[Moved]:
        """Compare labels with what was expected on shared ground: levels, and slopes along score and inputs.

        A night's own level, in log odds, is taken out before slopes are read: on flights it alone moves a night's
        mean residual by .14, and what it moves would look like a slope. Along an input that all rows of a night
        share, such as the weather, it is the nights' levels whose slope is read, and along the score it is both.
        """
        old, new = self.reference.known, self.recent.known
        sides = [
            _Side.of(rows, self.expected(rows), weights)
            for rows, weights in zip((old, new), self.weights, strict=True)
        ]
        fair = [_Side.of(old, self._unseen, self.weights[0]), sides[1]]
        centre = float(np.average(sides[0].height, weights=sides[0].weights))
        heights = [sums(one.night, one.level * (one.height - centre), one.weights) for one in sides]
        found = [
            moved("level", "", *(sums(one.night, one.level, one.weights) for one in sides)),
            moved("spread of levels", "", *(sums(one.night, abs(one.level), one.weights) for one in fair)),
            moved("slope of levels", SCORE, *heights),
        ]
        of_nights = _of_nights(old)
        for j, name in enumerate(old.columns):
            if j in of_nights:
                pairs = zip(sides, (old, new), strict=True)
                slopes = [sums(one.night, one.level * rows.inputs[:, j], one.weights) for one, rows in pairs]
                found.append(moved("slope of levels", name, *slopes))
            else:
                slopes = [sums(one.night, one.apart * one.along[:, j], one.weights) for one in sides]
                found.append(moved("slope", name, *slopes))
        return found


@dataclass(frozen=True)
class _Side:
    night: NDArray[np.int64]
    level: Numbers
    apart: Numbers
    along: Numbers
    height: Numbers
    """The night's mean log odds."""
    weights: Numbers

    @classmethod
    def of(cls, rows: Rows, told: Numbers, weights: Numbers) -> _Side:
        odds = logit(told)
        level = night_levels(rows.night, odds, rows.labels, weights / max(weights.mean(), 1e-12))
        apart = rows.labels - expit(odds + level)
        along = _within(rows, odds, weights)
        return cls(rows.night, level, apart, along, odds - along[:, -1], weights)


def _of_nights(rows: Rows) -> set[int]:
    """Return the inputs that vary more from night to night than within nights."""
    within = _within(rows, np.zeros(len(rows.night)), np.ones(len(rows.night)))[:, :-1]
    shared = within.var(axis=0) < rows.inputs.var(axis=0) / 2
    return set(np.flatnonzero(shared).tolist())


def night_levels(night: NDArray[np.int64], odds: Numbers, labels: Numbers, weights: Numbers) -> Numbers:
    """Return for each row its night's level: by how much log odds must move for as many to come true as did.

    Shrunk as if it were known to be a standard normal number, so that a night on which all or nothing came true
    has one as well.
    """
    keys, place = np.unique(night, return_inverse=True)
    levels = np.zeros(len(keys))
    for _ in range(LEVEL_STEPS):
        told = expit(odds + levels[place])
        apart = np.bincount(place, weights * (labels - told)) - levels
        slope = 1 + np.bincount(place, weights * told * (1 - told))
        levels = levels + np.clip(apart / slope, -1.0, 1.0)
    return np.asarray(levels[place], float)


def input_shifts(reference: Rows, recent: Rows) -> list[Moved]:
    """Compare the night means of every input, and of the log odds last."""
    found = []
    for j, name in enumerate(reference.columns):
        sides = [
            sums(rows.night, rows.described[:, j], np.ones(len(rows.night))) for rows in (reference, recent)
        ]
        found.append(moved("mean", name, *sides))
    return found


def _curved(described: Numbers) -> Numbers:
    """Add squares, so that a spread that changed is weighed as well."""
    return np.column_stack([described, np.clip(described, -3, 3) ** 2 - 1])


def _within(rows: Rows, odds: Numbers, weights: Numbers) -> Numbers:
    """Return inputs and odds less their weighted mean of the night."""
    columns = np.column_stack([rows.inputs, odds])
    _, place = np.unique(rows.night, return_inverse=True)
    total = np.maximum(np.bincount(place, weights), 1e-12)
    means = np.column_stack([np.bincount(place, weights * column) / total for column in columns.T])
    return np.asarray(columns - means[place], float)
