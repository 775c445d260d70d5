"""A person's word: about a night (hold, release, skip, accept, rerun), or about what may serve (freeze, approve).

By hand only: *Trigger*, choose what to do, name the night and say why. Your word stays in the ledger.

- **hold**: nothing is scored for the night until it is released.
- **release**: a held night is scored now.
- **skip**: the night is closed without the deliveries that never came, and goes on with what did come.
- **accept**: rows of a quarantine, or a correction that was held back whole, are published by your word, and the
  night goes on with them.
- **rerun**: the night is done again from a stage on; what comes out the same changes nothing.
- **freeze**: nothing is trained or promoted from now until the night, which is free again; nights go on being scored.
- **unfreeze**: a freeze ends, from the night on.
- **approve**: the version that passed its gates and waits for a person serves from the night after this one.

**Ends with** the word in the ledger and the stages that follow from it done, one task each; those that do not
follow are skipped. A finding of a night that is run again is told, but asks for no new model by itself.

**If it fails**, the task's log says what is missing; what was published before is unchanged.
"""

from __future__ import annotations

from airflow.sdk import Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import ACTOR, who
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model

ACTION = Param(
    "hold",
    enum=["hold", "release", "skip", "accept", "rerun", "freeze", "unfreeze", "approve"],
    title="What to do",
    description="Hold a night, release it, skip what never came, accept quarantined rows, or run it again; freeze the "
    "model until a night, end that, or approve the version that waits.",
)
NIGHT = Param(type="string", format="date", title="Night", description="The night it is about: 2013-05-12.")
WHY = Param(
    type="string",
    minLength=10,
    title="Why",
    description="One sentence of ten characters or more; it stays in the ledger.",
)
ROWS = Param(
    "all",
    type="string",
    pattern="^(all|held|[0-9]+( *, *[0-9]+)*)$",
    title="Rows",
    description="For accept: rows by their numbers in the quarantine (3, 7), all, or held: a correction that waits.",
)
STAGE = Param(
    "validate",
    enum=["validate", "features", "score", "monitor"],
    title="From",
    description="For rerun: the first stage to do again; those after it follow.",
)


@task(retries=0)
def say(model: str) -> Report:
    """Put a person's word into the ledger, and say which stages follow from it."""
    from perennial_airflow.steering import obey

    context = get_current_context()
    return obey(open_workspace(), model, context["params"], who(context, "an operator"))


@task(trigger_rule=TriggerRule.NONE_FAILED)
def do(model: str, stage: str, word: dict[str, list[str]]) -> Report:
    """Do a stage of the night again if it follows from the word."""
    from perennial_airflow.steering import STAGES

    if stage not in word["stages"]:
        raise AirflowSkipException(f"{stage} does not follow from this.")
    return STAGES[stage](open_workspace(), model, get_current_context()["params"]["night"])


NIGHTLY = {stage: do.override(task_id=stage) for stage in ("validate", "features", "score", "monitor")}


def build(model: DagFacts) -> None:
    """Declare `<model>.steer`."""
    source = Param(
        "", enum=["", *model.sources], title="Source", description="For accept: whose quarantined rows."
    )
    form = {
        "action": ACTION,
        "night": NIGHT,
        "reason": WHY,
        "source": source,
        "rows": ROWS,
        "stage": STAGE,
        "actor": ACTOR,
    }
    with model_dag(model, kind="steer", page=__doc__, form=form):
        word = previous = say(model.name)
        for stage, again in NIGHTLY.items():
            done = again(model.name, stage, word)
            previous >> done
            previous = done


each_model(build)
