"""Decide whether a new model is worth training now, and say why or why not.

Triggered by `monitor` with its finding, or by hand with the form. Goes ahead by the model's retraining policy:
cooldown, enough new labelled rows, none under way, never on a broken feed.

**Ends with** the decision in the ledger; if it goes ahead it triggers `train`, and `evaluate` and `deploy` follow.

**If `train` is skipped**, the policy said no: the log of `decide` and the ledger say why.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import ACTOR, CAUSE, FINDING, NIGHT, TRIGGER, who
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import is_under_way, night_or_latest
from perennial_airflow.skipping import goes_on_if

FORM = {"night": NIGHT, "trigger": TRIGGER, "cause": CAUSE, "finding": FINDING, "actor": ACTOR}


@task
def decide(model: str) -> Report:
    """Ask the retraining policy whether to train now."""
    from perennial.facts.decision import Verdict
    from perennial.stages.retrain import retrain as decide_retraining

    context = get_current_context()
    params = context["params"]
    workspace = open_workspace()
    night = night_or_latest(context, workspace, model)
    decision = decide_retraining(
        workspace,
        model,
        night,
        trigger=params["trigger"],
        cause=params["cause"] or None,
        finding=params["finding"] or None,
        actor=who(context, "retrain"),
        under_way=is_under_way(context, model),
    )
    goes_ahead = decision.verdict is Verdict.PASS
    return goes_on_if(goes_ahead, {"night": night, **decision.as_json()}, before="train")


def build(model: DagFacts) -> None:
    """Declare `<model>.retrain`."""
    with model_dag(model, kind="retrain", page=__doc__, form=FORM):
        decide(model.name) >> TriggerDagRunOperator(
            task_id="train",
            trigger_dag_id=f"{model.name}.train",
            trigger_run_id="retrain__{{ run_id }}",
            conf={"night": "{{ ti.xcom_pull('decide')['night'] }}", "trigger": "{{ params.trigger }}"},
            logical_date=None,
            skip_when_already_exists=True,
        )


each_model(build)
