"""Judge the night: did it come, is it like the nights before it, did what was predicted come true?

Runs every night on a clock of its own, some hours after `validate`, so that a night whose data never came is
itself a finding. A finding that asks for a new model triggers `retrain`; a broken feed never does.
By hand: *Trigger*, open *Advanced Options* and set *Partition Key* to the night.

`data`, `predictions` and `performance` say what was seen, `triage` asks the detectors and names the cause of what
they found, `verdict` puts it together. Where something stands, the MLflow run behind `verdict` has a picture of it.

**Ends with** the night's verdict in the ledger: learning, quiet, notice, page or silent, with its evidence.

**If it fails**, nothing was judged: the night is not quiet but unknown. Clear the task.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.links import ASKED_BY, PICTURE
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import every_night, night_of
from perennial_airflow.skipping import goes_on_if


@task
def look(model: str, at: str) -> Report:
    """Publish what the verdict will read, and say in a sentence what was seen."""
    from perennial.stages.watch_steps import LOOKS

    return LOOKS[at](open_workspace(), model, night_of(get_current_context())).as_json()


@task
def verdict(model: str) -> Report:
    """Put together what was seen, tell it, and ask for a new model if that is declared."""
    from perennial.stages.monitor import monitor
    from perennial.stages.watch_picture import keep_picture

    workspace, night = open_workspace(), night_of(get_current_context())
    watched = monitor(workspace, model, night)
    seen_in = {PICTURE: keep_picture(workspace, model, night, watched)}
    return goes_on_if(watched.asks is not None, watched.as_json() | seen_in, before="trigger_retrain")


def told(key: str) -> str:
    """Write where the form of `retrain` finds what the verdict said."""
    return f"{{{{ ti.xcom_pull('verdict')['{key}'] or '' }}}}"


def build(model: DagFacts) -> None:
    """Declare `<model>.monitor`."""
    with model_dag(model, kind="monitor", page=__doc__, schedule=every_night(model, hours_later=6)):
        seen = [look.override(task_id=at)(model.name, at) for at in ("data", "predictions", "performance")]
        seen >> look.override(task_id="triage")(model.name, "triage") >> (judged := verdict(model.name))
        judged >> TriggerDagRunOperator(
            task_id="trigger_retrain",
            trigger_dag_id=f"{model.name}.retrain",
            trigger_run_id=f"{told('asks')}__{told('night')}",
            conf={
                "night": told("night"),
                "trigger": told("asks"),
                "cause": told("cause"),
                "finding": told("finding"),
                ASKED_BY: "{{ run_id }}",
            },
            logical_date=None,
            skip_when_already_exists=True,
        )


each_model(build)
