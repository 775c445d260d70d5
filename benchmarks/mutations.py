"""Which broken models would the shipped gates promote? Kill matrices of real versions, over births, seeds and tasks.

``python -m benchmarks.mutations [--quick] [--seed N]``: the flights' two models, one of classes and one of numbers, are
born on several nights of the year with different flights left out; every version is broken in every way of
``facts/mutants.py`` and put before its own gates. Each cell is a file under ``--out``. One JSON object on stdout. The
peer is the rule that most tools ship: a point estimate at least as good as the champion's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.cells import commit, kept
from benchmarks.flights_year import FIRST, project
from perennial.facts.mutants import MUTANTS
from perennial.registry.database import create_database
from perennial.stages.candidates import candidate
from perennial.stages.replay import load_history, renew
from perennial.stages.selftest import selftest
from perennial.workspace import Workspace

MODELS = ("flight_delay", "arrival_delay")
BIRTHS = ("2013-03-31", "2013-06-30", "2013-09-30")
SEEDS = 3
AIM, LEAST, REFUSED = 0.97, 0.85, 0.05
"""Mean share of mutants stopped that is aimed at, and below which gates are not called proven; clean ones refused."""


def cell(model: str, born: str, seed: int) -> dict[str, Any]:
    """Bear a version and break it."""
    with tempfile.TemporaryDirectory(prefix="perennial-mutants-") as folder:
        root, home = project(Path(folder) / "project", seed), Path(folder) / "home"
        create_database(home / "mlflow" / "mlflow.db")
        workspace = Workspace(root, home, quiet=True)
        load_history(workspace, model, FIRST, born)
        version = renew(workspace, model, born).version
        if version is None:
            message = f"nothing was trained of {model} on {born}"
            raise RuntimeError(message)
        found = selftest(workspace, candidate(workspace, model, version))
        return {"model": model, "born": born, "seed": seed, **found.as_json()}


def matrix(cells: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Count for each mutant how often it could be made, was stopped, and by which gates."""
    found: dict[str, dict[str, Any]] = {}
    for mutant in MUTANTS:
        fates = [fate for one in cells for fate in one["fates"] if fate["mutant"] == mutant.name]
        made = [fate for fate in fates if fate["killed"] is not None]
        by = [gate for fate in made for gate in fate["by"]]
        found[mutant.name] = {
            "catastrophic": mutant.catastrophic,
            "made": len(made),
            "killed": round(mean(fate["killed"] for fate in made), 3) if made else None,
            "by": {gate: by.count(gate) for gate in sorted(set(by))},
        }
    return found


def report(cells: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Put the cells under the keys that every benchmark prints."""
    told = matrix(cells)
    kill = mean(float(one["killed_share"]) for one in cells)
    refused = mean(one["again"] != "pass" for one in cells)
    grave = [name for name, one in told.items() if one["catastrophic"] and (one["killed"] or 0) < 1]
    better = sum(one["itself"] == "better" for one in cells)
    return {
        "name": "mutations",
        "claim": "the gates stop every catastrophe, nearly every broken model, and hardly a clean one",
        "ours": round(kill, 3),
        "peer": None,
        "peer_name": "none: no peer breaks models to test its gates",
        "ratio": None,
        "floor": LEAST,
        "aim": AIM,
        "unit": "mean share of broken models stopped",
        "n": len(cells),
        "clean_refused": round(refused, 3),
        "catastrophes_let_through": grave,
        "better_than_itself": better,
        "smallest_harm": [one["smallest_harm"] for one in cells],
        "mutants": told,
        "seed": seed,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "holds": kill >= LEAST and not grave and not better,
    }


def main() -> int:
    """Break every version that is not broken yet, and print the object."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--quick", action="store_true", help="one birth of each model")
    asked.add_argument(
        "--seed", type=int, default=0, help="first of the seeds that leave flights out; 0 is the year"
    )
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/mutations"))
    options = asked.parse_args()
    plan = list(product(MODELS, BIRTHS, range(options.seed, options.seed + SEEDS)))
    cells = []
    for model, born, seed in plan[:: len(plan) // 2] if options.quick else plan:
        name = f"{model}-{born}-{seed}"
        cells.append(kept(options.out, name, {"mutants": len(MUTANTS)}, partial(cell, model, born, seed)))
        print(f"{name}: {cells[-1]['killed_share']:.2f}, again {cells[-1]['again']}", file=sys.stderr)
    found = report(cells, options.seed)
    print(json.dumps(found))
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
