"""What the nightly watch makes of hundreds of made-up histories at once: statistics, thresholds, pages.

The scores of a night rest on earlier nights and on their own column only, so a feed is scored column by
column; thresholds and the page budget are then followed night by night, for all histories together.
The tests compare the outcome with readings made one by one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_nights import Column, Feed
from perennial.detectors.night_shift import NightShift
from perennial.facts.own_past import limit, tail_index
from perennial.facts.walk_forward import Windows, lasting, z_scores
from perennial.policies.paging import PageBudget

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass
class Statistics:
    """The largest surprise of each night, alone and together with the nights before; nights by histories."""

    alone: Numbers
    together: Numbers

    @classmethod
    def of(cls, feed: Feed, draw: np.random.Generator, histories: int, detector: NightShift) -> Statistics:
        """Draw so many histories of a feed and score them."""
        shape = (len(feed.nights), histories)
        found = cls(np.full(shape, np.nan), np.full(shape, np.nan))
        for column in feed.columns(draw, histories):
            found.add(column, feed, detector)
        return found

    def add(self, column: Column, feed: Feed, detector: NightShift) -> None:
        """Let one more column compete for the largest surprise."""
        z = scores(column, feed, detector)
        shape = column.values.shape
        for statistic, seen in (
            (self.alone, z),
            (self.together, lasting(z, detector.lasting_nights, detector.clip)),
        ):
            np.fmax(statistic, np.fmax.reduce(np.abs(seen).reshape(shape), axis=2), out=statistic)

    def ratios(self, nights: range, detector: NightShift, rate: float) -> tuple[Numbers, Numbers]:
        """Return, night by night, statistic over threshold of each history, and how heavy its tail is."""
        share = detector.lasting_share
        found, tails = np.zeros((2, len(nights), self.alone.shape[1]))
        for statistic, own in ((self.alone, (1 - share) * rate), (self.together, share * rate)):
            began = int(np.argmax(~np.isnan(statistic[:, 0])))
            for i, night in enumerate(nights):
                past = statistic[began:night]
                if own and len(past) >= detector.provisional_nights:
                    ratio = statistic[night] / limit(past, own, detector.rank_nights)
                    tails[i] = np.where(ratio > found[i], tail_index(past), tails[i])
                    np.fmax(found[i], ratio, out=found[i])
        return found, tails

    def first_verdict(self, detector: NightShift) -> int:
        """Return the first night that is no longer learning."""
        return int(np.argmax(~np.isnan(self.alone[:, 0]))) + detector.provisional_nights


def scores(column: Column, feed: Feed, detector: NightShift) -> Numbers:
    """Score one column of all histories: nights by (history, stream)."""
    nights = len(feed.nights)
    windows = Windows(detector.weeks, detector.pooled_nights, detector.ar_nights, detector.clip)
    values, noise = (
        np.broadcast_to(grid, column.values.shape).reshape(nights, -1)
        for grid in (column.values, column.noise)
    )
    return z_scores(feed.nights, values, noise, np.ones(nights, bool), windows)


def pages(ratios: Numbers, tails: Numbers, budget: PageBudget) -> Flags:
    """Follow the page budget through the nights: who is paged, history by history."""
    top, since = np.zeros(ratios.shape[1]), np.zeros(ratios.shape[1])
    paged = np.zeros(ratios.shape, bool)
    for night, ratio in enumerate(ratios):
        left = top * np.clip(1 - (since - budget.held_nights) / budget.per_nights, 0, 1)
        paged[night] = (ratio > 1) & (ratio > budget.rarer ** (left * tails[night]))
        top = np.where(paged[night], left + 1, top)
        since = np.where(paged[night], 1, since + 1)
    return paged


def generator(feed: Feed, seed: int) -> np.random.Generator:
    """Return draws that belong to one feed and seed only."""
    return np.random.default_rng(
        [seed, feed.rows, feed.features, feed.history, zlib.crc32(feed.scenario.encode())]
    )
