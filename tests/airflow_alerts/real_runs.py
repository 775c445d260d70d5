"""Runs of our real DAGs in an Airflow of its own, one after another in one process; a program for the tests.

``python real_runs.py PROJECT`` prints what happened as JSON. The environment names everything else.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.doubles.projects import MODEL, Project

from perennial.clock import after
from perennial.stages.replay import load_history
from perennial.workspace import Workspace

FIRST, LAST = "2024-01-01", "2024-02-19"
TONIGHT = after(LAST)
CHECKOUT = Path(__file__).parents[2]


def run(kind: str, conf: dict[str, str], model: str = MODEL) -> dict[str, Any]:
    """Let one DAG run, without the pauses between retries, and say how each task ended."""
    from airflow.dag_processing.dagbag import BundleDagBag

    folder = CHECKOUT / "dags"
    bag = BundleDagBag(folder / f"{kind}.py", bundle_path=folder, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    dag = bag.dags[f"{model}.{kind}"]
    for task in dag.tasks:
        task.retries = 0
    ended = dag.test(logical_date=None, run_conf=conf)
    states = {f"{ti.task_id}/{ti.map_index}": ti.state for ti in ended.get_task_instances()}
    return {
        "state": str(ended.state),
        "tasks": states,
        "run_id": ended.run_id,
        "note": note(ended.dag_id, ended.run_id),
    }


def note(dag_id: str, run_id: str) -> str | None:
    """Read the note that Airflow shows beside a run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        return run.note if run else None


def links(kind: str, task_id: str, run_id: str) -> dict[str, str | None]:
    """Return the buttons of a task as the api-server would: from the serialised DAG and the plugins."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstancekey import TaskInstanceKey

    dag_id = f"{MODEL}.{kind}"
    task = SerializedDagModel.get_dag(dag_id).get_task(task_id)
    asked = type("Asked", (), {"key": TaskInstanceKey(dag_id, task_id, run_id, 1, -1)})()
    return {name: task.get_extra_links(asked, name) for name in task.extra_links}


def main(root: Path) -> dict[str, Any]:
    """Fail a night, mend it, fail a folder, train and judge a model, steer a night."""
    from airflow import plugins_manager
    from airflow.utils.db import initdb

    from perennial_airflow import callbacks
    from perennial_airflow.connections import address_or_nothing

    initdb()
    project, workspace = Project(root), Workspace.open()
    load_history(workspace, MODEL, FIRST, LAST)
    told: dict[str, Any] = {"failed": run("validate", {"night": TONIGHT})}
    project.deliver(TONIGHT)
    told["mended"] = run("validate", {"night": TONIGHT})
    told["broken"] = run("broken", {}, "torn")
    told["train"] = run("train", {"night": TONIGHT})
    told["evaluate"] = run("evaluate", {"night": TONIGHT, "version": "1"})
    told["steer"] = {
        "hold": run("steer", {"action": "hold", "night": TONIGHT, "reason": "The feed looks odd."}),
        "rerun": run(
            "steer", {"action": "rerun", "night": TONIGHT, "reason": "It was corrected.", "stage": "monitor"}
        ),
        "release": run(
            "steer",
            {"action": "release", "night": TONIGHT, "reason": "It was right after all.", "actor": "ann"},
        ),
    }
    told["retrain"] = run("retrain", {"night": TONIGHT})
    told["links"] = {
        "decide": links("retrain", "decide", told["retrain"]["run_id"]),
        "fit": links("train", "fit", told["train"]["run_id"]),
        "assemble": links("train", "assemble", told["train"]["run_id"]),
        "measure": links("evaluate", "measure", told["evaluate"]["run_id"]),
    }
    told["harmless"] = [hook({}) for hook in callbacks.HOOKS.values()]
    told["plugin_errors"] = {name: str(why) for name, why in plugins_manager.get_import_errors().items()}
    told["plugins"] = [str(plugin.name) for plugin in plugins_manager._get_plugins()[0]]
    told["addresses"] = {
        name: address_or_nothing(name.lower()) for name in ("PARTS", "CARRIED", "QUERY", "EXTRA", "HOST")
    }
    return told


if __name__ == "__main__":
    out = main(Path(sys.argv[1]))
    print("RESULT " + json.dumps(out, default=str))  # noqa: T201  # the tests read this line
