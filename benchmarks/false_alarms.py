"""How often the nightly watch pages when nothing is wrong: declared and realised, cell by cell.

``python -m benchmarks.false_alarms [--quick] [--seed N]`` prints progress on stderr and one JSON object on
stdout. Every cell draws histories of a made-up feed (``simulated_nights.py``), 90 live nights each.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from time import process_time

import numpy as np

from benchmarks.simulated_nights import SCENARIOS, Feed, interval, live_outcomes
from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget

LIVE = 90
ROWS, HISTORIES = (200, 1000, 10_000), (80, 120, 365)


@dataclass(frozen=True)
class Cell:
    """What one kind of feed came to."""

    scenario: str
    rows: int
    features: int
    history: int
    declared: float
    realised: float
    interval: tuple[float, float]
    crossed: float
    """Nights per 90 above the calibrated threshold, before the governor."""
    more_than_one: float
    """Share of histories with more than one page in 90 nights."""
    n: int

    @property
    def holds(self) -> bool:
        """Tell whether the declared rate lies above the interval's lower end."""
        return self.interval[0] <= self.declared


def simulated(feed: Feed, histories: int, seed: int) -> Cell:
    """Draw histories of one feed and count the pages of their live nights."""
    pages, crossed = [], []
    for history in range(histories):
        watch = feed.watch(np.random.default_rng([seed, history, feed.rows, feed.history]))
        outcomes = live_outcomes(watch, feed.live, NightShift(), PageBudget())
        pages.append(sum(outcome.paged for outcome in outcomes))
        crossed.append(sum(outcome.crossed for outcome in outcomes))
    mean, low, high = interval(pages)
    return Cell(
        feed.scenario,
        feed.rows,
        feed.features,
        feed.history,
        declared=PageBudget().rate * LIVE,
        realised=mean,
        interval=(low, high),
        crossed=float(np.mean(crossed)),
        more_than_one=float(np.mean(np.array(pages) > 1)),
        n=histories,
    )


def feeds(*, quick: bool) -> Iterator[Feed]:
    """List the feeds that are simulated."""
    scenarios, rows, histories = (SCENARIOS[:4], (1000,), (365,)) if quick else (SCENARIOS, ROWS, HISTORIES)
    for scenario, n, history in product(scenarios, rows, histories):
        yield Feed(scenario, n, history=history, live=LIVE)


def main() -> int:
    """Simulate every cell and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="four cells of 40 histories")
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, help="histories in a cell")
    options = asked.parse_args()
    histories = options.size or (40 if options.quick else 200)
    cells, started = [], process_time()
    for feed in feeds(quick=options.quick):
        cells.append(simulated(feed, histories, options.seed))
        print(f"{process_time() - started:6.0f} s  {cells[-1]}", file=sys.stderr)
    worst = max(cells, key=lambda cell: cell.realised)
    found = {
        "name": "false_alarms",
        "claim": "at most one page in 90 nights where nothing is wrong",
        "ours": worst.realised,
        "peer": None,
        "peer_name": "none: no peer declares a rate of false alarms",
        "ratio": None,
        "floor": worst.declared,
        "unit": "pages per 90 nights, worst cell",
        "n": histories,
        "seed": options.seed,
        "settings": {"night_shift": NightShift().model_dump(), "budget": PageBudget().model_dump()},
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": _commit(),
        "cells": [asdict(cell) | {"holds": cell.holds} for cell in cells],
    }
    print(json.dumps(found))
    return 0 if all(cell.holds for cell in cells) else 1


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
