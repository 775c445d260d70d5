"""Put an earlier version back into production, at once.

By hand only: *Trigger*, say why, and name a version if it is not the one that served before.

**Ends with** the change in the ledger, with your name and reason; the next night is scored by that version.

**If it fails**, nothing has changed: the version does not load, or none other has ever served.
"""

from __future__ import annotations

from airflow.sdk import Param, get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import ACTOR, NIGHT, who
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import night_or_latest

REASON = Param(
    type="string",
    minLength=10,
    title="Why",
    description="What is wrong with the version that serves? Ten characters or more; they stay in the ledger.",
)
VERSION = Param(
    None,
    type=["null", "string"],
    pattern="^[0-9]+$",
    title="Version",
    description="Number of the version to return to. Empty: the one that served before.",
)
FORM = {"reason": REASON, "version": VERSION, "night": NIGHT, "actor": ACTOR}


@task
def roll_back(model: str) -> Report:
    """Return to the version named, or to the one that served before."""
    from perennial.stages.roll_back import roll_back as return_to

    context = get_current_context()
    params = context["params"]
    workspace = open_workspace()
    entry = return_to(
        workspace,
        model,
        night_or_latest(context, workspace, model),
        reason=params["reason"],
        actor=who(context, "an operator"),
        version=params["version"] or None,
    )
    return {"version": entry.evidence["version"], "reason": entry.reason, "ledger": entry.id}


def build(model: DagFacts) -> None:
    """Declare `<model>.rollback`."""
    with model_dag(model, kind="rollback", page=__doc__, form=FORM):
        roll_back(model.name)


each_model(build)
