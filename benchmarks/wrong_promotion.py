"""How often is a model promoted that is no better? Declared 5 %, beside the rule that most tools ship.

The true gain is zero and only luck differs: nights resemble each other (autocorrelation), have heavy
tails or are skewed. The peer promotes when its point estimate is at least the champion's: the threshold
rule of model validation in common tools, written again here (their software is not run). The last
cells put whole rows through the tally and the gate, not only the formula.

Run: ``python -m benchmarks.wrong_promotion [--quick] [--seed N] [--size REPETITIONS]``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perennial.clock import after
from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Evaluation
from perennial.facts.paired import limits
from perennial.facts.tally import tally
from perennial.gates.against_champion import AgainstChampion

Numbers = NDArray[np.float64]
Cell = dict[str, object]

DECLARED = 0.05
GAIN = 0.6
"""True gain at which power is shown, in standard deviations of a night."""
FLOOR = 5.0
"""Least ratio of the peer's wrong promotions to ours."""
AUTOCORRELATIONS, NIGHTS = (0.0, 0.3, 0.6), (7, 14, 28, 56)
CLUSTERED_SD = 0.1
"""Luck of a night in the cells with rows, in standard deviations of a row."""

LUCK: dict[str, Callable[[np.random.Generator, tuple[int, int]], Numbers]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "heavy tails (t4)": lambda rng, shape: rng.standard_t(4, shape) / math.sqrt(2),
    "right skew": lambda rng, shape: rng.standard_exponential(shape) - 1,
    "left skew": lambda rng, shape: 1 - rng.standard_exponential(shape),
}


def nights_of(rng: np.random.Generator, luck: str, autocorrelation: float, shape: tuple[int, int]) -> Numbers:
    """Draw nightly gains with mean zero and variance one, after a stretch that forgets the start."""
    warm = 0 if autocorrelation == 0 else 30
    noise = LUCK[luck](rng, (shape[0], shape[1] + warm))
    series = noise.copy()
    for night in range(1, series.shape[1]):
        series[:, night] = (
            autocorrelation * series[:, night - 1] + math.sqrt(1 - autocorrelation**2) * noise[:, night]
        )
    return series[:, warm:]


