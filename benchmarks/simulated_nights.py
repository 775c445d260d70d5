"""Nights of a made-up feed in which nothing is wrong: exact multinomial profiles, as streams.

Numeric columns fall into 64 bins whose odds follow a level that may depend on the weekday, wander from
night to night (AR(1)) and swing with the year; categories likewise. Used by the false-alarm benchmark
and, smaller, by the tests of the detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from perennial.clock import after, between
from perennial.detectors.night_shift import NightShift
from perennial.facts.edges import BINS, OUTSIDE_SCORE, ColumnEdges
from perennial.facts.reading import Reading
from perennial.facts.streams import Stream, Watch
from perennial.facts.walk_forward import Windows, z_scores
from perennial.policies.paging import Crossing, PageBudget

Numbers = NDArray[np.float64]

FIRST_NIGHT = "2020-01-06"
CATEGORIES = 11
WEEKDAY_SD, WANDER_SD, WANDER_AR, ANNUAL = 0.2, 0.1, 0.6, 0.3
SCENARIOS = ("iid", "weekly", "ar", "weekly_ar", "weekly_ar_annual")


@dataclass(frozen=True)
class Change:
    """What is made to happen to the first column of its kind from one night on."""

    first_night: int
    mean: float = 0.0
    spread: float = 1.0
    share: float = 0.0
    missing: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True)
class Feed:
    """A made-up feed: how its nights vary when nothing is wrong."""

    scenario: str = "iid"
    rows: int = 1000
    features: int = 20
    history: int = 365
    live: int = 90

    def watch(self, draw: np.random.Generator, change: Change | None = None) -> Watch:
        """Draw one history with its live nights, as the watch of its last night."""
        nights = self.history + self.live
        rows = draw.poisson(self.rows, nights)
        numeric = self.features * 7 // 10
        columns = [
            _numeric(f"n{i}", rows, self._levels(draw, nights), draw, change if i == 0 else None)
            for i in range(numeric)
        ]
        columns += [
            _category(f"c{i}", rows, self._levels(draw, nights), draw, change if i == 0 else None)
            for i in range(self.features - numeric)
        ]
        count = [(Stream("", "rows"), np.log1p(rows), 1 / np.sqrt(rows), rows.astype(float))]
        found = [stream for column in (*columns, count) for stream in column]
        names, values, noise, plain = zip(*found, strict=True)
        days = between(FIRST_NIGHT, after(FIRST_NIGHT, nights - 1))
        return Watch(
            tuple(days), names, *(np.stack(x, axis=1) for x in (values, noise, plain)), page_rate=1 / 90
        )

    def _levels(self, draw: np.random.Generator, nights: int) -> Numbers:
        level = np.zeros(nights)
        if "weekly" in self.scenario:
            level += np.resize(draw.normal(0, WEEKDAY_SD, 7), nights)
        if "ar" in self.scenario.split("_"):
            level += _wandering(draw, nights)
        if "annual" in self.scenario:
            level += ANNUAL * np.sin(2 * np.pi * (np.arange(nights) / 365 + draw.random()))
        return level


Column = list[tuple[Stream, Numbers, Numbers, Numbers]]


def _wandering(draw: np.random.Generator, nights: int) -> Numbers:
    shocks = draw.normal(0, WANDER_SD * sqrt(1 - WANDER_AR**2), nights)
    level = np.empty(nights)
    level[0] = draw.normal(0, WANDER_SD)
    for night in range(1, nights):
        level[night] = WANDER_AR * level[night - 1] + shocks[night]
    return level


def _numeric(
    name: str, rows: NDArray[np.int64], level: Numbers, draw: np.random.Generator, change: Change | None
) -> Column:
    nights = len(rows)
    spread, missing, factor = np.ones(nights), np.zeros(nights), np.ones(nights)
    if change:
        changed = np.arange(nights) >= change.first_night
        level = level + change.mean * changed
        spread, factor = np.where(changed, change.spread, 1), np.where(changed, change.factor, 1)
        missing = np.where(changed, change.missing, 0.0)
    edges = np.array([NormalDist().inv_cdf(i / BINS) for i in range(1, BINS)])
    ends = np.concatenate([[-3.8], edges, [3.8]])  # about the range of 28 nights of a thousand rows
    below = ndtr((ends[None, :] / factor[:, None] - level[:, None]) / spread[:, None])
    odds = np.diff(np.concatenate([np.zeros((nights, 1)), below, np.ones((nights, 1))], axis=1), axis=1)
    absent = draw.binomial(rows, missing)
    counts = draw.multinomial(
        rows - absent, np.maximum(odds, 0) / np.maximum(odds, 0).sum(axis=1, keepdims=True)
    )
    cut = ColumnEdges(
        "number",
        tuple(ends),
        (),
        tuple(
            draw.multinomial(
                28 * int(rows.mean()), odds[:28].mean(axis=0) / odds[:28].mean(axis=0).sum()
            ).tolist()
        ),
    )
    n = counts.sum(axis=1)
    found = [_share(Stream(name, "missing"), absent, rows)]
    first, second = (counts @ cut.scores**power / n for power in (1, 2))
    for power, aspect, value in ((1, "location", first), (2, "spread", second - first**2)):
        noise = np.sqrt((cut.score_variances[power - 1] + OUTSIDE_SCORE ** (2 * power) / n) / n)
        found.append((Stream(name, aspect), value, noise, value))
    return found


def _category(
    name: str, rows: NDArray[np.int64], level: Numbers, draw: np.random.Generator, change: Change | None
) -> Column:
    weights = draw.dirichlet(np.full(CATEGORIES, 2.0))
    direction = draw.normal(0, 1, CATEGORIES)
    odds = weights * np.exp(level[:, None] * direction)
    odds /= odds.sum(axis=1, keepdims=True)
    if change and change.share:
        changed = np.arange(len(rows)) >= change.first_night
        gained = np.zeros(CATEGORIES)
        gained[0] = change.share
        odds = np.where(changed[:, None], odds * (1 - change.share) + gained, odds)
    counts = draw.multinomial(rows, odds)
    found = [_share(Stream(name, "share", str(k)), counts[:, k], rows) for k in range(CATEGORIES)]
    return [_share(Stream(name, "missing"), np.zeros_like(rows), rows), *found]


def _share(
    stream: Stream, count: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[Stream, Numbers, Numbers, Numbers]:
    share = count / rows
    return stream, np.arcsin(np.sqrt(share)), 0.5 / np.sqrt(rows), share


@dataclass(frozen=True)
class Outcome:
    """What one live night came to."""

    crossed: bool
    paged: bool
    learning: bool


def live_outcomes(watch: Watch, live: int, detector: NightShift, budget: PageBudget) -> list[Outcome]:
    """Judge the last ``live`` nights one after the other, as nightly readings would.

    The scores of a night rest on earlier nights only, so they are computed once for all of them; the
    tests compare the outcome with readings made night by night.
    """
    windows = Windows(detector.weeks, detector.pooled_nights, detector.ar_nights, detector.clip)
    ordinary = np.ones(len(watch.nights), bool)
    size = np.abs(z_scores(watch.nights, watch.values, watch.sampling_sd, ordinary, windows))
    scored = ~np.isnan(size).all(axis=1)
    statistic = np.nan_to_num(size).max(axis=1)
    earlier: list[Crossing] = []
    outcomes = []
    for t in range(len(watch.nights) - live, len(watch.nights)):
        past = statistic[:t][scored[:t]]
        outcomes.append(_outcome(watch.nights[t], past, float(statistic[t]), detector, budget, earlier))
    return outcomes


def _outcome(
    night: str,
    past: Numbers,
    tonight: float,
    detector: NightShift,
    budget: PageBudget,
    earlier: list[Crossing],
) -> Outcome:
    if len(past) < detector.provisional_nights:
        return Outcome(crossed=False, paged=False, learning=True)
    limit = detector.threshold(past, tonight, budget.rate)
    over = tonight > limit.value
    reading = Reading(night, "night_shift", "over" if over else "quiet", "", tonight, limit.value)
    decision = budget.decide(reading, earlier)
    remembered = budget.remember(reading, decision)
    if remembered:
        earlier.append(remembered)
    return Outcome(crossed=over, paged=bool(remembered and remembered.fired), learning=False)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean and a two-sided 95 % interval over independent histories."""
    x = np.asarray(values, float)
    reach = 1.96 * float(x.std(ddof=1)) / sqrt(len(x)) if len(x) > 1 else float("nan")
    return float(x.mean()), float(x.mean()) - reach, float(x.mean()) + reach
