"""How often the nightly watch pages when nothing is wrong: declared and realised, cell by cell.

``python -m benchmarks.false_alarms [--quick] [--seed N] [--only TEXT]`` draws at least 400 histories of
every made-up feed (``simulated_nights.py``) and counts the pages of 90 nights that follow the learning
period. Each cell is a file under ``--out``; what is there is not run again. One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import PAGE_RATE, SCENARIOS, Feed, interval
from benchmarks.simulated_pages import Statistics, generator, pages
from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget

LIVE = 90
LEARNING, YEAR = 72, 365
"""Nights before the 90 that are counted: the learning period, or a year."""
ROWS, FEATURES = (200, 1000, 10_000, 100_000), (5, 50, 500)
MORE_THAN_ONE = 0.05
COARSE_BINS = 16
"""Bins of numeric columns in wide feeds: a fourth of the draws for the same streams."""


@dataclass(frozen=True)
class Cell:
    """What one kind of feed came to."""

    scenario: str
    rows: int
    features: int
    history: int
    n: int
    declared: float
    realised: float
    interval: tuple[float, float]
    """Mean pages in 90 nights, two standard errors either side."""
    more_than_one: float
    """Share of histories with more than one page in 90 nights."""
    crossed: float
    """Nights per 90 above the calibrated threshold, before the governor."""
    cpu_seconds: float

    @property
    def holds(self) -> bool:
        """Tell whether mean and share of more than one lie within two standard errors of what is declared."""
        reach = 2 * np.sqrt(MORE_THAN_ONE * (1 - MORE_THAN_ONE) / self.n)
        return self.interval[0] <= self.declared and self.more_than_one <= MORE_THAN_ONE + float(reach)


def simulated(feed: Feed, histories: int, seed: int, detector: NightShift, budget: PageBudget) -> Cell:
    """Draw histories of one feed and count the pages of their live nights."""
    started = process_time()
    found = Statistics.of(feed, generator(feed, seed), histories, detector)
    ratios, tails = found.ratios(range(found.first_verdict(detector), len(feed.nights)), detector, PAGE_RATE)
    count = pages(ratios, tails, budget)[-feed.live :].sum(axis=0)
    mean, low, high = interval(count)
    return Cell(
        feed.scenario,
        feed.rows,
        feed.features,
        feed.history,
        histories,
        declared=PAGE_RATE * feed.live,
        realised=round(mean, 3),
        interval=(round(low, 3), round(high, 3)),
        more_than_one=round(float((count > 1).mean()), 4),
        crossed=round(float((ratios[-feed.live :] > 1).sum(axis=0).mean()), 3),
        cpu_seconds=round(process_time() - started, 1),
    )


def feeds(*, quick: bool) -> Iterator[Feed]:
    """List the feeds that are simulated, the cheapest first."""
    if quick:
        yield from (Feed(scenario, 1000, 5, LEARNING, LIVE) for scenario in SCENARIOS)
        return
    for features, scenario, rows in product(FEATURES, SCENARIOS, ROWS):
        yield Feed(
            scenario, rows, features, LEARNING, LIVE, *([COARSE_BINS] if features > FEATURES[0] else [])
        )
    for scenario in (*SCENARIOS, "weekly_ar6_annual"):
        yield Feed(scenario, 10_000, 20, YEAR, LIVE, COARSE_BINS)


def main() -> int:
    """Simulate every cell that is not there yet and print the object."""
    options = _asked()
    detector, budget = NightShift(), PageBudget()
    settings = {"night_shift": detector.model_dump(), "budget": budget.model_dump()}
    histories = options.size or (100 if options.quick else 400)
    cells = []
    for feed in feeds(quick=options.quick):
        name = f"{feed.scenario}-{feed.rows}-{feed.features}-{feed.history}"
        if options.only not in name:
            continue
        made = kept(
            options.out,
            name,
            {**settings, "seed": options.seed, "n": histories},
            partial(_plain_cell, feed, histories, options.seed, detector, budget),
        )
        cells.append(Cell(**made | {"interval": tuple(made["interval"])}))
        print(f"{'holds' if cells[-1].holds else 'BROKEN'} {cells[-1]}", file=sys.stderr, flush=True)
    print(json.dumps(report(cells, settings, options.seed)))
    return 0 if all(cell.holds for cell in cells) else 1


def _plain_cell(*asked: Any) -> dict[str, Any]:
    return asdict(simulated(*asked))


def report(cells: list[Cell], settings: dict[str, Any], seed: int) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    worst = max(cells, key=lambda cell: cell.realised)
    return {
        "name": "false_alarms",
        "claim": "at most one page in 90 nights where nothing is wrong, and rarely more than one",
        "ours": worst.realised,
        "peer": None,
        "peer_name": "none: no peer declares a rate of false alarms",
        "ratio": None,
        "floor": worst.declared,
        "unit": "pages per 90 nights, worst cell",
        "n": worst.n,
        "seed": seed,
        "settings": settings,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": [asdict(cell) | {"holds": cell.holds} for cell in cells],
    }


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="six cells of 100 histories")
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, help="histories in a cell")
    asked.add_argument(
        "--only", default="", help="cells whose name scenario-rows-features-history holds this"
    )
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/false_alarms"))
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
