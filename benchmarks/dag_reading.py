"""Reads DAG folders as Airflow's dag-processor does: Airflow is imported once, and each reading is a fork of its own.

``python dag_reading.py`` answers each line of its input, ``{"target": path, "settings": {...}}``, with one JSON
object. As the dag-processor does, it freezes what it has imported, so that no collection of garbage counts it, and
each side's own library is among that, as ``config/airflow_local_settings.py`` has it.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import airflow.providers.standard.decorators.python  # noqa: F401 - what either side uses of Airflow
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.bash import BashOperator  # noqa: F401
from airflow.providers.standard.operators.empty import EmptyOperator  # noqa: F401
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator  # noqa: F401
from airflow.sdk import DAG, Asset, Param, dag, get_current_context, get_parsing_context, task  # noqa: F401


def read(target: str) -> dict[str, Any]:
    """Read a DAG folder or file: seconds of CPU and wall, tasks of each DAG, errors."""
    cpu, wall = time.process_time(), time.perf_counter()
    bag = DagBag(dag_folder=target)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "errors": dict(bag.import_errors),
        "dags": {dag_id: len(found.tasks) for dag_id, found in bag.dags.items()},
    }


def in_a_fork(target: str, settings: Mapping[str, str]) -> str:
    """Read in a child, whose imports and caches die with it."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reader)
        os.environ.update(settings)
        with os.fdopen(writer, "w") as answer:
            answer.write(json.dumps(read(target)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


def main() -> None:
    """Say what importing Airflow has cost, then answer line by line."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Airflow logs to where the answers go
    answers.write(json.dumps({"imported": time.process_time()}) + "\n")
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        answers.write(in_a_fork(**json.loads(line)) + "\n")


if __name__ == "__main__":
    main()
