"""Judge every night what stands between staging and production: a shadow, a canary, or the watch after a promotion.

Runs on a clock of its own, after `monitor` has settled the night's labels, where `rollout` declares steps or a watch;
else by hand only. Nothing waits between nights: where a rollout stands is in the ledger, so restarts change nothing.

`shadow`, `canary` and `watch` each look at theirs: green is a night that was judged, skipped is a step that does not
stand. The log has the running verdict in one sentence.

**Ends with** the running verdict published, and what follows from it in the ledger: the next step, production, a
stop, or the rollback to the version before.

**If it fails**, nothing was decided, and the champion serves on. Clear the task, or let the next night look: it counts
all nights that have matured since.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import DownstreamTasksSkipped

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import NIGHT
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import every_night, night_or_latest
from perennial_airflow.notes import say

STEPS = ("shadow", "canary", "watch")


@task
def stands(model: str) -> Report:
    """Say what stands tonight, and skip what does not."""
    from perennial.stages.rollout import stands as standing

    context, workspace = get_current_context(), open_workspace()
    night = night_or_latest(context, workspace, model)
    found = standing(workspace, model, night)
    context["ti"].xcom_push("return_value", night)
    absent = [step for step in STEPS if step not in found]
    if absent:
        raise DownstreamTasksSkipped(tasks=absent)
    return night


@task
def look(model: str, step: str, night: str) -> Report:
    """Judge one step on the nights that have matured, and carry out what follows."""
    from perennial.stages.rollout import look as look_at

    (looked,) = look_at(open_workspace(), model, night, only=step)
    say(looked.decision.reason)
    return looked.as_json()


def build(model: DagFacts) -> None:
    """Declare `<model>.rollout`."""
    clock = every_night(model, hours_later=8) if model.rolls_out else None
    with model_dag(model, kind="rollout", page=__doc__, schedule=clock, form={"night": NIGHT}):
        night = stands(model.name)
        for step in STEPS:
            look.override(task_id=step)(model.name, step, night)


each_model(build)
