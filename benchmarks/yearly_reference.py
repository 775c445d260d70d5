"""Would the nightly watch be better with last year's level taken out of every night? Simulated years say by how much.

``python -m benchmarks.yearly_reference [--quick] [--seed N]``: two years of made-up feeds without a season, with a
wave over the year, and with six weeks that lie elsewhere each year; then 90 nights on which nothing is wrong and
seven with a change. The watch as it ships is put beside the same watch on nights from which the level of the three
weeks around the same weekday a year ago is taken, in full and by half. One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit
from benchmarks.simulated_nights import PAGE_RATE, Change, Column, Feed, interval
from benchmarks.simulated_pages import Statistics, generator, pages
from perennial.detectors.night_shift import NightShift
from perennial.policies.paging import PageBudget

Numbers = NDArray[np.float64]

YEAR, AROUND = 364, 10
"""The same weekday a year ago, and so many nights before and after it."""
HISTORY, QUIET, CHANGED = YEAR + AROUND + 240, 90, 7
START = HISTORY + QUIET
SEASON_NIGHTS, SEASON = 42, 0.4
"""How long a season lasts, and by how many standard deviations its level differs."""
FEEDS = ("weekly_ar6", "weekly_ar6_annual", "weekly_ar6_season")
CHANGES = {f"mean +{by:g} sd": Change(START, mean=by) for by in (0.2, 0.5)}
TAKEN = (0.0, 0.5, 1.0)
"""Share of last year's level that is taken out; none is the watch as it ships."""


@dataclass(frozen=True)
class Seasonal(Feed):
    """A feed whose level may lie elsewhere for six weeks at the same time of every year."""

    def levels(self, draw: np.random.Generator, shape: tuple[int, int]) -> Numbers:
        """Draw the level of one column; all columns of a history have their season at the same time."""
        level = super().levels(draw, shape)
        if "season" in self.scenario:
            begins = np.random.default_rng(self.rows).integers(0, 365, shape[1])
            since = (np.arange(shape[0])[:, None] - begins) % 365
            level = level + np.where(since < SEASON_NIGHTS, SEASON * draw.normal(size=shape[1]), 0.0)
        return level


def without_last_year(column: Column, share: float) -> Column:
    """Take last year's level out of a column; nights before there is one are unknown."""
    if not share:
        return column
    width = 2 * AROUND + 1
    total = np.cumsum(np.concatenate([np.zeros_like(column.values[:1]), column.values]), axis=0)
    level = (total[width:] - total[:-width]) / width
    past = np.full(column.values.shape, np.nan)
    begin = YEAR + AROUND
    past[begin:] = level[: len(past) - begin]
    return replace(column, values=column.values - share * past)


def cell(
    feed: Feed, histories: int, seed: int, detector: NightShift, budget: PageBudget
) -> list[dict[str, Any]]:
    """Measure one feed with each share of last year's level."""
    started, draw = process_time(), generator(feed, seed)
    shape = (len(feed.nights), histories)
    rest = {share: Statistics(np.full(shape, np.nan), np.full(shape, np.nan)) for share in TAKEN}
    watched = []
    for column in feed.columns(draw, histories):
        if column.streams[0].column == "n0":
            watched.append(column)
            continue
        for share, found in rest.items():
            found.add(without_last_year(column, share), feed, detector)
    narrow = replace(feed, features=2)
    changed = {name: next(iter(narrow.columns(draw, histories, change))) for name, change in CHANGES.items()}
    made = []
    for share, found in rest.items():
        usual = _paged(found, watched[0], share, feed, detector, budget)
        mean, low, high = interval(usual[:QUIET].sum(axis=0))
        power = {
            name: _found(_paged(found, column, share, feed, detector, budget))
            for name, column in changed.items()
        }
        made.append(
            {
                "scenario": feed.scenario,
                "rows": feed.rows,
                "taken": share,
                "pages_per_90": round(mean, 3),
                "interval": (round(low, 3), round(high, 3)),
                "more_than_one": round(float((usual[:QUIET].sum(axis=0) > 1).mean()), 4),
                "nothing": _found(usual),
                **power,
                "n": histories,
                "cpu_seconds": round(process_time() - started, 1),
            }
        )
    return made


def _paged(
    rest: Statistics, column: Column, share: float, feed: Feed, detector: NightShift, budget: PageBudget
) -> NDArray[np.bool_]:
    both = Statistics(rest.alone.copy(), rest.together.copy())
    both.add(without_last_year(column, share), feed, detector)
    # Both ways begin with the same nights: else the one that knows more nights would have the better threshold.
    for statistic in (both.alone, both.together):
        statistic[: YEAR + AROUND + detector.weeks * 7] = np.nan
    return pages(*both.ratios(range(HISTORY, len(feed.nights)), detector, PAGE_RATE), budget)


def _found(paged: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of histories found on the first changed night, and within the week."""
    return round(float(paged[QUIET].mean()), 3), round(float(paged[QUIET:].any(axis=0).mean()), 3)


def main() -> int:
    """Simulate every feed and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="40 histories of a feed")
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, help="histories of a feed")
    asked.add_argument("--only", default="", help="feeds whose name holds this")
    options = asked.parse_args()
    detector, budget = NightShift(), PageBudget()
    histories = options.size or (40 if options.quick else 200)
    cells = []
    for scenario in FEEDS:
        if options.only not in scenario:
            continue
        for made in cell(
            Seasonal(scenario, 10_000, 10, HISTORY, QUIET + CHANGED, 16),
            histories,
            options.seed,
            detector,
            budget,
        ):
            cells.append(made)
            print(json.dumps(made), file=sys.stderr, flush=True)
    print(json.dumps(report(cells, histories, options.seed)))
    return 0


def report(cells: list[dict[str, Any]], histories: int, seed: int) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    ours, other = (
        float(np.mean([one["pages_per_90"] for one in cells if one["taken"] == share]))
        for share in (0.0, 1.0)
    )
    return {
        "name": "yearly_reference",
        "claim": "a watch with last year's level taken out of each night pages no less often",
        "ours": round(ours, 3),
        "peer": round(other, 3),
        "peer_name": "the same watch with last year's level taken out",
        "ratio": round(ours / other, 2) if other else None,
        "floor": None,
        "unit": "pages in 90 ordinary nights, mean of the feeds",
        "n": histories,
        "seed": seed,
        "settings": {"history": HISTORY, "around": AROUND, "season": [SEASON_NIGHTS, SEASON]},
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": cells,
    }


if __name__ == "__main__":
    sys.exit(main())
