"""How often is a version that keeps its promise asked to be trained anew, and how soon one that breaks it?

Versions whose nights are drawn from one law, year after year, and versions that lose more from their sixtieth night on.
Every night the last 14 are put to ``facts/broken_promise.py``, as the retrain stage does. The claim: in every cell at
most 5 in 100 of the versions that keep their promise are asked about in 365 nights. Run ``python -m
benchmarks.broken_promise [--quick] [--seed N] [--data FOLDER]``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit
from benchmarks.rehearsal import Fits
from benchmarks.season.tables import TABLES
from perennial.facts.broken_promise import (
    BROKEN,
    LEAST_USUAL,
    RECENT_NIGHTS,
    USUAL_NIGHTS,
    chances_of_excess,
)
from perennial.facts.realised import LEAST_NIGHTS

Numbers = NDArray[np.float64]

LAWS = ("independent", "weekly", "autocorrelated .3", "autocorrelated .6", "weekly and .3", "heavy tails")
PROMISED = (14, 28)
"""Holdout nights."""
YEAR, EARLIER, CHANGED, FLOOR = 365, USUAL_NIGHTS + RECENT_NIGHTS, 60, 0.05
WORSE = (1.0, 1.5, 2.0, 3.0)
"""How much more is lost from the sixtieth night on, in standard deviations of a night."""
REAL, MADE, HALF_YEAR = ("flights", "elec2", "stationary", "switch"), (56, 110, 164, 218), 180
"""Tables of the season benchmark, and the last nights that versions of its model learn from."""
WEEK = np.array([0.0, 0.0, 0.0, 0.0, 0.5, -1.0, -1.0])


def nights(law: str, versions: int, count: int, draw: np.random.Generator) -> Numbers:
    """Draw mean losses of nights with a standard deviation of about 1."""
    luck = draw.normal(size=(versions, count))
    if law == "heavy tails":
        return np.asarray(np.exp(luck) / np.sqrt((np.e - 1) * np.e))
    share = {"autocorrelated .3": 0.3, "autocorrelated .6": 0.6, "weekly and .3": 0.3}.get(law, 0.0)
    for night in range(1, count):
        luck[:, night] = share * luck[:, night - 1] + np.sqrt(1 - share**2) * luck[:, night]
    return luck + (WEEK[np.arange(count) % 7] if "weekly" in law else 0.0)


def asked_on(losses: Numbers, promised: int) -> Numbers:
    """Return for each version and live night whether its promise counts as broken."""
    begin = EARLIER + promised
    told, live = losses[:, EARLIER:begin], losses.shape[1] - begin
    found = np.zeros((len(losses), live), bool)
    for night in range(LEAST_NIGHTS, live + 1):
        recent = losses[:, begin + max(night - RECENT_NIGHTS, 0) : begin + night]
        first = begin + night - recent.shape[1]
        chances = chances_of_excess(recent, told, losses[:, first - USUAL_NIGHTS : first])
        found[:, night - 1] = chances < BROKEN
    return found


def kept(law: str, promised: int, versions: int, seed: int) -> dict[str, Any]:
    """Count versions that are asked about although nothing changed."""
    draw = np.random.default_rng([seed, LAWS.index(law), promised])
    found = asked_on(nights(law, versions, EARLIER + promised + YEAR, draw), promised)
    share = float(found.any(axis=1).mean())
    return {"law": law, "promised": promised, "asked_in_a_year": round(share, 4)}


def broken(law: str, worse: float, versions: int, seed: int) -> dict[str, Any]:
    """Count versions that are asked about so many nights after they became worse."""
    draw = np.random.default_rng([seed, LAWS.index(law), round(10 * worse)])
    losses = nights(law, versions, EARLIER + PROMISED[0] + CHANGED + 56, draw)
    losses[:, EARLIER + PROMISED[0] + CHANGED :] += worse
    found = asked_on(losses, PROMISED[0])[:, CHANGED:]
    return {
        "law": law,
        "worse": worse,
        **{f"within_{long}": round(float(found[:, :long].any(axis=1).mean()), 3) for long in (14, 28, 56)},
    }


def followed(name: str, made: int, data: Path | None) -> dict[str, Any]:
    """Follow a version of the season benchmark's model for half a year; its own nights tell how nights differ."""
    table = TABLES[name](data)
    last = min(made + 1 + PROMISED[0] + HALF_YEAR, len(table.nights))
    losses = Fits(table).losses(made, 1.0, range(made + 1, last))
    told, begin = losses[: PROMISED[0]], PROMISED[0] + LEAST_USUAL + RECENT_NIGHTS
    asked = None
    for night in range(begin, len(losses) + 1):
        before = losses[max(night - EARLIER, 0) : night - RECENT_NIGHTS]
        if asked is None and chances_of_excess(losses[night - RECENT_NIGHTS : night], told, before) < BROKEN:
            asked = night - PROMISED[0]
    more = losses[PROMISED[0] :].mean() / told.mean() - 1
    return {"table": name, "made": made, "asked_after": asked, "lost_more": round(float(more), 3)}


def main() -> int:
    """Draw every cell and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="300 versions a cell instead of 4000")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument(
        "--data", type=Path, help="folder of elec2.csv.gz: follow versions of real tables as well"
    )
    options = asked.parse_args()
    versions = 300 if options.quick else 4000
    cells = [kept(law, promised, versions, options.seed) for law in LAWS for promised in PROMISED]
    later = [broken(law, worse, versions // 10, options.seed) for law in LAWS[::2] for worse in WORSE]
    worst = max(one["asked_in_a_year"] for one in cells)
    about = {
        "name": "broken_promise",
        "claim": "of versions that keep their promise at most 5 in 100 are asked about in 365 nights, in every cell",
        "ours": worst,
        "unit": "share of version-years with a false request, worst cell",
        "floor": FLOOR,
        "n": versions * len(cells),
        "seed": options.seed,
        "holds": bool(worst <= FLOOR + 2 * np.sqrt(FLOOR * (1 - FLOOR) / versions)),
        "cells": cells,
        "later": later,
        "followed": [followed(name, made, options.data) for name in REAL for made in MADE]
        if options.data
        else [],
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": commit(),
    }
    print(json.dumps(about))
    return 0 if about["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
