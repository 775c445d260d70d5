"""How often is a model promoted that is no better? Declared 5 %, beside the rule that most tools ship.

The true gain is zero and only luck differs: nights resemble each other (autocorrelation), have heavy
tails or are skewed. The peer promotes when its point estimate is at least the champion's: the threshold
rule of model validation in common tools, written again here (their software is not run). Cells with rows go
through the tally and the gate, not only the formula; ``gates`` asks every other rule that decides by a test.

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
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import simulated_gates as drawn
from benchmarks import simulated_metrics
from benchmarks import simulated_weak_slices as searched
from benchmarks.simulated_gates import LUCK, Cell, Numbers, World, nights_of, wilson
from perennial.clock import after
from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Evaluation
from perennial.facts.paired import limits
from perennial.facts.tally import tally
from perennial.gates.against_champion import AgainstChampion
from perennial.gates.calibration import Calibration

Question = tuple[Cell, Callable[..., int]]
"""What a cell says of itself, and how many of so many holdouts got the wrong answer."""

DECLARED = 0.05
GAIN = 0.6
"""True gain at which power is shown, in standard deviations of a night."""
FLOOR = 5.0
"""Least ratio of the peer's wrong promotions to ours."""
AUTOCORRELATIONS, NIGHTS = (0.0, 0.3, 0.6), (7, 14, 28, 56)
CLUSTERED_SD = 0.1
"""Luck of a night in the cells with rows, in standard deviations of a row."""


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


def questions() -> Iterator[Question]:
    """List every rule that decides by a test, each in worlds in which the right answer is known."""
    no_floors = Calibration(floor_residual=0.0, floor_slope=0.0)
    for nights, serial in product(drawn.NIGHTS, drawn.AUTOCORRELATIONS):
        world = World(nights, serial)
        about: Cell = {"nights": nights, "autocorrelation": serial, "declared": DECLARED}
        yield (
            about | _wrong("minimum_quality", "no better than the constant", "passed"),
            partial(drawn.beside_constant, world=world),
        )
        yield (
            about | _wrong("against_champion", "simplification that loses the margin", "passed"),
            partial(drawn.beside_champion, world=world, kind="simplify", loss=1.0),
        )
        yield (
            about | _wrong("calibration", "calibrated, no floors", "refused"),
            partial(drawn.calibrated_refused, world=world, gate=no_floors),
        )
        for groups in (3, drawn.GROUPS):
            yield (
                about | _wrong("slices", f"{groups} slices, each loses its margin", "refused"),
                partial(drawn.slices_blocked, world=world, loss=1.0, groups=groups),
            )
    yield from _undeclared()
    yield from _beside_line()
    yield from _behind_best()
    yield from _untimed()


def _wrong(gate: str, truth: str, wrong: str) -> Cell:
    return {"gate": gate, "truth": truth, "counted": wrong}


def _undeclared() -> Iterator[Question]:
    """Ask ``slices`` for groups that nobody declared; that one is named which is worse is its power."""
    for nights, serial, harm in product((14, 28), drawn.AUTOCORRELATIONS, (0.0, 0.1, 0.2)):
        yield (
            {"nights": nights, "autocorrelation": serial, "declared": None if harm else DECLARED}
            | _wrong("slices", f"a tenth of the rows loses {harm:g}, undeclared", "named"),
            partial(searched.weak_named, world=World(nights, serial), harm=harm),
        )


def _beside_line() -> Iterator[Question]:
    """Ask ``minimum_quality`` of a model that loses to the line; how often it passes is its power, not its error."""
    for sd, nights, serial in product(drawn.NIGHT_SDS, drawn.NIGHTS, drawn.AUTOCORRELATIONS):
        about: Cell = {"nights": nights, "autocorrelation": serial, "night_sd_in_margins": sd}
        for loss in drawn.LOSSES:
            yield (
                about | _wrong("minimum_quality", f"{loss:g} margins worse than the line", "passed"),
                partial(drawn.beside_linear, world=World(nights, serial, sd), loss=loss),
            )


def _behind_best() -> Iterator[Question]:
    for behind, serial in product((0.0, 2.0, 3.0, 4.0), drawn.AUTOCORRELATIONS):
        yield (
            {"nights": 14, "autocorrelation": serial}
            | _wrong("against_champion", f"simplification {behind:g} margins behind the best", "passed"),
            partial(
                drawn.beside_champion,
                world=World(14, serial),
                kind="simplify",
                loss=-1.0,
                behind_best=behind,
            ),
        )


def _untimed() -> Iterator[Question]:
    for entities, loss in product(drawn.ENTITIES, drawn.LOSSES):
        truth = f"{loss:g} margins worse than the line" if loss else "no better than the constant"
        yield (
            {"entities": entities, "declared": None if loss else DECLARED}
            | _wrong("minimum_quality", f"no time, {truth}", "passed"),
            partial(drawn.without_time, entities=entities, loss=loss),
        )


def gate_cells(seed: int, repetitions: int) -> list[Cell]:
    """Ask every question of whole decisions, each from its own stream of the seed."""
    asked = list(questions())
    cells: list[Cell] = []
    for stream, (about, answer) in zip(np.random.default_rng(seed).spawn(len(asked)), asked, strict=True):
        counted = answer(stream, n=repetitions)
        cells.append(
            about
            | {"realised": round(counted / repetitions, 4), "interval": wilson(counted, repetitions)}
            | {"n": repetitions}
        )
        print(f"{about}: {cells[-1]['realised']}", file=sys.stderr)
    return cells


def metric_cells(seed: int, repetitions: int) -> list[Cell]:
    """Try every metric that may judge, from rows."""
    found = []
    for one in simulated_metrics.cells(seed, repetitions):
        found.append({**one, "holds": simulated_metrics.holds(one)})
        print(f"{one}", file=sys.stderr)
    return found


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
        "gates": gate_cells(seed + 1, max(repetitions // 20, 200)),
        "metrics": metric_cells(seed + 2, max(repetitions // 2, 200)),
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
