"""Train a candidate: its data as they were known, its parameters tuned in fixed generations, one run in MLflow.

Triggered by `retrain`, or by hand for a night of your choice.

**Ends with** a registered candidate; `evaluate` follows. Nothing that serves has changed. The *Details* of the task
`fit` link to its run in MLflow.

**If it fails**, nothing that serves has changed either. The log names what was missing; clear the task to go on
where it stopped: generations that were told are not asked again.
"""

from __future__ import annotations

from airflow.sdk import Metadata, get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import NIGHT
from perennial_airflow.model_dag import model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, night_or_latest


@task
def assemble(model: str) -> str:
    """Put together the training set as it was known on the night."""
    from perennial.stages.train import assemble as assemble_training_set

    workspace = open_workspace()
    night = night_or_latest(get_current_context(), workspace, model)
    return assemble_training_set(workspace, model, night)


@task(map_index_template="{{ trials }}")
def tune(model: str, batch: int, generation: int, run: str) -> None:
    """Try one batch of a generation's parameters."""
    from perennial.stages.train import tune as run_trials

    tried = run_trials(open_workspace(), model, run, generation, batch)
    get_current_context()["trials"] = tried  # type: ignore[typeddict-unknown-key]  # names the mapped task


@task
def fit(model: str, run: str):  # noqa: ANN201 - Airflow reads the asset's metadata from a generator
    """Fit the best parameters found and register the candidate."""
    from perennial.stages.train import fit as fit_candidate

    made = fit_candidate(open_workspace(), model, run)
    yield Metadata(asset(model, "candidate"), {"version": made.version, "night": made.night})


def build(model: DagFacts) -> None:
    """Declare `<model>.train`."""
    with model_dag(model, kind="train", page=__doc__, form={"night": NIGHT}):
        run = previous = assemble(model.name)
        for generation in range(model.generations):
            tried = tune.override(task_id=f"generation_{generation + 1}").partial(
                model=model.name, generation=generation, run=run
            )
            tried = tried.expand(batch=list(range(model.batches)))
            previous >> tried
            previous = tried
        previous >> fit.override(outlets=[asset(model.name, "candidate")])(model.name, run)


each_model(build)
