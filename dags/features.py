"""Build the night's features into the feature repository, each from what was known at the night's end.

Starts by itself when `validate` has closed a night. Nights that have rows but no features yet are built too,
so a changed `features.py` or a loaded history is made up for without a special run. By hand: *Trigger*, open
*Advanced Options* and set *Partition Key* to the night.

**Ends with** the night's feature partition; `score` follows.

**If it fails**, no feature of that night was published. The log names the view and its line in `features.py`.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, night_of, whenever


@task(show_return_value_in_logs=True)
def build_features(model: str) -> Report:
    """Build every feature of the night, and of earlier nights that changed."""
    from perennial.stages.build_features import build_features as build_missing

    return build_missing(open_workspace(), model, night_of(get_current_context())).as_json()


def build(model: DagFacts) -> None:
    """Declare `<model>.features`."""
    with model_dag(model, kind="features", page=__doc__, schedule=whenever(model.name, "night")):
        build_features.override(outlets=[asset(model.name, "features")])(model.name)


each_model(build)
