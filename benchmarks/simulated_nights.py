"""Nights of a made-up feed in which nothing is wrong: exact multinomial profiles, as streams.

Numeric columns fall into bins whose odds follow a level that may depend on the weekday, wander from
night to night (AR(1)), jump with heavy tails and swing with the year; categories likewise. Many
histories are drawn at once, column by column; used by the benchmarks and, smaller, by the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from perennial.clock import after, between
from perennial.facts.edges import BINS, OUTSIDE_SCORE, ColumnEdges
from perennial.facts.streams import ADDED, Stream, Watch

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

FIRST_NIGHT = "2020-01-06"
CATEGORIES = 11
WEEKDAY_SD, WANDER_SD, ANNUAL, TAIL_DF = 0.2, 0.1, 0.3, 3
PAGE_RATE = 1 / 90
SCENARIOS = ("iid", "weekly", "ar3", "ar6", "weekly_ar6", "heavy")
"""Independent nights; a weekday pattern; levels that wander with autocorrelation .3 or .6; both; levels
that jump every night with the tails of Student's t with 3 degrees of freedom."""


@dataclass(frozen=True)
class Change:
    """What is made to happen to the first column of its kind from one night on."""

    first_night: int
    mean: float = 0.0
    spread: float = 1.0
    share: float = 0.0
    missing: float = 0.0
    factor: float = 1.0
    lost: bool = False
    """The most frequent category is delivered under the name of another."""
    leak: float = 0.0
    """Standard deviations that the mean moves further every night."""
    last_night: int | None = None
    """Last night on which the mean is moved; none where it stays so."""


@dataclass(frozen=True)
class Column:
    """One column of many histories: grids are nights by histories by streams."""

    streams: tuple[Stream, ...]
    values: Numbers
    noise: Numbers
    plain: Numbers
    counts: Counts
    """Nights by histories by cells: what peers would compute their distances from."""


