"""What reading the DAG files costs: 1, 10 and 100 models, all kinds, beside dag-factory with as many DAGs and tasks.

``python -m benchmarks.parse [--quick] [--seed N]`` prints progress on stderr and one JSON object on stdout. Each
reading is a real DagBag in a process of its own; what importing Airflow costs is measured apart and shown. The
peer lies in an environment of its own below ``.perennial/bench`` and sees the very Airflow that is installed here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
PEER, PEER_VERSION = "dag-factory", "1.1.0"
ENVIRONMENT = ROOT / ".perennial" / "bench" / f"{PEER}-{PEER_VERSION}"
FLOOR, TASK_PARSE = 2.0, 0.02
REPEATED = 3

READING = """
import json, sys, time
import airflow
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import dag, task, get_current_context, get_parsing_context
from airflow.providers.standard.operators.bash import BashOperator
imported, wall = time.process_time(), time.perf_counter()
bag = DagBag(dag_folder=sys.argv[1])
cpu, wall = time.process_time() - imported, time.perf_counter() - wall
print(json.dumps({"imported": imported, "cpu": cpu, "wall": wall, "errors": dict(bag.import_errors),
    "dags": {dag_id: len(dag.tasks) for dag_id, dag in bag.dags.items()}}))
"""
PEER_FILE = """
# Airflow reads only files that name airflow and a dag
from dagfactory import load_yaml_dags
load_yaml_dags(globals_dict=globals(), config_filepath={config!r})
"""


@dataclass(frozen=True)
class Reading:
    """One DagBag: CPU seconds of imports and of the reading itself, and what it holds."""

    imported: float
    cpu: float
    wall: float
    dags: Mapping[str, int]
    """Tasks of each DAG."""


def read(python: Path, target: Path, settings: Mapping[str, str]) -> Reading:
    """Read a DAG folder or file in a process of its own."""
    done = subprocess.run(
        [str(python), "-c", READING, str(target)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if errors := found.pop("errors"):
        raise SystemExit(f"{target} could not be read: {errors}")
    return Reading(**found)


def middle(python: Path, target: Path, settings: Mapping[str, str]) -> Reading:
    """Read several times; return the reading of median CPU."""
    readings = [read(python, target, settings) for _ in range(REPEATED)]
    return next(one for one in readings if one.cpu == median(each.cpu for each in readings))


def declare(project: Path, models: int, seed: int) -> None:
    """Copy the shipped model under many names; a seed changes what is declared."""
    shipped = ROOT / "include" / "models" / "flight_delay"
    for number in range(models):
        folder = project / "include" / "models" / f"model_{number:03d}"
        shutil.copytree(shipped, folder)
        text = (
            (folder / "model.yaml").read_text().replace("arr_delay > 15", f"arr_delay > {15 + seed + number}")
        )
        (folder / "model.yaml").write_text(text)


def ours(folder: Path, models: int, seed: int) -> dict[str, Any]:
    """Read our DAG files for so many models: first ever, again, and as each task does."""
    project, python = folder / f"project-{models}", Path(sys.executable)
    declare(project, models, seed)
    settings = _airflow(folder) | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT / "dags")]),
        "PERENNIAL_PROJECT": str(project),
        "PERENNIAL_HOME": str(folder / f"home-{models}"),
    }
    dags = ROOT / "dags"
    cold = read(python, dags, settings)
    warm = middle(python, dags, settings)
    context = {
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "model_000.score",
        "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "predict",
    }
    task = middle(python, dags / "score.py", settings | context)
    return {
        "dags": len(warm.dags),
        "tasks": sum(warm.dags.values()),
        "import_airflow": round(warm.imported, 3),
        "cold": round(cold.cpu, 3),
        "warm": round(warm.cpu, 3),
        "task": round(task.cpu, 4),
        "plan": warm.dags,
    }


def peer(folder: Path, plan: Mapping[str, int]) -> dict[str, float]:
    """Let dag-factory read as many DAGs with as many tasks, each task after the one before it."""
    import yaml

    dags = folder / f"peer-{len(plan)}"
    dags.mkdir()
    config = dags / "dags.yml"
    config.write_text(
        yaml.safe_dump({dag_id.replace(".", "__"): _peer_dag(tasks) for dag_id, tasks in plan.items()})
    )
    (dags / "generated.py").write_text(PEER_FILE.format(config=str(config)))
    python = ENVIRONMENT / "bin" / "python"
    found = middle(python, dags, _airflow(folder))
    task = middle(python, dags / "generated.py", _airflow(folder) | _context(plan))
    if sum(found.dags.values()) != sum(plan.values()):
        raise SystemExit(f"the peer read {len(found.dags)} DAGs, ours are {len(plan)}")
    return {"peer": round(found.cpu, 3), "peer_task": round(task.cpu, 4)}


def _context(plan: Mapping[str, int]) -> dict[str, str]:
    return {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": next(iter(plan)).replace(".", "__")}


def _peer_dag(tasks: int) -> dict[str, Any]:
    operator = "airflow.providers.standard.operators.bash.BashOperator"
    chain = [
        {"task_id": f"t{n}", "operator": operator, "bash_command": "true"}
        | ({"dependencies": [f"t{n - 1}"]} if n else {})
        for n in range(tasks)
    ]
    return {"start_date": "2013-01-01", "schedule": "@daily", "catchup": False, "tasks": chain}


def _airflow(folder: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def install_peer() -> None:
    """Make the peer's environment: its own files, everything below it from here, so that Airflow is the same."""
    import venv

    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(symlinks=True, with_pip=False).create(ENVIRONMENT)
        site = ENVIRONMENT / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
        (site / "same-airflow.pth").write_text(sysconfig.get_path("purelib") + "\n")
    sys.path.insert(0, str(ROOT))
    import bootstrap

    settings = {"UV_DEFAULT_INDEX": bootstrap.index(), "UV_PYTHON_DOWNLOADS": "never"}
    if bootstrap.certificates():
        settings["SSL_CERT_FILE"] = str(bootstrap.certificates())
    words = ["pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "--python", str(python)]
    subprocess.run(
        [str(bootstrap.uv()), *words, f"{PEER}=={PEER_VERSION}"], env=settings | dict(os.environ), check=True
    )


def measure(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Read every number of models, ours and the peer's."""
    cells = []
    for models in (1, 10) if options.quick else (1, 10, 100):
        cell: dict[str, Any] = {"models": models} | ours(folder, models, options.seed)
        plan = cell.pop("plan")
        if not options.quick:
            cell |= peer(folder, plan)
            cell["ratio"] = round(cell["peer"] / cell["warm"], 2)
        cells.append(cell)
        print(cell, file=sys.stderr)
    return cells


def main() -> int:
    """Read the DAG files and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="1 and 10 models, without the peer")
    asked.add_argument("--seed", type=int, default=0, help="changes what the models declare")
    options = asked.parse_args()
    if not options.quick:
        install_peer()
    with tempfile.TemporaryDirectory(prefix="perennial-parse-") as folder:
        cells = measure(options, Path(folder))
    most = cells[-1]
    found = {
        "name": "parse",
        "claim": "all kinds of a hundred models are read in half of dag-factory's CPU, and in 0.02 s before each task",
        "ours": most["warm"],
        "peer": most.get("peer"),
        "peer_name": f"{PEER} {PEER_VERSION}, as many DAGs and tasks, the same Airflow",
        "ratio": most.get("ratio"),
        "floor": FLOOR,
        "unit": "CPU seconds to read all DAG files, imports of Airflow apart",
        "n": REPEATED,
        "seed": options.seed,
        "settings": {"task_parse_at_most": TASK_PARSE},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": _commit(),
        "cells": cells,
    }
    print(json.dumps(found))
    beside = most.get("ratio") is None or most["ratio"] >= FLOOR
    return 0 if beside and all(cell["task"] <= TASK_PARSE for cell in cells) else 1


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
