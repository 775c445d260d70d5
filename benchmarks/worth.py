"""How often does the weighing of gain against cost hold a training back that would have been worth it?

Models are drawn by how often their challengers serve, and by mean and spread of what those gain; every 28 nights
somebody asks for a training, for two years. What was held back is not seen, as in life. The claim: where at least
one training in five is worth its cost, at most one in ten of those is held back, and nine tenths of what is
foretold as nine in ten comes true. Run ``python -m benchmarks.worth [--quick] [--curve] [--seed N]``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cells import commit
from perennial.clock import after
from perennial.facts.expected_gain import PastTraining, expected_gain
from perennial.facts.training_request import RetrainingFacts
from perennial.policies.retraining import Retraining

SERVED, MEANS, SPREADS = (0.05, 0.3, 0.7, 0.95), (-0.01, 0.0, 0.005, 0.02, 0.06), (0.01, 0.03)
COSTS = (0.002, 0.01, 0.03)
"""Shares of the loss that a training must gain to be worth its cost."""
EVERY, ASKED, NOISE = 28, 24, 0.005
CHANCES = (0.05, 0.1, 0.2, 0.3)
"""The least chance of being worth it: the default, and higher ones for the curve."""
OFTEN = 0.2
"""Where fewer trainings than this are worth their cost, holding them back is what the rule is for."""
MOST_HELD_BACK, LEAST_COVERED = 0.10, 0.88


@dataclass(frozen=True)
class Kind:
    """A kind of model: how its trainings turn out, and what they must gain."""

    served: float
    mean: float
    spread: float
    needed: float


def history(kind: Kind, draw: np.random.Generator, chance: float) -> np.ndarray:
    """Follow one model: asked, worth it, held back, of these worth it, inside the interval."""
    policy = Retraining(cpu_seconds_per_percent=1.0 / (100 * kind.needed), least_chance=chance)
    past: list[PastTraining] = []
    counts, night = np.zeros(5), "2013-01-01"
    for _ in range(ASKED):
        night = after(night, EVERY)
        serves = bool(draw.random() < kind.served)
        gain = float(draw.normal(kind.mean, kind.spread)) if serves else 0.0
        measured = gain + float(draw.normal(0, NOISE)) if serves else 0.0
        expected = expected_gain(past, night)
        low, high = expected.interval
        held = policy.not_worth(RetrainingFacts(night, "age", expected=expected)) is not None
        worth = gain > kind.needed
        counts += [1, worth, held, held and worth, low <= measured <= high]
        if not held:
            past.append(PastTraining(night, serves, measured if serves else None, cpu_seconds=1.0))
    return counts


def cell(kind: Kind, histories: int, seed: int, chance: float = CHANCES[0]) -> dict[str, Any]:
    """Count over histories of one kind of model."""
    draw = np.random.default_rng([seed, *(round(1000 * (1 + number)) for number in vars(kind).values())])
    counted = np.sum([history(kind, draw, chance) for _ in range(histories)], axis=0)
    asked, worth, held, wrongly, inside = (float(number) for number in counted)
    return {
        **vars(kind),
        "asked": int(asked),
        "worth": round(worth / asked, 3),
        "held_back": round(held / asked, 3),
        "worth_held_back": round(wrongly / worth, 4) if worth else None,
        "not_worth_held_back": round((held - wrongly) / (asked - worth), 4) if asked > worth else None,
        "covered": round(inside / asked, 4),
    }


def kinds() -> list[Kind]:
    """List every kind of model."""
    return [Kind(*one) for one in itertools.product(SERVED, MEANS, SPREADS, COSTS)]


def summed_up(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Say whether the claim holds."""
    often = [one["worth_held_back"] for one in cells if one["worth"] >= OFTEN]
    seldom = [one["not_worth_held_back"] for one in cells if one["worth"] <= OFTEN / 4]
    covered = [one["covered"] for one in cells]
    return {
        "ours": max(often),
        "worth_held_back": {"mean": round(float(np.mean(often)), 4), "worst": max(often)},
        "not_worth_held_back_where_1_in_20_is": {
            "mean": round(float(np.mean(seldom)), 3),
            "least": min(seldom),
        },
        "covered": {"mean": round(float(np.mean(covered)), 4), "least": min(covered)},
        "holds": bool(max(often) <= MOST_HELD_BACK and min(covered) >= LEAST_COVERED),
    }


def curve(histories: int, seed: int) -> list[dict[str, Any]]:
    """Say what higher chances would hold back, of both kinds, on average and in the worst cell."""
    lines = []
    for chance in CHANCES:
        found = summed_up([cell(kind, histories, seed, chance) for kind in kinds()])
        worth, seldom = found["worth_held_back"], found["not_worth_held_back_where_1_in_20_is"]
        lines.append({"least_chance": chance, "worth_held_back": worth, "not_worth_held_back": seldom})
    return lines


def main() -> int:
    """Draw every kind of model and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="20 histories a cell instead of 100")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument(
        "--curve", action="store_true", help="what higher chances would hold back, and no more"
    )
    options = asked.parse_args()
    histories = 20 if options.quick else 100
    if options.curve:
        print(json.dumps(curve(histories, options.seed)))
        return 0
    cells = [cell(kind, histories, options.seed) for kind in kinds()]
    about = {
        "name": "worth",
        "claim": "where 1 training in 5 is worth its cost, at most 1 in 10 of those is held back",
        "unit": "share of the trainings worth their cost that are held back, worst cell",
        "peer": None,
        "peer_name": "none",
        "floor": MOST_HELD_BACK,
        "ratio": None,
        "n": histories * ASKED * len(cells),
        "seed": options.seed,
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": commit(),
    }
    found = summed_up(cells)
    print(json.dumps(about | found | {"cells": cells}))
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
