"""What Airflow adds to the stages: CPU and wall seconds a task, and a night's chain beside its stage functions.

``python -m benchmarks.orchestration [--quick] [--seed N]`` prints progress on stderr and one JSON object on stdout.
Five nights of the flights pass through a real Airflow, from ``validate`` to ``monitor``, and then in one process.
CPU is that of every process that Airflow and MLflow started, less what the same processes need when nothing runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil  # type: ignore[import-untyped]

from benchmarks.flights_year import BORN, FIRST, MODEL, Cost, project, timed
from perennial.clock import after, between
from perennial.registry.database import create_database
from perennial.stages.replay import load_history, pass_night, renew
from perennial.workspace import Workspace
from perennial_airflow.launch import environment, processes
from perennial_airflow.launch.chapters import NIGHTLY, Runs
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.rest import Airflow

ROOT = Path(__file__).parents[1]
AIM = 0.45
IDLE_SECONDS = 20


@dataclass(frozen=True)
class Chain:
    """One night in Airflow."""

    night: str
    cost: Cost
    tasks: int


def spent() -> float:
    """CPU seconds of this process's descendants, and of those of them that have ended."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def in_airflow(launch: Launch, nights: list[str]) -> tuple[list[Chain], float]:
    """Let nights pass in a real Airflow; return them and the CPU seconds a second that it idles with."""
    with processes.running(launch), Airflow.of(launch) as airflow:
        airflow.wait_for_dags([f"{MODEL}.{kind}" for kind in (*NIGHTLY, "monitor")])
        runs = Runs(airflow, MODEL, lambda _: None)
        _one_night(airflow, runs, nights[0])
        time.sleep(5)
        before = spent()
        time.sleep(IDLE_SECONDS)
        idle = (spent() - before) / IDLE_SECONDS
        return [_one_night(airflow, runs, night) for night in nights[1:]], idle


def _one_night(airflow: Airflow, runs: Runs, night: str) -> Chain:
    cpu, wall = spent(), time.perf_counter()
    passed = runs.take_in(f"night__{night}", night)
    watched = runs.pass_through("monitor", f"monitor__{night}", night=night)
    tasks = sum(
        1
        for run in (*(passed[kind] for kind in NIGHTLY), watched)
        for task in airflow.tasks(run.dag_id, run.run_id)
        if task["state"] == "success"
    )
    chain = Chain(night, Cost(round(spent() - cpu, 2), round(time.perf_counter() - wall, 2)), tasks)
    print(chain, file=sys.stderr)
    return chain


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let the same nights pass in both ways, from the same state."""
    root = project(folder / "project", options.seed)
    nights = between(after(BORN), after(BORN, 3 if options.quick else 6))
    alone, scheduled = folder / "alone", folder / "scheduled"
    workspace = _born(root, alone)
    _born(root, scheduled)
    functions = [timed(partial(pass_night, workspace, MODEL, night))[1] for night in nights][1:]
    print(f"in one process: {functions}", file=sys.stderr)
    launch = environment.prepare(ROOT, scheduled, project=root)
    chains, idle = in_airflow(launch, nights)
    return _cells(functions, chains, idle)


def _born(root: Path, home: Path) -> Workspace:
    """Bring a model to its first champion; a registry's files lie where it was made, so homes are not copied."""
    create_database(home / "mlflow" / "mlflow.db")
    workspace = Workspace(root, home, quiet=True)
    load_history(workspace, MODEL, FIRST, BORN)
    renew(workspace, MODEL, BORN)
    return workspace


def _cells(functions: list[Cost], chains: list[Chain], idle: float) -> dict[str, Any]:
    cpu = median(
        (c.cost.cpu - idle * c.cost.wall - f.cpu) / c.tasks for c, f in zip(chains, functions, strict=True)
    )
    wall = median((c.cost.wall - f.wall) / c.tasks for c, f in zip(chains, functions, strict=True))
    gross = median((c.cost.cpu - f.cpu) / c.tasks for c, f in zip(chains, functions, strict=True))
    return {
        "ours": round(cpu, 3),
        "n": len(chains),
        "cells": {
            "overhead a task": {
                "cpu": round(cpu, 3),
                "cpu_with_idling": round(gross, 3),
                "wall": round(wall, 2),
            },
            "a night's chain in Airflow": [asdict(chain) for chain in chains],
            "its stage functions in one process": [asdict(cost) for cost in functions],
            "Airflow idling": {"cpu_a_second": round(idle, 3)},
        },
    }


def main() -> int:
    """Measure and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="two measured nights instead of five")
    asked.add_argument(
        "--seed", type=int, default=0, help="0 is the year as it was; others leave flights out"
    )
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="perennial-tasks-") as folder:
        found = measure(options, Path(folder))
    about = {
        "name": "orchestration",
        "claim": f"Airflow adds at most {AIM} CPU s to a task",
        "peer": None,
        "peer_name": "the same stage functions in one process",
        "ratio": None,
        "floor": AIM,
        "unit": "CPU seconds a task beyond its stage function, idling apart",
        "seed": options.seed,
        "settings": {"nights_from": after(BORN), "executor": "LocalExecutor, SQLite"},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": _commit(),
    }
    print(json.dumps(about | found))
    return 0 if found["ours"] <= AIM else 1


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
