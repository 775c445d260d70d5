"""What the nightly watch sees, beside the statistics of peers at the same rate of false alarms.

``python -m benchmarks.power [--quick] [--seed N] [--only TEXT]``: histories of made-up feeds, 90 nights on
which nothing is wrong, then 7 on which one of twenty columns has changed. Peers get the threshold that
no user can know: the one at which they page as often in those 90 nights as the watch did. Detection
counts from the first changed night, with whatever earlier false pages have done to the bar.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import peer_statistics
from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import PAGE_RATE, Change, Column, Feed
from benchmarks.simulated_pages import Statistics, generator, pages
from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

HISTORY, QUIET, CHANGED = 200, 90, 7
START = HISTORY + QUIET
CHANGES: dict[str, Change] = {
    **{f"mean +{by:g} sd": Change(START, mean=by) for by in (0.05, 0.1, 0.2, 0.5, 1.0)},
    "spread x1.3": Change(START, spread=1.3),
    **{f"share +{by:g}": Change(START, share=by) for by in (0.05, 0.1)},
    **{f"nulls {by:g}": Change(START, missing=by) for by in (0.005, 0.02)},
    "unit x1000": Change(START, factor=1000),
    "lost category": Change(START, lost=True),
    "leak .05 sd a night": Change(START, leak=0.05),
}
FEEDS = (
    ("iid", 200),
    ("iid", 1000),
    ("weekly_ar6", 200),
    ("weekly_ar6", 1000),
    ("weekly_ar6", 10_000),
    ("heavy", 1000),
)


class Rest:
    """Twenty columns of many histories, scored by the watch and by the peers, the first of a kind left out."""

    def __init__(self, feed: Feed, draw: np.random.Generator, histories: int, detector: NightShift) -> None:
        """Draw and score them; the columns that will be changed are kept apart."""
        shape = (len(feed.nights), histories)
        self.feed, self.detector = feed, detector
        self.ours = Statistics(np.full(shape, np.nan), np.full(shape, np.nan))
        self.peers = {peer: np.zeros(shape) for peer in peer_statistics.PEERS}
        self.apart: dict[str, Column] = {}
        for column in feed.columns(draw, histories):
            name = column.streams[0].column
            if name in ("n0", "c0"):
                self.apart[name] = column
            else:
                self.add(column)

    def add(self, column: Column) -> None:
        """Let one more column compete."""
        self.ours.add(column, self.feed, self.detector)
        if column.streams[0].column:
            for peer, statistic in peer_statistics.statistics(column).items():
                np.fmax(self.peers[peer], statistic, out=self.peers[peer])

    def joined(self, *columns: Column) -> tuple[Statistics, dict[str, Numbers]]:
        """Return all statistics with these columns among the rest."""
        both = Rest.__new__(Rest)
        both.feed, both.detector = self.feed, self.detector
        both.ours = Statistics(self.ours.alone.copy(), self.ours.together.copy())
        both.peers = {peer: statistic.copy() for peer, statistic in self.peers.items()}
        for column in columns:
            both.add(column)
        return both.ours, both.peers


def cell(feed: Feed, histories: int, seed: int, detector: NightShift, budget: PageBudget) -> dict[str, Any]:
    """Measure one feed: every change, the watch and each peer."""
    started, draw = process_time(), generator(feed, seed)
    rest = Rest(feed, draw, histories, detector)
    usual, peers = rest.joined(*rest.apart.values())
    paged = _paged(usual, feed, detector, budget)
    rate = float(paged[-CHANGED - QUIET : -CHANGED].mean())
    limits = {peer: np.quantile(statistic[HISTORY:START], 1 - rate) for peer, statistic in peers.items()}
    found = {"nothing": _night_and_week(paged[-CHANGED:])}
    by_peer = {peer: {"nothing": _night_and_week(peers[peer][START:] > limits[peer])} for peer in peers}
    for name, change in CHANGES.items():
        which = "c0" if change.share or change.lost else "n0"
        ours, theirs = rest.joined(
            _changed(feed, draw, histories, change, which), rest.apart["n0" if which == "c0" else "c0"]
        )
        found[name] = _night_and_week(_paged(ours, feed, detector, budget)[-CHANGED:])
        for peer in peers:
            by_peer[peer][name] = _night_and_week(theirs[peer][START:] > limits[peer])
    return {
        "scenario": feed.scenario,
        "rows": feed.rows,
        "false_pages_per_90": round(90 * rate, 3),
        "watch": found,
        **by_peer,
        "n": histories,
        "cpu_seconds": round(process_time() - started, 1),
    }


def _changed(feed: Feed, draw: np.random.Generator, histories: int, change: Change, which: str) -> Column:
    """Draw one column with a history of its own that changes."""
    narrow = Feed(feed.scenario, feed.rows, 2, feed.history, feed.live, feed.bins)
    return next(c for c in narrow.columns(draw, histories, change) if c.streams[0].column == which)


def _paged(found: Statistics, feed: Feed, detector: NightShift, budget: PageBudget) -> Flags:
    nights = range(START - QUIET, len(feed.nights))
    return pages(*found.ratios(nights, detector, PAGE_RATE), budget)


def _night_and_week(found: Flags) -> tuple[float, float]:
    """Return the share of histories found on the first night, and within the week."""
    return round(float(found[0].mean()), 3), round(float(found.any(axis=0).mean()), 3)


def main() -> None:
    """Measure every feed that is not there yet and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="40 histories of two feeds")
    asked.add_argument("--seed", type=int, default=2, help="changes every draw")
    asked.add_argument("--size", type=int, help="histories of a feed")
    asked.add_argument("--only", default="", help="feeds whose name scenario-rows holds this")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/power"))
    options = asked.parse_args()
    detector, budget = NightShift(), PageBudget()
    histories = options.size or (40 if options.quick else 200)
    settings = {"night_shift": detector.model_dump(), "budget": budget.model_dump()}
    cells = []
    for scenario, rows in FEEDS[1:4:2] if options.quick else FEEDS:
        if options.only not in f"{scenario}-{rows}":
            continue
        feed = Feed(scenario, rows, 20, HISTORY, QUIET + CHANGED)
        made = kept(
            options.out,
            f"{scenario}-{rows}",
            {**settings, "seed": options.seed, "n": histories},
            partial(cell, feed, histories, options.seed, detector, budget),
        )
        cells.append(made)
        print(json.dumps(made), file=sys.stderr, flush=True)
    print(json.dumps(report(cells, settings, histories, options.seed)))


def report(
    cells: list[dict[str, Any]], settings: dict[str, Any], histories: int, seed: int
) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints: mean detection within a week, all changes."""
    ours, best = (
        float(np.mean([max(one[who][change][1] for who in names) for one in cells for change in CHANGES]))
        for names in (("watch",), peer_statistics.PEERS)
    )
    return {
        "name": "power",
        "claim": "at the same rate of false alarms the watch sees more than the statistics of peers",
        "ours": round(ours, 3),
        "peer": round(best, 3),
        "peer_name": "the best of the peers' statistics for each change, with a threshold nobody can know",
        "ratio": round(ours / best, 2) if best else None,
        "floor": None,
        "unit": "share of changes found within 7 nights, mean of all cells",
        "n": histories,
        "seed": seed,
        "settings": settings,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": cells,
    }


if __name__ == "__main__":
    main()
