"""What Airflow calls when a task begins, ends or fails: from there to the outbox, and on to people.

Runs in the task's own process, or in the dag-processor when that process was killed. Whatever goes wrong in here
is logged and never changes how a run ends; everything heavy is imported when it is needed.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.clock import night as as_night
from perennial.errors import NotANightError

if TYPE_CHECKING:
    from perennial.policies.alerting import Run
    from perennial.workspace import Workspace

Context = Mapping[str, Any]
Callback = Callable[[Context], None]

WELL_ENDED = {"success", "skipped", "removed"}
_log = logging.getLogger(__name__)


def never_matters(callback: Callback) -> Callback:
    """Let nothing that a callback meets reach the run; its type is logged, since its text may hold a secret."""

    @functools.wraps(callback)
    def guarded(context: Context) -> None:
        try:
            callback(context)
        except Exception as problem:  # noqa: BLE001  # that is the promise
            _log.warning("%s: %s; alerts wait for the next task", callback.__name__, type(problem).__name__)

    return guarded


@never_matters
def begins(context: Context) -> None:
    """Let the stages of this process know where their run can be seen."""
    from perennial.stages.recording import RUN_PAGE
    from perennial_airflow.links import run_page

    dag_run = context["dag_run"]
    os.environ[RUN_PAGE] = run_page(dag_run.dag_id, dag_run.run_id)


@never_matters
def ends_well(context: Context) -> None:
    """Link the task to its MLflow run, say that what was wrong is over, and tell what the task decided."""
    from perennial_airflow.links import leave_mlflow_link

    workspace = _workspace()
    leave_mlflow_link(context, workspace)
    _recover(context, workspace)
    _tell(workspace)


@never_matters
def fails(context: Context) -> None:
    """Tell that a task failed for good: one alert for a DAG and night, however many tasks and callbacks say so."""
    from perennial.ledger.outbox import Outbox
    from perennial.policies.alerting import failure

    workspace = _workspace()
    Outbox(workspace.ledger.database).put(failure(run_of(context)))
    _tell(workspace)


@never_matters
def tries_again(context: Context) -> None:  # noqa: ARG001  # Airflow's signature
    """Use the pause before a retry to tell what waits."""
    _tell(_workspace())


HOOKS: Mapping[str, Callback] = {
    "on_execute_callback": begins,
    "on_success_callback": ends_well,
    "on_skipped_callback": ends_well,
    "on_retry_callback": tries_again,
    "on_failure_callback": fails,
}
"""Default arguments of every task."""


def run_of(context: Context) -> Run:
    """Read from a callback's context what an alert says of the run."""
    from perennial.policies.alerting import Run
    from perennial_airflow.links import run_page, task_page

    if "dag_run" not in context:  # the run died without any task to blame
        dag_id, run_id = context["dag"].dag_id, context["run_id"]
        return Run(dag_id.partition(".")[0], dag_id, None, run_id=run_id, link=run_page(dag_id, run_id))
    dag_run, ti = context["dag_run"], context["ti"]
    return Run(
        model=dag_run.dag_id.partition(".")[0],
        dag=dag_run.dag_id,
        night=night_in(context),
        run_id=dag_run.run_id,
        task=_task_name(ti),
        attempt=str(ti.try_number),
        error=_error(context.get("exception")),
        link=task_page(dag_run.dag_id, dag_run.run_id, ti.task_id, ti.map_index),
    )


def night_in(context: Context) -> Night | None:
    """Return the night a run is about, wherever it is told: partition key, form, or what triggered it."""
    told = context["dag_run"].partition_key or (context.get("params") or {}).get("night")
    if told:
        return _night(told)
    nights = [
        event.extra.get("night")
        for events in (context.get("triggering_asset_events") or {}).values()
        for event in events
    ]
    return _night(nights[-1]) if nights else None


def _recover(context: Context, workspace: Workspace) -> None:
    from perennial.ledger.outbox import Outbox
    from perennial.policies.alerting import recoveries

    outbox = Outbox(workspace.ledger.database)
    over = [alert for alert in recoveries(run_of(context)) if outbox.is_open(alert.condition)]
    if over and _all_else_ended_well(context):
        for alert in over:
            outbox.put(alert)


def _all_else_ended_well(context: Context) -> bool:
    """Whether this was the last task of the run: each of our DAGs ends in one."""
    ti = context["ti"]
    this = {ti.task_id, f"{ti.task_id}_{ti.map_index}"}
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    return all(state in WELL_ENDED for name, state in states.items() if name not in this)


def _tell(workspace: Workspace) -> None:
    from perennial.stages.telling import tell
    from perennial_airflow.connections import address_or_nothing

    tell(workspace, address_or_nothing)


def _workspace() -> Workspace:
    from perennial.workspace import Workspace

    return Workspace.open()


def _task_name(ti: Any) -> str:
    label = getattr(ti, "rendered_map_index", None) or (ti.map_index if (ti.map_index or -1) >= 0 else None)
    return str(ti.task_id) if label is None else f"{ti.task_id} ({label})"


def _error(raised: object) -> str:
    """Write what was raised, without what Airflow knows to be secret."""
    from airflow.sdk.log import redact

    if raised is None:
        return ""
    named = "" if type(raised).__module__.startswith("perennial.errors.") else f"{type(raised).__name__}: "
    return f"{named}{redact(str(raised))}"


def _night(told: object) -> Night | None:
    try:
        return as_night(str(told)) if told else None
    except NotANightError:
        return None
