"""A declared pair shows a correlated change that leaves both columns as they were, and keeps the page budget.

``python -m benchmarks.pairs [--quick] [--seed N]``: made-up feeds of twenty columns and one declared pair of numbers or
of a number and a category, whose association is 0.3 (of eight groups by eight, wandering on Fisher's scale where the
feed's nights do); 90 nights on which nothing is wrong, then 7 on which only the association is another. One JSON object
on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import PAGE_RATE, Column, Feed, interval
from benchmarks.simulated_pages import Statistics, generator, pages
from perennial.detectors.night_shift import NightShift
from perennial.facts.association import GROUPS, pair_stream, width_of
from perennial.facts.edges import ColumnEdges, Edges
from perennial.facts.streams import Stream
from perennial.policies.paging import PageBudget

Numbers = NDArray[np.float64]

HISTORY, QUIET, CHANGED = 200, 90, 7
START = HISTORY + QUIET
USUAL = 0.3
CHANGES = {"gone (permuted)": 0.0, "0.3 to 0.2": 0.2, "0.3 to 0.4": 0.4, "0.3 to 0.5": 0.5, "turned": -0.3}
FEEDS = (("iid", 200), ("iid", 1000), ("weekly_ar6", 1000), ("weekly_ar6", 10_000), ("heavy", 1000))
KINDS = ("numbers", "number and category")
GRID = np.linspace(-0.9, 0.9, 181)
CUTS = [NormalDist().inv_cdf(i / GROUPS) for i in range(1, GROUPS)]
PAIR = ("n0", "n1")


@dataclass(frozen=True)
class Going:
    """How two columns go together night by night: the association's level is made to wander as the feed's levels do."""

    feed: Feed
    kind: str

    @property
    def edges(self) -> Edges:
        """Cut both columns into eight groups; a category has seven named ones and the others."""
        rows = 28 * self.feed.rows // GROUPS
        number = ColumnEdges("number", tuple(CUTS), (), (rows,) * GROUPS)
        names = tuple(f"c{i}" for i in range(GROUPS - 1))
        other = number if self.kind == "numbers" else ColumnEdges("category", (), names, (rows,) * GROUPS)
        return Edges(dict(zip(PAIR, (number, other), strict=True)), 28 * self.feed.rows)

    def column(self, draw: np.random.Generator, histories: int, changed: float = USUAL) -> Column:
        """Draw the pair's stream of many histories; the association is another from ``START`` on."""
        nights = len(self.feed.nights)
        level = np.where(np.arange(nights) < START, np.arctanh(USUAL), np.arctanh(changed))[:, None]
        rho = np.tanh(level + self.feed.levels(draw, (nights, histories)) / 2)
        place = np.clip(np.rint((rho + 0.9) * 100).astype(int), 0, len(GRID) - 1)
        rows = draw.poisson(self.feed.rows, place.shape)
        counts = draw.multinomial(rows, _odds()[place])
        read = [self._read(cells) for cells in counts.reshape(-1, GROUPS * GROUPS)]
        values, noise, plain = (
            np.array([one[part] for one in read]).reshape(*place.shape, 1) for part in range(3)
        )
        stream = Stream(PAIR[0], "association", PAIR[1])
        return Column((stream,), values, noise, plain, counts)

    def _read(self, cells: NDArray[np.int64]) -> tuple[float, float, float]:
        edges = _edges_of(self)
        shape = [width_of(edges.columns[name]) for name in PAIR]
        table = np.zeros(shape, int)
        table[:-1, :-1] = cells.reshape(GROUPS, GROUPS)
        return pair_stream(tuple(table.ravel().tolist()), PAIR, edges)


@cache
def _edges_of(going: Going) -> Edges:
    return going.edges


@cache
def _odds() -> Numbers:
    """Return the chances of the eight-by-eight cells for each correlation of the grid."""
    ends = [-8.0, *CUTS, 8.0]
    points = np.array([[a, b] for a in ends for b in ends])
    found = []
    for rho in GRID:
        below = multivariate_normal.cdf(points, mean=[0, 0], cov=[[1, rho], [rho, 1]])
        cells = np.diff(np.diff(below.reshape(len(ends), len(ends)), axis=0), axis=1).clip(0).ravel()
        found.append(cells / cells.sum())
    return np.array(found)


def cell(scenario: str, rows: int, histories: int, seed: int) -> dict[str, Any]:
    """Measure one feed: what pages without a pair, and with one of each kind."""
    feed, detector, budget = Feed(scenario, rows, 20, HISTORY, QUIET + CHANGED), NightShift(), PageBudget()
    draw = generator(feed, seed)
    rest = Statistics.of(feed, draw, histories, detector)
    found: dict[str, Any] = {"no pair": _told(paged_nights(rest, detector, budget))}
    for kind in KINDS:
        for name, changed in CHANGES.items():
            joined = Statistics(rest.alone.copy(), rest.together.copy())
            joined.add(Going(feed, kind).column(draw, histories, changed), feed, detector)
            found[f"{kind}, {name}"] = _told(paged_nights(joined, detector, budget))
    return {"scenario": scenario, "rows": rows, "n": histories, "changes": found}


def _told(paged: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the pages of the quiet nights, and the shares paged on the first changed night and within the week."""
    counts = paged[:QUIET].sum(axis=0)
    return {
        "pages_in_90_quiet_nights": [round(x, 3) for x in interval(counts)],
        "more_than_one": round(float((counts > 1).mean()), 3),
        "found": (
            round(float(paged[QUIET].mean()), 3),
            round(float(paged[QUIET:].any(axis=0).mean()), 3),
        ),
    }


def paged_nights(found: Statistics, detector: NightShift, budget: PageBudget) -> NDArray[np.bool_]:
    """Follow the page budget through the quiet and the changed nights, history by history."""
    nights = range(HISTORY, START + CHANGED)
    return pages(*found.ratios(nights, detector, PAGE_RATE), budget)


def main() -> None:
    """Measure every cell that is not there yet and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="40 histories of one feed")
    asked.add_argument("--seed", type=int, default=21, help="changes every draw")
    asked.add_argument("--size", type=int, default=200, help="histories of a cell")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/pairs"))
    options = asked.parse_args()
    histories = 40 if options.quick else options.size
    settings = {"seed": options.seed, "n": histories, "changes": CHANGES}
    found = []
    for scenario, rows in FEEDS[1:2] if options.quick else FEEDS:
        make = partial(cell, scenario, rows, histories, options.seed)
        found.append(kept(options.out, f"{scenario}-{rows}", settings, make))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps(report(found, histories, options.seed)))


def report(found: list[dict[str, Any]], histories: int, seed: int) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints: how often a lost link pages within a week."""
    lost = [one["changes"][f"{kind}, {next(iter(CHANGES))}"]["found"][1] for one in found for kind in KINDS]
    ours = float(np.mean(lost))
    peer = float(np.mean([one["changes"]["no pair"]["found"][1] for one in found]))
    return {
        "name": "pairs",
        "claim": "a declared pair shows a correlated change of which no column shows anything",
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "peer_name": "the watch without the pair",
        "ratio": round(ours / peer, 1) if peer else None,
        "floor": None,
        "unit": "share of lost associations of 0.3 that page within 7 nights",
        "n": histories,
        "seed": seed,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": found,
    }


if __name__ == "__main__":
    main()
