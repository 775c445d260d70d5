"""How often the watch over labels by score pages when nothing is wrong, and how soon it sees a changed relation.

``python -m benchmarks.residual_shape [--seed N] [--size N] [--out FOLDER]`` draws histories whose
first nights are scored by models of forward folds and whose live nights by the version itself, each wrong in its own
way. Each cell is a file under ``--out``; what is there is not run again. One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import FIRST_NIGHT, PAGE_RATE, Column, Feed, interval
from benchmarks.simulated_pages import Statistics, pages
from perennial.clock import after, between
from perennial.detectors.night_shift import NightShift
from perennial.detectors.residual_shape import ResidualShape
from perennial.facts.residual_shape import levelled, shape
from perennial.facts.streams import Stream
from perennial.policies.paging import PageBudget
from perennial.stages.monitor import SHOWN_TWICE
from perennial.stages.residual_shape import BINS, ROWS_IN_BIN

Numbers = NDArray[np.float64]

LIVE, LEARNING = 90, 72
ROWS, REFERENCES = (60, 400, 2000), (60, 120, 180)
SCENARIOS = ("iid", "ar3", "heavy", "slope", "rare")
"""Nights alike; levels that wander by half a unit of the logit, autocorrelated by .3; that jump by as much with the
tails of Student's t with 3 degrees of freedom; whose slope varies by a fifth as well; and rare events."""
NIGHT_SD, SLOPE_SD, FOLDS, FINE = 0.5, 0.2, 5, 4
GREATEST, RARE = 0.75, 0.15
OVERFIT, EXCESS = 0.15, 1.5
"""Slope that a fold on little data has too much, and its calibration error, in those of a table of rates."""
CHANGES = ("nothing", "turned", "tenth +.1", "tenth +.2")
QUIET, WITHIN = 30, (1, 7, 14)
MORE_THAN_ONE = 0.05


