"""Score the night's rows with the champion and deliver the predictions.

Starts by itself when the night's features are built. By hand: *Trigger*, open *Advanced Options* and set
*Partition Key* to the night.

**Ends with** the night's predictions, each with the version that made it, delivered to the declared sink.

**If it is skipped**, the model has no champion yet (trigger `retrain` to train a first one), or a person holds or
skipped the night; the log of `predict` says which.

**If it fails**, no prediction of that night was published; what was delivered before is unchanged.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, night_of, whenever


@task(show_return_value_in_logs=True)
def predict(model: str) -> Report:
    """Predict the night's rows with the champion."""
    from perennial.errors import HeldNightError, NoChampionError, SkippedNightError
    from perennial.stages.score import score as score_night

    try:
        return score_night(open_workspace(), model, night_of(get_current_context())).as_json()
    except (NoChampionError, HeldNightError, SkippedNightError) as error:
        raise AirflowSkipException(str(error)) from error


@task(show_return_value_in_logs=True)
def deliver(model: str) -> Report:
    """Hand the night's predictions to the declared sink."""
    from perennial.stages.score import deliver as deliver_night

    return deliver_night(open_workspace(), model, night_of(get_current_context()))


def build(model: DagFacts) -> None:
    """Declare `<model>.score`."""
    with model_dag(model, kind="score", page=__doc__, schedule=whenever(model.name, "features")):
        scored = predict.override(outlets=[asset(model.name, "predictions")])(model.name)
        if model.has_sink:
            scored >> deliver(model.name)


each_model(build)
