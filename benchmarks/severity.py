"""Severity by consequences: which pages it spares, that it makes none, and what it costs in power.

``python -m benchmarks.severity [--quick] [--seed N] [--only TEXT]``: made-up feeds of twenty columns, of which the
model ignores half, and a column of predictions; 90 nights on which nothing is wrong, then 7 on which one column, and
perhaps predictions, have changed. Pages are counted as the budget alone makes them and as they are weighed
(``policies/severity.py``). One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import PAGE_RATE, Change, Column, Feed, interval
from benchmarks.simulated_pages import Statistics, generator
from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget
from perennial.policies.severity import PREDICTIONS_RATE

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

HISTORY, QUIET, CHANGED = 200, 90, 7
START = HISTORY + QUIET
FEEDS = (("iid", 1000), ("weekly_ar6", 1000), ("weekly_ar6", 10_000), ("heavy", 1000))
IGNORED = (*(f"n{i}" for i in range(7, 14)), "c3", "c4", "c5")
"""Columns that the model ignores: half of the numbers and half of the categories."""
CASES: dict[str, tuple[str | None, float, float]] = {
    "nothing": (None, 0.0, 0.0),
    **{f"used column +{by:g} sd, predictions +{by / 2:g} sd": ("used", by, by / 2) for by in (0.2, 0.5, 1.0)},
    **{f"used column +{by:g} sd, predictions stay": ("used", by, 0.0) for by in (0.2, 0.5, 1.0)},
    **{f"ignored column +{by:g} sd": ("ignored", by, 0.0) for by in (0.2, 0.5, 1.0)},
    "ignored column +1 sd, predictions +0.2 sd": ("ignored", 1.0, 0.2),
}
"""What changes, by how much, and by how much predictions move with it."""


@dataclass
class Ratios:
    """Statistic over threshold and tail, nights by histories: of everything, of what is used, of predictions."""

    everything: tuple[Numbers, Numbers]
    used: tuple[Numbers, Numbers]
    predictions: Numbers


def weighed_pages(found: Ratios, budget: PageBudget) -> Flags:
    """Follow the budget through the nights, each page weighed; what is lowered raises no bar."""
    (ratio, tail), (rest, rest_tail) = found.everything, found.used
    top, since = np.zeros(ratio.shape[1]), np.zeros(ratio.shape[1])
    paged = np.zeros(ratio.shape, bool)
    for night in range(len(ratio)):
        left = top * np.clip(1 - (since - budget.held_nights) / budget.per_nights, 0, 1)
        over = (ratio[night] > 1) & (ratio[night] > budget.rarer ** (left * tail[night]))
        stands = (rest[night] > 1) & (rest[night] > budget.rarer ** (left * rest_tail[night]))
        paged[night] = over & (stands | (found.predictions[night] > 1))
        top = np.where(paged[night], left + 1, top)
        since = np.where(paged[night], 1, since + 1)
    return paged


def unweighed(found: Ratios, budget: PageBudget) -> Flags:
    """Follow the budget alone: as if everything were used."""
    return weighed_pages(replace(found, used=found.everything), budget)


class Nights:
    """Columns of many histories, scored once; the column that changes is drawn anew for each case."""

    def __init__(self, feed: Feed, draw: np.random.Generator, histories: int, detector: NightShift) -> None:
        """Draw and score what does not change."""
        self.feed, self.draw, self.histories, self.detector = feed, draw, histories, detector
        self.shape = (len(feed.nights), histories)
        self.all, self.used = self._none(), self._none()
        for column in feed.columns(draw, histories):
            name = column.streams[0].column
            if name not in ("n0", "n7"):
                self.all.add(column, feed, detector)
                if name not in IGNORED:
                    self.used.add(column, feed, detector)

    def _none(self) -> Statistics:
        return Statistics(np.full(self.shape, np.nan), np.full(self.shape, np.nan))

    def column(self, mean: float) -> Column:
        """Draw one number with a history of its own."""
        narrow = Feed(
            self.feed.scenario, self.feed.rows, 1, self.feed.history, self.feed.live, self.feed.bins
        )
        change = Change(START, mean=mean) if mean else None
        return next(iter(narrow.columns(self.draw, self.histories, change)))

    def ratios(self, which: str | None, by: float, predicted: float) -> Ratios:
        """Let one column and the predictions change, and score the night as a whole, by what is used, by predictions."""
        own, idle = (self.column(by if which == name else 0.0) for name in ("used", "ignored"))
        said = self.column(predicted)
        parts = ((self.all, (own, idle, said)), (self.used, (own, said)), (self._none(), (said,)))
        found = []
        for known, columns in parts:
            joined = Statistics(known.alone.copy(), known.together.copy())
            for column in columns:
                joined.add(column, self.feed, self.detector)
            found.append(joined)
        nights = range(HISTORY, len(self.feed.nights))
        everything, used = (one.ratios(nights, self.detector, PAGE_RATE) for one in found[:2])
        return Ratios(everything, used, found[2].ratios(nights, self.detector, PREDICTIONS_RATE)[0])


def cell(scenario: str, rows: int, histories: int, seed: int) -> dict[str, Any]:
    """Measure one feed: every case, with and without the weighing."""
    feed, detector, budget = Feed(scenario, rows, 20, HISTORY, QUIET + CHANGED), NightShift(), PageBudget()
    nights = Nights(feed, generator(feed, seed), histories, detector)
    cases = {}
    for name, case in CASES.items():
        ratios = nights.ratios(*case)
        before, after = unweighed(ratios, budget), weighed_pages(ratios, budget)
        cases[name] = {"budget alone": _shares(before), "weighed": _shares(after)}
        if case[0] is None:
            counts = [paged[:QUIET].sum(axis=0) for paged in (before, after)]
            quiet = {
                who: {
                    "mean": [round(x, 3) for x in interval(count)],
                    "more_than_one": float((count > 1).mean()),
                }
                for who, count in zip(("budget alone", "weighed"), counts, strict=True)
            }
            grown = int((counts[1] > counts[0]).sum())
    return {
        "scenario": scenario,
        "rows": rows,
        "n": histories,
        "quiet": quiet,
        "grown": grown,
        "cases": cases,
    }


def _shares(paged: Flags) -> tuple[float, float]:
    """Return the share of histories paged on the first changed night, and within the week."""
    changed = paged[QUIET:]
    return round(float(changed[0].mean()), 3), round(float(changed.any(axis=0).mean()), 3)


def main() -> None:
    """Measure every feed that is not there yet and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="60 histories of one feed")
    asked.add_argument("--seed", type=int, default=6, help="changes every draw")
    asked.add_argument("--only", default="", help="feeds whose name scenario-rows holds this")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/severity"))
    options = asked.parse_args()
    histories = 60 if options.quick else 300
    settings = {"seed": options.seed, "n": histories, "cases": list(CASES)}
    found = []
    for scenario, rows in FEEDS[1:2] if options.quick else FEEDS:
        if options.only in f"{scenario}-{rows}":
            make = partial(cell, scenario, rows, histories, options.seed)
            found.append(kept(options.out, f"{scenario}-{rows}", settings, make))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps(report(found, histories, options.seed)))


def report(found: list[dict[str, Any]], histories: int, seed: int) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints: how often a change that nobody uses pages."""
    idle = [case for case in CASES if case.startswith("ignored") and "predictions" not in case]
    ours, peer = (
        float(np.mean([one["cases"][case][who][1] for one in found for case in idle]))
        for who in ("weighed", "budget alone")
    )
    return {
        "name": "severity",
        "claim": "a change in what the model ignores is recorded, one in what it uses pages as before",
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "peer_name": "the page budget alone",
        "ratio": round(peer / ours, 2) if ours else None,
        "floor": None,
        "unit": "share of changes of ignored columns that page within 7 nights",
        "n": histories,
        "seed": seed,
        "settings": {"budget": PageBudget().model_dump(), "predictions_rate": PREDICTIONS_RATE},
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": found,
    }


if __name__ == "__main__":
    main()
