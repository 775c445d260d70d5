"""Reads this project's DAG files as Airflow does, in a process of its own, and writes what it found as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HEAVY = (
    "pandas",
    "numpy",
    "sklearn",
    "scipy",
    "mlflow",
    "great_expectations",
    "duckdb",
    "pyarrow",
    "ibis",
    "optuna",
)


def main(report: Path) -> None:
    """Parse all of them and describe every DAG."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    found = {
        "dags": {dag_id: _described(dag) for dag_id, dag in bag.dags.items()},
        "import_errors": bag.import_errors,
        "warnings": [str(one) for many in bag.captured_warnings.values() for one in many],
        "heavy": [name for name in HEAVY if name in sys.modules],
    }
    report.write_text(json.dumps(found, default=str))


def _described(dag: Any) -> dict[str, Any]:
    return {
        "tags": sorted(dag.tags),
        "doc": dag.doc_md or "",
        "tasks": {task.task_id: _task(task) for task in dag.tasks},
        "form": {name: _field(param) for name, param in dag.params.items()},
        "form_problem": _form_problem(dag),
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "deadline": bool(dag.deadline),
        "start": str(dag.start_date or ""),
        "end": str(dag.end_date or ""),
        "timetable": type(dag.timetable).__name__,
        "next_run": _next_run(dag),
    }


def _rules(task: Any) -> list[Any]:
    """Return by which rules a task is tried again; a mapped one keeps them apart."""
    policy = getattr(task, "retry_policy", None) or getattr(task, "partial_kwargs", {}).get("retry_policy")
    return policy.rules if policy else []


def _task(task: Any) -> dict[str, Any]:
    return {
        "retries": task.retries,
        "rules": len(_rules(task)),
        "outlets": [outlet.name for outlet in task.outlets],
        "after": sorted(task.upstream_task_ids),
    }


def _field(param: Any) -> dict[str, Any]:
    return {
        "default": param.value if param.has_value else None,
        "description": param.description,
        **param.schema,
    }


def _form_problem(dag: Any) -> str:
    """Say why the form could not be sent as it opens; a field without a default is asked for, with a star."""
    from airflow.sdk.exceptions import ParamValidationError

    try:
        for param in dag.params.values():
            if param.has_value:
                param.resolve()
    except ParamValidationError as error:
        return str(error)
    return ""


def _next_run(dag: Any) -> str:
    """Say for which night the clock would start a run now; nothing without a clock or outside its bounds."""
    from airflow.serialization.serialized_objects import DagSerialization

    scheduled = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    found = scheduled.next_dagrun_info(last_automated_run_info=None)
    return "" if found is None else str(found.partition_key)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "dags"))
    main(Path(sys.argv[1]))
