"""Take a candidate that passed its gates to production, at once or by the steps that its model declares.

Starts by itself when `evaluate` has let a candidate pass. What ships is the very artefact that was evaluated,
checked by its hash in every step.

**Ends with** the switch in the ledger, mirrored in MLflow's alias `champion`. A model of high risk stops here: it
needs approval. Where `rollout.steps` are declared, `production` begins the first of them, and `rollout` takes it from
there, night by night.

**If `production` is skipped**, its log says why: a shadow or canary has begun (look at `rollout`); the model's risk is
high (read what the gates said in `evaluate`, then *approve* in `steer` or `perennial approve`); or the version, or
one that predicts the same, was rolled back from.

**If it fails**, the champion serves on. The log says which step objects and why.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import NIGHT, VERSION
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, version_and_night

FORM = {"version": VERSION, "night": NIGHT}


@task
def testing(model: str) -> Report:
    """Load the version and score the night's rows with it, published nowhere."""
    from perennial.stages.deploy import test

    workspace = open_workspace()
    version, night = version_and_night(get_current_context(), workspace, model)
    test(workspace, model, version, night)
    return {"version": version, "night": night}


@task
def staging(model: str, about: dict[str, str]) -> Report:
    """Compare what the version would have said with what the champion said."""
    from perennial.stages.deploy import stage

    return stage(open_workspace(), model, about["version"], about["night"]).as_json()


@task
def production(model: str, about: dict[str, str]) -> Report:
    """Hand over to the version, unless steps are declared before that or a person has to approve."""
    from perennial.stages.rollout import begin

    entry = begin(open_workspace(), model, about["version"], about["night"])
    if entry.kind != "promoted":
        raise AirflowSkipException(entry.reason)
    return {"version": about["version"], "reason": entry.reason, "ledger": entry.id}


def build(model: DagFacts) -> None:
    """Declare `<model>.deploy`."""
    with model_dag(model, kind="deploy", page=__doc__, schedule=[asset(model.name, "challenger")], form=FORM):
        about = testing(model.name)
        switched = production.override(outlets=[asset(model.name, "champion")])(model.name, about)
        staging(model.name, about) >> switched


each_model(build)
