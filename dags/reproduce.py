"""Train champions again from what was kept of their trainings, and see that they come out the same.

Runs by itself on Sunday morning; the environment variable `PERENNIAL_REPRODUCE` holds another cron expression, or
`never`. It costs one fit for each champion that was never made again by the code, libraries and machine of now: a new
champion once, and all of them once after an upgrade. By hand: *Trigger*; name a model and a version to check just that
one. Nothing is registered, and nothing that serves changes.

**Ends with** one line `reproduced` in the ledger for each version. A task that is skipped says that the training set or
the settings of its version are gone.

**If it fails**, a version came out otherwise. The log says by how much its predictions differ, and which libraries,
code or data are other ones than when it was trained. It serves on as it is.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial_airflow.callbacks import fails
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import VERSION
from perennial_airflow.model_dag import ARGUMENTS, Report
from perennial_airflow.nights import NOT_BEFORE_THE_CLOCK

SCHEDULE = os.environ.get("PERENNIAL_REPRODUCE", "0 5 * * 0")
MODEL = Param(
    None,
    type=["null", "string"],
    maxLength=64,
    title="Model",
    description="Whose version to train again. Empty: every champion that is due.",
)


@task
def due() -> Report:
    """List the versions to train again: the one that was named, or every champion that is due."""
    from perennial.stages.reproduce import champions_due, named

    params = get_current_context()["params"]
    workspace = open_workspace()
    return (
        named(workspace, params["model"], params["version"]) if params["model"] else champions_due(workspace)
    )


@task(map_index_template="{{ answer }}", max_active_tis_per_dag=1)
def reproduce(about: dict[str, str]) -> str:
    """Train one version again and compare."""
    from perennial.errors import NotReproducedError
    from perennial.stages.candidates import candidate
    from perennial.stages.reproduce import keep_reproduction

    workspace, model = open_workspace(), about["model"]
    found = keep_reproduction(workspace, candidate(workspace, model, about["version"]))
    get_current_context()["answer"] = f"{model} {about['version']}: {found.outcome}"  # type: ignore[typeddict-unknown-key]
    if found.outcome == "differs":
        raise NotReproducedError(model, found.sentence())
    if not found.good:
        raise AirflowSkipException(found.sentence())
    return found.sentence()


with DAG(
    "perennial.reproduce",
    schedule=None
    if SCHEDULE == "never"
    else CronTriggerTimetable(SCHEDULE, timezone="UTC", run_immediately=NOT_BEFORE_THE_CLOCK),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    description="Trains champions again and compares what they predict.",
    tags=["perennial", "kind:reproduce"],
    doc_md=f"# Reproduce\n\n{__doc__}",
    default_args={**ARGUMENTS, "owner": "perennial", "retries": 1},
    params={"model": MODEL, "version": VERSION},
    on_failure_callback=fails,
):
    reproduce.expand(about=due())
