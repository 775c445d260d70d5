"""How often a night that is in order is called broken by what it shows by itself, and how often a broken one is.

``python -m benchmarks.first_signs [--quick] [--seed N]`` makes real rows: nights of twenty columns, some of whose
values are missing at random, and nights with one plain fault. Nothing is known of other nights, as on a first night.
One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.cells import commit
from perennial.facts.first_signs import FEWEST_ROWS, first_signs

COLUMNS = 20
ROWS, MISSING = (5, 20, 60, 200, 1000), (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Rows a night, and the share of values that every column lacks."""
RANGE = {"n0": (-100.0, 100.0)}
FAULTS = ("empty", "stands for nothing", "unit x1000")
PROMISED = 0.5
"""Share of missing values up to which the claim is made."""


def ordinary(draw: np.random.Generator, rows: int, missing: float) -> pa.Table:
    """Make a night that is in order: normal, heavy-tailed and whole numbers, and names."""
    columns: dict[str, pa.Array] = {}
    for place in range(COLUMNS):
        gone = draw.random(rows) < missing
        values = (
            draw.normal(20, 5, rows),
            draw.standard_t(3, rows) * 100,
            draw.integers(0, 100_000, rows),
            draw.choice(list("abcd"), rows),
        )[place % 4]
        columns[f"n{place}"] = pa.array(values, mask=gone)
    return pa.table(columns)


def broken_nights(draw: np.random.Generator, nights: int, rows: int, missing: float) -> float:
    """Return the share of nights in order that are called broken."""
    called = sum(_broken(ordinary(draw, rows, missing)) for _ in range(nights))
    return called / nights


def found(draw: np.random.Generator, nights: int, rows: int, fault: str) -> float:
    """Return the share of nights with a fault in one column that are called broken for it."""
    return sum(_broken(_with(ordinary(draw, rows, 0.1), fault)) for _ in range(nights)) / nights


def _with(night: pa.Table, fault: str) -> pa.Table:
    sizes = night["n0"].to_numpy(zero_copy_only=False)
    changed = {
        "empty": pa.nulls(night.num_rows, pa.float64()),
        "stands for nothing": pa.array(np.where(np.arange(night.num_rows) % 10 < 7, -999.0, sizes)),
        "unit x1000": pa.array(sizes * 1000, from_pandas=True),
    }[fault]
    return night.set_column(0, "n0", changed)


def _broken(night: pa.Table) -> bool:
    return any(one.broken for one in first_signs(night, RANGE))


def main() -> int:
    """Simulate every cell and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="200 nights a cell")
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, help="nights of a cell")
    options = asked.parse_args()
    nights = options.size or (200 if options.quick else 2000)
    draw = np.random.default_rng(options.seed)
    cells: list[dict[str, Any]] = []
    for rows in ROWS:
        for missing in MISSING:
            share = broken_nights(draw, nights, rows, missing)
            cells.append({"rows": rows, "missing": missing, "called_broken": share})
            print(cells[-1], file=sys.stderr, flush=True)
    faults = [
        {"rows": rows, "fault": fault, "found": found(draw, nights // 10, rows, fault)}
        for rows in ROWS
        for fault in FAULTS
    ]
    print(json.dumps(report(cells, faults, nights, options.seed)))
    return 0


def report(
    cells: list[dict[str, Any]], faults: list[dict[str, Any]], nights: int, seed: int
) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    promised = [cell["called_broken"] for cell in cells if cell["missing"] <= PROMISED]
    return {
        "name": "first_signs",
        "claim": "a first night in order, whose columns have every second value, is called broken on one night in 1,000 at most",
        "ours": max(promised),
        "peer": None,
        "peer_name": "none: peers need a reference",
        "ratio": None,
        "floor": 0.001,
        "unit": "share of nights in order that are called broken, worst cell",
        "n": nights,
        "seed": seed,
        "settings": {"columns": COLUMNS, "fewest_rows": FEWEST_ROWS},
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": cells,
        "faults": faults,
        "holds": max(promised) <= 0.001,
    }


if __name__ == "__main__":
    sys.exit(main())