@dataclass(frozen=True)
class Labels:
    """A made-up history of scores and labels; scores are even between 0 and three quarters, or .15 if rare."""

    scenario: str = "iid"
    rows: int = 400
    reference: int = 120
    live: int = LIVE
    change: str = "nothing"
    """From the 31st live night on: scores above a quarter come true as their mirror says, or one tenth more often."""

    @property
    def nights(self) -> tuple[str, ...]:
        """Return all nights, those that the version had not seen first."""
        return tuple(between(FIRST_NIGHT, after(FIRST_NIGHT, self.reference + self.live - 1)))

    @property
    def chances(self) -> Numbers:
        """Return what the scores say where nothing is wrong: four in each tenth."""
        cells = BINS * FINE
        return (np.arange(cells) + 0.5) / cells * (RARE if self.scenario == "rare" else GREATEST)

    def column(self, draw: np.random.Generator, histories: int) -> Column:
        """Draw so many histories, as streams: nights by histories by ranges of scores."""
        shaped = (len(self.nights), histories, len(self.chances))
        rows = draw.poisson(self.rows / shaped[2], shaped)
        came_true = draw.binomial(rows, self._truth(draw, shaped)).astype(float)
        expected = levelled(self._told(draw, histories), rows.astype(float), came_true.sum(axis=2))
        bins = int(np.clip(self.rows // ROWS_IN_BIN, 1, BINS))
        place = np.arange(shaped[2]) * bins // shaped[2]
        inside = (place[:, None] == np.arange(bins)).astype(float)
        found = shape(rows @ inside, came_true @ inside, (rows * expected) @ inside)
        streams = tuple(Stream("score", "location", str(one)) for one in range(bins))
        return Column(streams, *found, (rows @ inside).astype(int))

    def _truth(self, draw: np.random.Generator, shaped: tuple[int, int, int]) -> Numbers:
        chances = np.broadcast_to(self.chances, (shaped[0], 1, shaped[2])).copy()
        since = chances[self.reference + QUIET :]
        if self.change == "turned":
            since[...] = np.where(since > 0.25, 1 - since, since)
        elif self.change != "nothing":
            since[..., 5 * FINE : 6 * FINE] += float(self.change.rsplit("+", 1)[-1])
        level, slope = self._wandering(draw, shaped[:2])
        found: Numbers = expit(logit(chances) * slope[..., None] + level[..., None])
        return found

    def _wandering(self, draw: np.random.Generator, shaped: tuple[int, int]) -> tuple[Numbers, Numbers]:
        level, slope = np.zeros(shaped), np.ones(shaped)
        if self.scenario == "heavy":
            level = NIGHT_SD * draw.standard_t(3, shaped) / np.sqrt(3)
        elif self.scenario in ("ar3", "slope", "rare"):
            level = _neighbourly(draw, shaped) * NIGHT_SD
        if self.scenario == "slope":
            slope = slope + _neighbourly(draw, shaped) * SLOPE_SD
        return level, slope

    def _told(self, draw: np.random.Generator, histories: int) -> Numbers:
        """Return what the models say: each fold's with its own errors, fewer the more it has learned from."""
        model = np.minimum(np.arange(self.reference) * FOLDS // self.reference, FOLDS - 1)
        model = np.concatenate([model, np.full(self.live, FOLDS)])
        learned = np.arange(1, FOLDS + 2)
        odds, seen = logit(self.chances), self.rows * self.reference * learned / (FOLDS + 1)
        steep = odds + (OVERFIT / learned)[:, None] * (odds - odds.mean())
        errors = draw.normal(0, EXCESS, (FOLDS + 1, histories, BINS)).repeat(FINE, axis=2)
        rate = self.chances * (1 - self.chances)
        wrong = errors * np.sqrt(BINS / (seen[:, None, None] * rate))
        found: Numbers = expit(steep[:, None] + wrong)[model]
        return found


def _neighbourly(draw: np.random.Generator, shaped: tuple[int, int]) -> Numbers:
    """Draw AR(1) numbers of autocorrelation .3 and standard deviation 1."""
    found = draw.normal(size=shaped)
    for night in range(1, len(found)):
        found[night] = 0.3 * found[night - 1] + np.sqrt(1 - 0.3**2) * found[night]
    return found


class Watched(NamedTuple):
    """What the watch came to: nights by histories."""

    pages: NDArray[np.int64]
    over: NDArray[np.int64]
    """Nights over the threshold, before the governor."""


def watched(labels: Labels, histories: int, seed: int) -> Watched:
    """Read the live nights of so many histories, on a budget of their own."""
    arm = ResidualShape()
    budget = PageBudget(false_pages=arm.false_pages, per_nights=arm.per_nights)
    nights = Feed(history=labels.reference, live=labels.live)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = [labels.column(_draws(labels, seed), histories)]
        return _followed(nights, columns, histories, budget, arm.rate)


def inputs_watched(labels: Labels, histories: int, seed: int, inputs: str) -> Watched:
    """Read twenty input columns of the same nights, a scenario of ``simulated_nights``, on the model's budget."""
    feed = Feed(inputs, labels.rows, 20, labels.reference, labels.live, 16)
    columns = feed.columns(_draws(labels, seed + 1), histories)
    return _followed(feed, columns, histories, PageBudget(), PAGE_RATE)


def _draws(labels: Labels, seed: int) -> np.random.Generator:
    name = zlib.crc32(f"{labels.scenario}-{labels.rows}-{labels.reference}".encode())
    return np.random.default_rng([seed, name])


def _followed(
    nights: Feed, columns: Iterable[Column], histories: int, budget: PageBudget, rate: float
) -> Watched:
    detector = NightShift()
    found = Statistics(*np.full((2, len(nights.nights), histories), np.nan))
    for column in columns:
        found.add(column, nights, detector)
    first = max(found.first_verdict(detector), nights.history)
    ratios, tails = found.ratios(range(first, len(nights.nights)), detector, rate)
    live = Watched(*np.zeros((2, nights.live, histories), np.int64))
    live.pages[first - nights.history :] = pages(ratios, tails, budget)
    live.over[first - nights.history :] = ratios > 1
    return live


def false_pages(labels: Labels, histories: int, seed: int, inputs: str) -> dict[str, Any]:
    """Count the pages of 90 nights when nothing is wrong, and who asks for a training."""
    found = watched(labels, histories, seed)
    count = found.pages
    if inputs:
        count = count + inputs_watched(labels, histories, seed, inputs).pages
    count = count[-LIVE:].sum(axis=0)
    mean, low, high = interval(count)
    return {
        "pages": round(mean, 3),
        "interval": [round(low, 3), round(high, 3)],
        "more_than_one": round(float((count > 1).mean()), 4),
        "asks": round(float((found.over[-LIVE:].sum(axis=0) >= SHOWN_TWICE).mean()), 4),
    }


def seen_within(labels: Labels, histories: int, seed: int) -> dict[str, Any]:
    """Return the shares of histories that page, and ask, within so many nights of labels of a change."""
    found = watched(labels, histories, seed)
    paged, over = found.pages[QUIET:], found.over[QUIET:]
    return {
        "pages": {str(most): round(float(paged[:most].any(axis=0).mean()), 3) for most in WITHIN},
        "asks": {
            str(most): round(float((over[:most].sum(axis=0) >= SHOWN_TWICE).mean()), 3) for most in WITHIN
        },
    }


def main() -> int:
    """Simulate every cell that is not there yet and print the object."""
    options = _asked()
    quiet, power = [], []
    for scenario, rows, reference in product(SCENARIOS, ROWS, REFERENCES):
        # A version of 60 nights learns for twelve more; the watch over inputs is joined once for each size.
        labels = Labels(scenario, rows, reference, LIVE + max(LEARNING - reference, 0))
        for inputs in ("", "weekly_ar6") if (scenario, reference) == ("ar3", 120) else ("",):
            made = _cell(options, "budget", labels, partial(false_pages, labels, inputs=inputs), inputs)
            quiet.append(made | {"holds": bool(inputs) or _holds(made, options.size)})
    for scenario, rows, change in product(SCENARIOS[:2], ROWS, CHANGES):
        labels = Labels(scenario, rows, 120, QUIET + WITHIN[-1], change)
        power.append(_cell(options, "power", labels, partial(seen_within, labels), ""))
    print(json.dumps(report(quiet, power, options)))
    return 0 if all(cell["holds"] for cell in quiet) else 1


def _holds(made: dict[str, Any], size: int) -> bool:
    """Tell whether pages and the share of more than one lie within two standard errors of what is declared."""
    reach = 2 * np.sqrt(MORE_THAN_ONE * (1 - MORE_THAN_ONE) / size)
    once = made["more_than_one"] <= MORE_THAN_ONE + float(reach)
    return bool(once and made["interval"][0] <= ResidualShape().rate * LIVE)


def _cell(options: argparse.Namespace, kind: str, labels: Labels, make: Any, inputs: str) -> dict[str, Any]:
    about = {**asdict(labels), "inputs": inputs}
    name = "-".join(str(part) for part in (kind, *about.values()) if part).replace(" ", "")
    settings = {**about, "seed": options.seed, "n": options.size, "shown_twice": SHOWN_TWICE}
    settings |= {"night_shift": NightShift().model_dump(), "rows_in_bin": ROWS_IN_BIN}
    made = kept(options.out, name, settings, partial(make, histories=options.size, seed=options.seed))
    print(name, made, file=sys.stderr, flush=True)
    return about | made


def report(quiet: list[Any], power: list[Any], options: argparse.Namespace) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    alone = [cell for cell in quiet if not cell["inputs"]]
    return {
        "name": "residual_shape",
        "claim": "at most one page in 365 nights where nothing is wrong, and a turned relation is seen",
        "ours": max(cell["pages"] for cell in alone),
        "peer": None,
        "peer_name": "none: no peer watches labels by score",
        "ratio": None,
        "floor": round(ResidualShape().rate * LIVE, 3),
        "unit": "pages per 90 nights, worst cell",
        "n": options.size,
        "seed": options.seed,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": quiet,
        "power": power,
    }


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, default=400, help="histories in a cell")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/residual_shape"))
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
