"""What reading the DAG files costs: 1, 10 and 100 models, all kinds, beside dag-factory with as many DAGs and tasks.

``python -m benchmarks.parse [--quick] [--seed N]`` prints progress on stderr and one JSON object on stdout. Each
reading is a real DagBag in a fork of a process that has imported Airflow and both libraries, as in the dag-processor. The peer lies in
an environment of its own below ``.perennial/bench`` and sees the very Airflow that is installed here. ``bare`` are
as many DAGs and tasks of Airflow's own classes without any argument: less than that nobody can reach.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

ROOT = Path(__file__).parents[1]
PEER, PEER_VERSION = "dag-factory", "1.1.0"
ENVIRONMENT = ROOT / ".perennial" / "bench" / f"{PEER}-{PEER_VERSION}"
FLOOR, TASK_PARSE = 2.0, 0.02
REPEATED = 5

PEER_FILE = """
# Airflow reads only files that name airflow and a dag
from dagfactory import load_yaml_dags
load_yaml_dags(globals_dict=globals(), config_filepath={config!r})
"""
BARE_FILE = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
for dag_id, tasks in {plan!r}.items():
    with DAG(dag_id):
        chain = [EmptyOperator(task_id=f"t{{number}}") for number in range(tasks)]
        for before, after in zip(chain, chain[1:]):
            before >> after
"""


@dataclass(frozen=True)
class Reading:
    """One DagBag: CPU and wall seconds, and what it holds."""

    cpu: float
    wall: float
    dags: Mapping[str, int]
    """Tasks of each DAG."""


@dataclass(frozen=True)
class Job:
    """What is read, and with which settings."""

    target: Path
    settings: Mapping[str, str]


