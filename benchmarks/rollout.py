"""Looked at every night: how often does a rollout promote a version that is no better, or a watch roll a good one back?

``python -m benchmarks.rollout [--quick] [--seed N]`` draws nightly gains of two versions, alike or not, that resemble
each other from night to night, with ordinary, heavy or skewed luck, and looks at them as the policies do. The peer is
what looking at a test every night comes to (a paired t test at .05, from the fifth night on). One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from itertools import product

import numpy as np
from scipy.special import stdtrit

from benchmarks.cells import commit
from benchmarks.simulated_gates import LUCK, Cell, Draw, Numbers, nights_of, wilson
from perennial.facts.sequential import e_value, peeks, standard_scores
from perennial.policies.rollback import BOUNDS, LONGEST_WATCH, STRETCH_BEGINS_EVERY, STRETCH_NIGHTS
from perennial.policies.rollout import EARLY, FINAL, FIRST_LOOK

HORIZON, WATCH = 28, LONGEST_WATCH
PROMOTED, ROLLED_BACK = 0.05, 0.015
"""What is allowed: versions that are no better and are promoted, and versions that are no worse and are rolled back."""
AUTOCORRELATIONS, REFERENCES = (0.0, 0.3, 0.5), (0, 28, 60)
NAIVE = 0.05
GAINS = (0.0, 0.5, 1.0)
LOSSES = (0.0, -0.5, -1.0, -2.0)


def promoted(gains: Numbers) -> Numbers:
    """Tell which rollouts end with `better`, by the nightly looks or at the horizon."""
    seen = peeks(gains)
    sure = e_value(seen.t, seen.worth) >= 1 / (2 * EARLY)
    sure[:, : FIRST_LOOK - 1] = False
    last = np.abs(seen.t[:, -1]) >= stdtrit(np.maximum(seen.degrees[:, -1], 2.0), 1 - FINAL)
    sure[:, -1] |= last
    first = sure.argmax(axis=1)
    return np.asarray(sure.any(axis=1) & (seen.t[np.arange(len(gains)), first] > 0))


def naive(gains: Numbers) -> Numbers:
    """Tell which would be promoted by a t test of the nights so far, looked at every night."""
    nights = np.arange(1, gains.shape[1] + 1)
    mean = gains.cumsum(axis=1) / nights
    variance = ((gains**2).cumsum(axis=1) - nights * mean**2) / np.maximum(nights - 1, 1)
    t = mean / np.sqrt(np.maximum(variance, 1e-300) / nights)
    found: Numbers = (t[:, FIRST_LOOK - 1 :] >= stdtrit(nights[FIRST_LOOK - 1 :] - 1, 1 - NAIVE)).any(axis=1)
    return found


def rolled_back(gains: Numbers, reference: Numbers | None) -> Numbers:
    """Return the night on which each watch rolls back, counted from one; 0 where it never does."""
    least = reference.shape[1] if reference is not None else 0
    whole, stretch = next((whole, stretch) for fewest, whole, stretch in BOUNDS if least >= fewest)
    fires = standard_scores(peeks(gains, reference)) <= -whole
    fires[:, : FIRST_LOOK - 1] = False
    if np.isfinite(stretch):
        for begin in range(STRETCH_BEGINS_EVERY, gains.shape[1], STRETCH_BEGINS_EVERY):
            part = gains[:, begin : begin + STRETCH_NIGHTS]
            late = standard_scores(peeks(part, reference)) <= -stretch
            late[:, : FIRST_LOOK - 1] = False
            fires[:, begin : begin + part.shape[1]] |= late
    return np.where(fires.any(axis=1), fires.argmax(axis=1) + 1, 0)


def rollout_cell(rng: Draw, luck: str, serial: float, gain: float, count: int) -> Cell:
    """Roll versions out whose true gain is so many standard deviations of a night."""
    drawn = nights_of(rng, luck, serial, (count, HORIZON)) + gain
    hits = int(promoted(drawn).sum())
    return {
        "what": "promoted",
        "luck": luck,
        "autocorrelation": serial,
        "gain": gain,
        "allowed": PROMOTED if not gain else None,
        "realised": round(hits / count, 4),
        "interval": wilson(hits, count),
        "peer": round(float(naive(drawn).mean()), 4),
        "n": count,
    }


def watch_cell(rng: Draw, luck: str, serial: float, reference: int, loss: float, count: int) -> Cell:
    """Watch versions after their promotion whose true loss is so many standard deviations of a night."""
    drawn = nights_of(rng, luck, serial, (count, reference + WATCH))
    before, live = drawn[:, :reference], drawn[:, reference:] + loss
    night = rolled_back(live, before if reference else None)
    hits = night > 0
    return {
        "what": "rolled back",
        "luck": luck,
        "autocorrelation": serial,
        "reference_nights": reference,
        "gain": loss,
        "allowed": ROLLED_BACK if not loss else None,
        "realised": round(float(hits.mean()), 4),
        "interval": wilson(int(hits.sum()), count),
        "median_night": float(np.median(night[hits])) if hits.any() else None,
        "n": count,
    }


def cells(seed: int, count: int) -> list[Cell]:
    """Simulate every cell, each from its own stream of the seed."""
    steps = list(product(LUCK, AUTOCORRELATIONS, GAINS))
    watches = list(product(LUCK, AUTOCORRELATIONS, REFERENCES, LOSSES))
    streams = iter(np.random.default_rng(seed).spawn(len(steps) + len(watches)))
    found = [rollout_cell(next(streams), *one, count) for one in steps]
    found += [watch_cell(next(streams), *one, count) for one in watches]
    for one in found:
        one["holds"] = holds(one)
        print(one, file=sys.stderr)
    return found


def holds(one: Cell) -> bool:
    """Whether a rate that is limited lies within two standard errors of what is allowed."""
    if one["allowed"] is None:
        return True
    rate, n, allowed = (float(str(one[name])) for name in ("realised", "n", "allowed"))
    return rate - 2 * float(np.sqrt(max(rate * (1 - rate), 1e-9) / n)) <= allowed


def main() -> int:
    """Simulate and print the object."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--quick", action="store_true", help="1,000 rollouts a cell instead of 10,000")
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, help="rollouts a cell")
    options = asked.parse_args()
    found = cells(options.seed, options.size or (1_000 if options.quick else 10_000))
    equal = [one for one in found if one["what"] == "promoted" and one["allowed"]]
    ours, peer = (max(float(str(one[name])) for one in equal) for name in ("realised", "peer"))
    told = {
        "name": "rollout",
        "claim": "looked at every night, at most .05 of versions that are no better are promoted and .015 rolled back",
        "ours": ours,
        "peer": peer,
        "peer_name": "a paired t test at .05, looked at every night",
        "ratio": round(peer / max(ours, 1e-9), 2),
        "floor": None,
        "unit": "versions that are no better and are promoted, worst cell",
        "n": sum(int(str(one["n"])) for one in found),
        "seed": options.seed,
        "cells": found,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "holds": all(one["holds"] for one in found),
    }
    print(json.dumps(told))
    return 0 if told["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