def wilson(hits: int, n: int) -> list[float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.959964, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [round(middle - half, 4), round(middle + half, 4)]


def formula_cell(
    rng: np.random.Generator, luck: str, autocorrelation: float, nights: int, repetitions: int
) -> Cell:
    """Simulate one cell with the shipped formula, on nights of equal size."""
    drawn = nights_of(rng, luck, autocorrelation, (repetitions, nights))
    equal, gain, harm = (limits(drawn + shift, alpha=DECLARED) for shift in (0.0, GAIN, -GAIN))
    wrong = int((equal["low"] > 0).sum())
    return {
        "luck": luck,
        "autocorrelation": autocorrelation,
        "nights": nights,
        "declared": DECLARED,
        "realised": round(wrong / repetitions, 4),
        "interval": wilson(wrong, repetitions),
        "peer": round(float((drawn.mean(axis=1) >= 0).mean()), 4),
        "power": round(float((gain["low"] > 0).mean()), 4),
        "equal_refresh_refused": round(float((equal["high"] < 0).mean()), 4),
        "harmful_refresh_refused": round(float((harm["high"] < 0).mean()), 4),
        "n": repetitions,
    }


def row_cell(rng: np.random.Generator, autocorrelation: float, nights: int, repetitions: int) -> Cell:
    """Simulate one cell with 50 to 150 rows a night through tally and gate, with the shipped defaults."""
    luck = CLUSTERED_SD * nights_of(rng, "normal", autocorrelation, (repetitions, nights))
    wrong = peer = rows_as_independent = 0
    for night_luck in luck:
        counts = rng.integers(50, 151, nights)
        gains = np.repeat(night_luck, counts) + rng.standard_normal(int(counts.sum()))
        keys = np.repeat([after("2013-05-01", day) for day in range(nights)], counts)
        wrong += _promotes(keys, gains)
        peer += gains.mean() >= 0
        rows_as_independent += gains.mean() > 1.645 * gains.std(ddof=1) / math.sqrt(gains.size)
    return {
        "luck": f"rows through the gate, night sd {CLUSTERED_SD} row sd",
        "autocorrelation": autocorrelation,
        "nights": nights,
        "declared": DECLARED,
        "realised": round(wrong / repetitions, 4),
        "interval": wilson(wrong, repetitions),
        "peer": round(int(peer) / repetitions, 4),
        "rows_as_independent": round(int(rows_as_independent) / repetitions, 4),
        "power": None,
        "n": repetitions,
    }


def _promotes(keys: NDArray[np.str_], gains: Numbers) -> bool:
    tallies = tally(keys, 10.0 - gains, champion=np.full(gains.size, 10.0))
    judged = Evaluation(
        "squared error",
        "recipe",
        "regression",
        challenger="new",
        champion="old",
        challenger_cutoff="2013-04-30",
        champion_cutoff="2013-04-30",
        tallies=tallies,
    )
    return AgainstChampion().decide(judged).verdict is Verdict.PASS


def measure(seed: int, repetitions: int) -> list[Cell]:
    """Simulate every cell, each from its own stream of the seed."""
    plan = [("normal", r, g) for r in AUTOCORRELATIONS for g in NIGHTS]
    plan += [(luck, 0.3, g) for luck in list(LUCK)[1:] for g in (14, 28)]
    streams = np.random.default_rng(seed).spawn(len(plan) + 2)
    cells: list[Cell] = []
    for rng, (luck, autocorrelation, nights) in zip(streams, plan, strict=False):
        cells.append(formula_cell(rng, luck, autocorrelation, nights, repetitions))
        print(f"{luck}, {autocorrelation}, {nights} nights: {cells[-1]['realised']}", file=sys.stderr)
    for rng, autocorrelation in zip(streams[-2:], (0.0, 0.3), strict=True):
        cells.append(row_cell(rng, autocorrelation, 14, max(repetitions // 10, 200)))
        print(f"rows, {autocorrelation}, 14 nights: {cells[-1]['realised']}", file=sys.stderr)
    return cells


def result(seed: int, repetitions: int) -> dict[str, object]:
    """Put the cells into the one object that every benchmark prints."""
    cells = measure(seed, repetitions)
    ours, peer = (float(np.mean([float(str(cell[key])) for cell in cells])) for key in ("realised", "peer"))
    worst = max(cells, key=lambda cell: float(str(cell["realised"])))
    return {
        "name": "wrong_promotion",
        "claim": "A model that is no better is promoted about as rarely as declared; left-skewed luck is the worst case.",
        "ours": round(ours, 4),
        "peer": round(peer, 4),
        "peer_name": "point estimate at least the champion's (rule written again, software not run)",
        "ratio": round(peer / ours, 2),
        "floor": FLOOR,
        "unit": "share of equal challengers promoted, mean over cells",
        "n": sum(int(str(cell["n"])) for cell in cells),
        "seed": seed,
        "settings": {"alpha": DECLARED, "power_at_night_sd": GAIN, "repetitions": repetitions},
        "worst": {key: worst[key] for key in ("luck", "autocorrelation", "nights", "realised", "interval")},
        "cells": cells,
        "machine": {
            "cpus": os.cpu_count(),
            "platform": platform.platform(),
            "python": platform.python_version(),
        },
        "commit": _commit(),
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def main() -> None:
    """Print progress on stderr and one JSON object on stdout; exit 1 when the ratio misses its floor."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 repetitions instead of 20,000")
    parser.add_argument("--seed", type=int, default=20130101, help="changes every draw")
    parser.add_argument("--size", type=int, default=None, help="repetitions a cell")
    options = parser.parse_args()
    found = result(options.seed, options.size or (2_000 if options.quick else 20_000))
    print(json.dumps(found, indent=2, allow_nan=False))
    sys.exit(0 if float(str(found["ratio"])) >= FLOOR else 1)


if __name__ == "__main__":
    main()