class Reader:
    """A process that has imported Airflow and reads what it is asked for."""

    def __init__(self, python: Path, settings: Mapping[str, str], libraries: Sequence[str]) -> None:
        """Start it; it answers once Airflow and these libraries are imported."""
        script = ROOT / "benchmarks" / "dag_reading.py"
        self._process = subprocess.Popen(
            [str(python), str(script), *libraries],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.imported: float = self._answer()["imported"]
        """CPU seconds that importing Airflow took."""

    def __enter__(self) -> Self:
        """Read until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the process end."""
        self._process.communicate()

    def read(self, job: Job) -> Reading:
        """Read once."""
        assert self._process.stdin is not None  # noqa: S101 - opened above
        asked = {"target": str(job.target), "settings": dict(job.settings)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        found = self._answer()
        if errors := found.pop("errors"):
            raise SystemExit(f"{job.target} could not be read: {errors}")
        return Reading(**found)

    def in_turn(self, jobs: Mapping[str, Job]) -> dict[str, float]:
        """Read each several times, one after the other, so that a busy machine is busy for all; median CPU."""
        rounds = [{name: self.read(job).cpu for name, job in jobs.items()} for _ in range(REPEATED)]
        return {name: median(each[name] for each in rounds) for name in jobs}

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - opened above
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the reader has died")
        told: dict[str, Any] = json.loads(line)
        return told


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


def cell(reader: Reader, folder: Path, models: int, options: argparse.Namespace) -> dict[str, Any]:
    """Read so many models: first ever, then again beside the peer and the bare classes, and as each task does."""
    project = folder / f"project-{models}"
    declare(project, models, options.seed)
    places = {"PERENNIAL_PROJECT": str(project), "PERENNIAL_HOME": str(folder / f"home-{models}")}
    dags = Job(ROOT / "dags", places)
    cold = reader.read(dags)
    plan = {dag_id.replace(".", "__"): tasks for dag_id, tasks in cold.dags.items()}
    one = {
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "model_000.score",
        "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "predict",
    }
    jobs = {
        "warm": dags,
        "task": Job(ROOT / "dags" / "score.py", places | one),
        "bare": Job(_bare(folder / f"bare-{models}", plan), {}),
    }
    if not options.quick:
        generated = _peer(folder / f"peer-{models}", plan)
        jobs |= {"peer": Job(generated, {}), "peer_task": Job(generated, _context(plan))}
    _as_many(reader, jobs, plan)
    spent = reader.in_turn(jobs)
    found: dict[str, Any] = {"models": models, "dags": len(plan), "tasks": sum(plan.values())}
    found |= {"cold": round(cold.cpu, 3)} | {name: round(cpu, 4) for name, cpu in spent.items()}
    found["over_bare"] = round(spent["warm"] / spent["bare"], 2)
    return found if options.quick else found | {"ratio": round(spent["peer"] / spent["warm"], 2)}


def _as_many(reader: Reader, jobs: Mapping[str, Job], plan: Mapping[str, int]) -> None:
    """Make sure that every side declares as many DAGs and tasks."""
    for name in {"warm", "bare", "peer"} & set(jobs):
        dags = reader.read(jobs[name]).dags
        if (len(dags), sum(dags.values())) != (len(plan), sum(plan.values())):
            raise SystemExit(f"{name} read {len(dags)} DAGs instead of {len(plan)}")


def _bare(folder: Path, plan: Mapping[str, int]) -> Path:
    folder.mkdir()
    (folder / "bare.py").write_text(BARE_FILE.format(plan=dict(plan)))
    return folder / "bare.py"


def _peer(folder: Path, plan: Mapping[str, int]) -> Path:
    """Write a file for dag-factory that declares as many DAGs and tasks, each task after the one before it."""
    import yaml

    folder.mkdir()
    config = folder / "dags.yml"
    config.write_text(yaml.safe_dump({dag_id: _peer_dag(tasks) for dag_id, tasks in plan.items()}))
    (folder / "generated.py").write_text(PEER_FILE.format(config=str(config)))
    return folder / "generated.py"


def _context(plan: Mapping[str, int]) -> dict[str, str]:
    return {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": next(iter(plan))}


def _peer_dag(tasks: int) -> dict[str, Any]:
    operator = "airflow.providers.standard.operators.bash.BashOperator"
    chain = [
        {"task_id": f"t{n}", "operator": operator, "bash_command": "true"}
        | ({"dependencies": [f"t{n - 1}"]} if n else {})
        for n in range(tasks)
    ]
    return {"start_date": "2013-01-01", "schedule": "@daily", "catchup": False, "tasks": chain}


def _settings(folder: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT / "dags")]),
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


def measure(options: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Read every number of models; tell as well what importing Airflow costs."""
    python = Path(sys.executable) if options.quick else ENVIRONMENT / "bin" / "python"
    cells = []
    libraries = [*_preloaded(), *([] if options.quick else ["dagfactory"])]
    with Reader(python, _settings(folder), libraries) as reader:
        for models in (1, 10) if options.quick else (1, 10, 100):
            cells.append(cell(reader, folder, models, options))
            print(cells[-1], file=sys.stderr)
        return cells, reader.imported


def _preloaded() -> list[str]:
    """Name what the dag-processor of this project imports before it forks."""
    sys.path[:0] = [str(ROOT / "config"), str(ROOT / "include")]
    from airflow_local_settings import modules

    return list(modules("perennial_airflow"))


def main() -> int:
    """Read the DAG files and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="1 and 10 models, without the peer")
    asked.add_argument("--seed", type=int, default=0, help="changes what the models declare")
    options = asked.parse_args()
    if not options.quick:
        install_peer()
    with tempfile.TemporaryDirectory(prefix="perennial-parse-") as folder:
        cells, imported = measure(options, Path(folder))
    most = cells[-1]
    found = {
        "name": "parse",
        "claim": "all kinds of a hundred models are read in half of dag-factory's CPU, and in 0.02 s before each task",
        "ours": most["warm"],
        "peer": most.get("peer"),
        "peer_name": f"{PEER} {PEER_VERSION}, as many DAGs and tasks, the same Airflow",
        "ratio": most.get("ratio"),
        "floor": FLOOR,
        "bare": most["bare"],
        "unit": "CPU seconds to read all DAG files, imports of Airflow apart",
        "n": REPEATED,
        "seed": options.seed,
        "settings": {"task_parse_at_most": TASK_PARSE, "import_airflow": round(imported, 2)},
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
