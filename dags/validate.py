"""Take in a night: gather each source's delivery, clean it, check it, set bad rows aside, publish the rest.

Runs every night on the model's clock. By hand: *Trigger*, open *Advanced Options* and set *Partition Key* to the
night (2013-05-12); fill in *History since* as well to bring in a whole range of history in one pass.

**Ends with** one published table a source, whole or not at all, and the night closed; `features` follows.

**If it fails**, nothing of that source was published. The failed task's log names the file, the field, the
value and the fix. Correct the file and clear the task. A delivery that has not come is asked for every half hour,
until the longest `arrival_delay_hours` of the sources is over.
"""

from __future__ import annotations

from airflow.sdk import Param, get_current_context, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, every_night, night_of
from perennial_airflow.waiting import until_late

SINCE = Param(
    None,
    type=["null", "string"],
    format="date",
    title="History since",
    description="First night of a range to bring in at once, up to the partition key. Empty: this night only.",
)


@task(map_index_template="{{ source }}", show_return_value_in_logs=True)
def take_in(model: str, source: str) -> Report:
    """Gather one source's delivery, check it, publish what is sound."""
    from perennial.stages.validate import take_in_range

    context = get_current_context()
    context["source"] = source  # type: ignore[typeddict-unknown-key]  # names the mapped task in the UI
    night = night_of(context)
    first = context["params"]["since"] or night
    return take_in_range(open_workspace(), model, source, first, night).as_json()


@task(show_return_value_in_logs=True)
def close_night(model: str) -> Report:
    """Join the night's sources and close the night."""
    from perennial.stages.validate import close_night as close

    return close(open_workspace(), model, night_of(get_current_context()))


def build(model: DagFacts) -> None:
    """Declare `<model>.validate`."""
    with model_dag(model, kind="validate", page=__doc__, schedule=every_night(model), form={"since": SINCE}):
        taken_in = take_in.override(**until_late(model.arrival_delay_hours)).partial(model=model.name)
        close = close_night.override(outlets=[asset(model.name, "night")])
        taken_in.expand(source=list(model.sources)) >> close(model.name)


each_model(build)
