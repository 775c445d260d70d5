"""Ask the gates whether a candidate may go further, on rows that neither it nor the champion has seen.

Starts by itself when `train` has registered a candidate. By hand: *Trigger* and fill in *Version*.

**Ends with** every gate's verdict under its own name, with its evidence, and one conclusion in the ledger.
If the candidate passed, `deploy` follows.

**If `conclude` is skipped**, the candidate was refused or there is too little evidence: its log says which gate
and why. The champion serves on; nothing is wrong.
"""

from __future__ import annotations

from airflow.sdk import Metadata, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.connections import open_workspace
from perennial_airflow.forms import NIGHT, VERSION
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, version_and_night
from perennial_airflow.notes import say

FORM = {"version": VERSION, "night": NIGHT}


@task
def measure(model: str) -> Report:
    """Measure candidate and champion on nights the candidate never saw."""
    from perennial.stages.evaluate import measure as measure_candidate

    workspace = open_workspace()
    version, night = version_and_night(get_current_context(), workspace, model)
    measure_candidate(workspace, model, version, night)
    return {"version": version, "night": night}


@task(map_index_template="{{ answer }}")
def gate(model: str, name: str, about: dict[str, str]) -> Report:
    """Ask one gate whether the candidate may go further."""
    from perennial.stages.evaluate import ask

    decision = ask(open_workspace(), model, about["version"], about["night"], name)
    get_current_context()["answer"] = f"{name}: {decision.verdict.value}"  # type: ignore[typeddict-unknown-key]
    return decision.as_json()


@task
def conclude(model: str, about: dict[str, str]):  # noqa: ANN201 - Airflow reads the asset's metadata from a generator
    """Let the candidate go further if every gate lets it pass."""
    from perennial.facts.decision import Verdict
    from perennial.stages.evaluate import conclude as conclude_evaluation

    decision = conclude_evaluation(open_workspace(), model, about["version"], about["night"])
    say(decision.reason)
    if decision.verdict is not Verdict.PASS:
        raise AirflowSkipException(decision.reason)
    yield Metadata(asset(model, "challenger"), about)


@task
def test_the_gates(model: str, about: dict[str, str]) -> str:
    """Break the candidate on purpose in many ways and see which of them the gates would promote, once for these gates."""
    from perennial.stages.selftest import test_gates_once

    found = test_gates_once(open_workspace(), model, about["version"])
    if found is None:
        reason = "These gates have been tested as they are."
        raise AirflowSkipException(reason)
    say(found.sentence())
    return found.sentence()


def build(model: DagFacts) -> None:
    """Declare `<model>.evaluate`."""
    with model_dag(
        model, kind="evaluate", page=__doc__, schedule=[asset(model.name, "candidate")], form=FORM
    ):
        about = measure(model.name)
        test_the_gates(model.name, about)
        asked = gate.partial(model=model.name, about=about).expand(name=list(model.gates))
        asked >> conclude.override(outlets=[asset(model.name, "challenger")])(model.name, about)


each_model(build)
