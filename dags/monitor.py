"""Judge the night: did it come, is it like the nights before it, did what was predicted come true?

Runs every night on a clock of its own, some hours after `validate`, so that a night whose data never came is
itself a finding. A finding that asks for a new model triggers `retrain`; a broken feed never does.
By hand: *Trigger*, open *Advanced Options* and set *Partition Key* to the night.

**Ends with** the night's verdict in the ledger: learning, quiet, notice, page or silent, with its evidence.

**If it fails**, nothing was judged: the night is not quiet but unknown. Clear the task.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import every_night, night_of
from perennial_airflow.skipping import goes_on_if


@task
def judge(model: str) -> Report:
    """Compare the night with what was promised, and ask for a new model if that is declared."""
    from perennial.stages.monitor import monitor as judge_night

    watched = judge_night(open_workspace(), model, night_of(get_current_context()))
    return goes_on_if(watched.asks is not None, watched.as_json(), before="trigger_retrain")


def build(model: DagFacts) -> None:
    """Declare `<model>.monitor`."""
    with model_dag(model, kind="monitor", page=__doc__, schedule=every_night(model, hours_later=6)):
        judge(model.name) >> TriggerDagRunOperator(
            task_id="trigger_retrain",
            trigger_dag_id=f"{model.name}.retrain",
            trigger_run_id="{{ ti.xcom_pull('judge')['asks'] }}__{{ ti.xcom_pull('judge')['night'] }}",
            conf={
                "night": "{{ ti.xcom_pull('judge')['night'] }}",
                "trigger": "{{ ti.xcom_pull('judge')['asks'] }}",
                "cause": "{{ ti.xcom_pull('judge')['cause'] or '' }}",
                "finding": "{{ ti.xcom_pull('judge')['finding'] or '' }}",
            },
            logical_date=None,
            skip_when_already_exists=True,
        )


each_model(build)
