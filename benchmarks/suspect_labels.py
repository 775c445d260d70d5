"""Do the labels that come first deserve a look, and is nothing claimed where all labels are right?

``python -m benchmarks.suspect_labels [--data FOLDER] [--quick] [--seed N] [--size N] [--out FOLDER]``: on flights,
electricity prices and made-up worlds, a model learns from a hundred nights and ranks the labels of the next hundred,
of which none or 5 % were turned around: on the newer half of those it served, on all of them, or where it learned too. Precision is the share of
turned labels among those listed. One JSON object on stdout; without ``--data`` electricity prices are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.cells import commit, kept
from benchmarks.triage_worlds import LEARNT, NIGHTS, WORLDS, World, learn
from perennial.facts.suspect_labels import rank_classes

ROOT = Path(__file__).parents[1]
OUT = ROOT / ".perennial" / "benchmarks" / "suspect_labels"
SHARE = 0.05
LISTED = (50, 200)
TURNED = {
    "none": (0.0, 0.0, 0.0),
    "newer": (0.0, 0.0, SHARE),
    "served": (0.0, SHARE, SHARE),
    "everywhere": (SHARE, SHARE, SHARE),
}
"""Share of labels turned around: where the model learned, on the older and on the newer half of what it served."""


def trial(world: World, seed: int, turned: str) -> dict[str, Any]:
    """Turn labels around, learn, rank."""
    draw = np.random.default_rng([seed, 17])
    learned, served = world.nights(range(LEARNT)), world.nights(range(LEARNT, NIGHTS))
    shares = TURNED[turned]
    taught = np.where(draw.random(len(learned)) < shares[0], 1 - learned["y"], learned["y"])
    newer = served["night"] >= (LEARNT + NIGHTS) // 2
    wrong = (draw.random(len(served)) < np.where(newer, shares[2], shares[1])).astype(bool)
    labels = np.where(wrong, 1 - served["y"], served["y"]).astype(np.int64)
    told = learn(learned.assign(y=taught), world.inputs, rounds=60)(served)
    nights = [str(night) for night in served["night"]]
    found = rank_classes(labels, np.column_stack([1 - told, told]), nights, max(LISTED))
    order = [one.place for one in found.suspects]
    return {
        "rows": found.rows,
        "turned": int(wrong.sum()),
        "claimed": found.claimed,
        "confident": found.confident,
        **{f"precision_{k}": float(wrong[order[:k]].mean()) for k in LISTED},
    }


def main(words: list[str]) -> int:
    """Run the cells and print what they came to."""
    asked = _asked(words)
    names = [name for name in WORLDS if asked.data or name != "elec2"]
    cells: dict[str, Any] = {}
    for name in names:
        found = [_cell(asked, name, asked.seed + number) for number in range(asked.size)]
        for turned in TURNED:
            of = [one[turned] for one in found]
            cells[f"{name}, turned: {turned}"] = {
                key: {
                    "mean": float(np.mean([one[key] for one in of])),
                    "least": float(min(one[key] for one in of)),
                    "most": float(max(one[key] for one in of)),
                }
                for key in of[0]
            }
    served = [cell["precision_50"]["mean"] for name, cell in cells.items() if name.endswith("served")]
    told = {
        "benchmark": "suspect_labels",
        "ours": min(served),
        "claimed_where_all_are_right": max(
            cell["claimed"]["most"] for name, cell in cells.items() if name.endswith("none")
        ),
        "seed": asked.seed,
        "size": asked.size,
        "commit": commit(),
        "machine": platform.machine(),
        "cells": cells,
    }
    print(json.dumps(told, indent=2))
    return 0


def _cell(asked: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    def made() -> dict[str, Any]:
        world = WORLDS[name](seed, asked.data)
        return {turned: trial(world, seed, turned) for turned in TURNED}

    found: dict[str, Any] = kept(asked.out, f"{name}-{seed}", {"seed": seed, "turned": TURNED}, made)
    return found


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with elec2.csv.gz")
    parser.add_argument("--quick", action="store_true", help="three worlds of each kind")
    parser.add_argument("--seed", type=int, default=500)
    parser.add_argument("--size", type=int, default=20, help="worlds of each kind")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(words)
    asked.size = min(asked.size, 3) if asked.quick else asked.size
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
