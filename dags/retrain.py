"""Decide whether a new model is worth training now, and say why or why not.

Triggered by `monitor` with its finding, or by hand with the form. Goes ahead by the model's retraining policy:
cooldown, enough new labelled rows, none under way, never on a broken feed.

**Ends with** the decision in the ledger; if it goes ahead it triggers `train`, and `evaluate` and `deploy` follow.

**If `train` is skipped**, the policy said no: the sentence is in the task `decide` and in the ledger.
"""

from __future__ import annotations

import include_path  # noqa: F401 - finds include/ in any Airflow
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import get_current_context, task
from perennial.spec.compiled import DagFacts
from perennial_airflow.forms import ACTOR, CAUSE, FINDING, NIGHT, TRIGGER
from perennial_airflow.model_dag import model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import night_or_latest


def build(model: DagFacts) -> None:
    """Declare `<model>.retrain`."""
    form = {"night": NIGHT, "trigger": TRIGGER, "cause": CAUSE, "finding": FINDING, "actor": ACTOR}

    @model_dag(model, kind="retrain", page=__doc__, params=form)
    def retrain() -> None:
        @task
        def decide() -> dict[str, object]:
            from perennial.stages.retrain import retrain as decide_retraining
            from perennial.workspace import Workspace

            context = get_current_context()
            params = context["params"]
            workspace = Workspace.open()
            night = night_or_latest(context, workspace, model.name)
            decision = decide_retraining(
                workspace,
                model.name,
                night,
                trigger=params["trigger"],
                cause=params["cause"] or None,
                finding=params["finding"] or None,
                actor=params["actor"] or "retrain",
            )
            return {"night": night, **decision.as_json()}

        @task.short_circuit
        def goes_ahead(decision: dict[str, object]) -> bool:
            return decision["verdict"] == "pass"

        train = TriggerDagRunOperator(
            task_id="train",
            trigger_dag_id=f"{model.name}.train",
            trigger_run_id="retrain__{{ run_id }}",
            conf={"night": "{{ ti.xcom_pull('decide')['night'] }}", "trigger": "{{ params.trigger }}"},
            logical_date=None,
            skip_when_already_exists=True,
        )
        goes_ahead(decide()) >> train

    retrain()


each_model(build)