@dataclass(frozen=True)
class Feed:
    """A made-up feed: how its nights vary when nothing is wrong."""

    scenario: str = "iid"
    rows: int = 1000
    features: int = 20
    history: int = 365
    live: int = 90
    bins: int = BINS

    @property
    def nights(self) -> tuple[str, ...]:
        """Return all nights, history first."""
        return tuple(between(FIRST_NIGHT, after(FIRST_NIGHT, self.history + self.live - 1)))

    def columns(
        self, draw: np.random.Generator, histories: int = 1, change: Change | None = None
    ) -> Iterator[Column]:
        """Draw the columns of so many histories one after the other, the row count last."""
        rows = draw.poisson(self.rows, (self.history + self.live, histories))
        numeric = max(self.features * 7 // 10, 1)
        for i in range(numeric):
            yield self._numeric(f"n{i}", rows, draw, change if i == 0 else None)
        for i in range(self.features - numeric):
            yield self._category(f"c{i}", rows, draw, change if i == 0 else None)
        count = rows.astype(float)[..., None]
        yield Column((Stream("", "rows"),), np.log1p(count), 1 / np.sqrt(count), count, rows[..., None])

    def watch(self, draw: np.random.Generator, change: Change | None = None) -> Watch:
        """Draw one history with its live nights, as the watch of its last night."""
        columns = list(self.columns(draw, 1, change))
        streams = tuple(stream for column in columns for stream in column.streams)
        grids = (
            np.concatenate([getattr(column, kind)[:, 0] for column in columns], axis=1)
            for kind in ("values", "noise", "plain")
        )
        return Watch(self.nights, streams, *grids, page_rate=PAGE_RATE)

    def levels(self, draw: np.random.Generator, shape: tuple[int, int]) -> Numbers:
        """Draw the level of one column on every night of every history."""
        nights, histories = shape
        level, parts = np.zeros(shape), self.scenario.split("_")
        if "weekly" in parts:
            level += np.resize(draw.normal(0, WEEKDAY_SD, (7, histories)), shape)
        for part in parts:
            if part.startswith("ar"):
                level += wandering(draw, shape, int(part[2:]) / 10)
        if "heavy" in parts:
            level += WANDER_SD * draw.standard_t(TAIL_DF, shape) / sqrt(TAIL_DF / (TAIL_DF - 2))
        if "annual" in parts:
            year = np.arange(nights)[:, None] / 365 + draw.random(histories)
            level += ANNUAL * np.sin(2 * np.pi * year)
        return level

    def _numeric(self, name: str, rows: Counts, draw: np.random.Generator, change: Change | None) -> Column:
        ends = np.concatenate(
            [[-3.8], [NormalDist().inv_cdf(i / self.bins) for i in range(1, self.bins)], [3.8]]
        )  # about the range of 28 nights of a thousand rows
        level, spread, missing, factor = self.levels(draw, rows.shape), 1.0, 0.0, 1.0
        if change:
            since = np.arange(len(rows))[:, None] - change.first_night
            over = change.last_night is not None and np.arange(len(rows))[:, None] > change.last_night
            level = level + np.where(
                (since >= 0) & ~np.asarray(over), change.mean + change.leak * (since + 1), 0.0
            )
            spread = np.where(since >= 0, change.spread, 1.0)[..., None]
            factor = np.where(since >= 0, change.factor, 1.0)[..., None]
            missing = np.where(since >= 0, change.missing, 0.0)
        odds = _odds(ndtr((ends / factor - level[..., None]) / spread))
        absent = draw.binomial(rows, missing)
        counts = draw.multinomial(rows - absent, odds)
        usual = odds[:28].mean(axis=0)
        cut = draw.multinomial(28 * self.rows, usual / usual.sum(axis=1, keepdims=True))
        cuts = [ColumnEdges("number", tuple(ends), (), tuple(row)) for row in cut.tolist()]
        return _joined(
            _share(Stream(name, "missing"), absent, rows), *_moments(name, counts, cuts), of=counts
        )

    def _category(self, name: str, rows: Counts, draw: np.random.Generator, change: Change | None) -> Column:
        histories = rows.shape[1]
        weights = draw.dirichlet(np.full(CATEGORIES, 2.0), histories)
        direction = draw.normal(0, 1, (histories, CATEGORIES))
        odds = weights * np.exp(self.levels(draw, rows.shape)[..., None] * direction)
        odds /= odds.sum(axis=2, keepdims=True)
        if change and (change.share or change.lost):
            odds[change.first_night :] = _moved(odds[change.first_night :], change)
        counts = draw.multinomial(rows, odds)
        shares = [
            _share(Stream(name, "share", str(k)), counts[..., k], rows, ADDED) for k in range(CATEGORIES)
        ]
        return _joined(_share(Stream(name, "missing"), np.zeros_like(rows), rows), *shares, of=counts)


def wandering(draw: np.random.Generator, shape: tuple[int, int], phi: float) -> Numbers:
    """Draw AR(1) levels with standard deviation ``WANDER_SD``."""
    level = draw.normal(0, WANDER_SD, shape)
    for night in range(1, len(level)):
        level[night] = phi * level[night - 1] + sqrt(1 - phi**2) * level[night]
    return level


Part = tuple[Stream, Numbers, Numbers, Numbers]


def _joined(*parts: Part, of: Counts) -> Column:
    streams, values, noise, plain = zip(*parts, strict=True)
    return Column(streams, np.stack(values, axis=2), np.stack(noise, axis=2), np.stack(plain, axis=2), of)


def _odds(below: Numbers) -> Numbers:
    edge = np.zeros((*below.shape[:2], 1))
    odds = np.maximum(np.diff(np.concatenate([edge, below, edge + 1], axis=2), axis=2), 0)
    scaled: Numbers = odds / odds.sum(axis=2, keepdims=True)
    return scaled


def _moved(odds: Numbers, change: Change) -> Numbers:
    odds = odds * (1 - change.share)
    odds[..., 0] += change.share
    if change.lost:
        odds[..., -1] += odds[..., 1]
        odds[..., 1] = 0.0
    return odds


def _moments(name: str, counts: Counts, cuts: Sequence[ColumnEdges]) -> Iterator[Part]:
    n = counts.sum(axis=2)
    scores = np.stack([cut.scores for cut in cuts])
    first, second = (np.einsum("nhb,hb->nh", counts, scores**power) / n for power in (1, 2))
    for power, aspect, value in ((1, "location", first), (2, "spread", second - first**2)):
        variance = np.array([cut.score_variances[power - 1] for cut in cuts])
        noise = np.sqrt((variance + OUTSIDE_SCORE ** (2 * power) / n) / n)
        yield Stream(name, "location" if aspect == "location" else "spread"), value, noise, value


def _share(stream: Stream, count: Counts, rows: Counts, added: float = 0.0) -> Part:
    angle = np.arcsin(np.sqrt((count + added) / (rows + 2 * added)))
    return stream, angle, 0.5 / np.sqrt(rows), count / rows


def interval(values: Sequence[float] | Counts) -> tuple[float, float, float]:
    """Return mean and mean +- two standard errors over independent histories."""
    x = np.asarray(values, float)
    reach = 2 * float(x.std(ddof=1)) / sqrt(len(x)) if len(x) > 1 else float("nan")
    return float(x.mean()), float(x.mean()) - reach, float(x.mean()) + reach
