"""Take a candidate that passed its gates to production: testing, staging, production.

Starts by itself when `evaluate` has let a candidate pass. What ships is the very artefact that was evaluated,
checked by its hash in every step.

**Ends with** the switch in the ledger, mirrored in MLflow's alias `champion`. A model of high risk stops after
staging: it needs approval.

**If `production` is skipped**, the model's risk is high and a person has to approve; its sentence says so.
**If it fails**, the champion serves on. The log says which step objects and why.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial.spec.compiled import DagFacts
from perennial_airflow.forms import NIGHT, VERSION
from perennial_airflow.model_dag import Report, model_dag
from perennial_airflow.models import each_model
from perennial_airflow.nights import asset, version_and_night


def build(model: DagFacts) -> None:
    """Declare `<model>.deploy`."""

    @model_dag(
        model,
        kind="deploy",
        page=__doc__,
        schedule=[asset(model, "challenger")],
        params={"version": VERSION, "night": NIGHT},
    )
    def deploy() -> None:
        @task
        def testing() -> Report:
            from perennial.stages.deploy import test
            from perennial.workspace import Workspace

            workspace = Workspace.open()
            version, night = version_and_night(get_current_context(), workspace, model.name)
            test(workspace, model.name, version, night)
            return {"version": version, "night": night}

        @task
        def staging(about: dict[str, str]) -> Report:
            from perennial.stages.deploy import stage
            from perennial.workspace import Workspace

            return stage(Workspace.open(), model.name, about["version"], about["night"]).as_json()

        @task(outlets=[asset(model, "champion")])
        def production(about: dict[str, str]) -> Report:
            from perennial.stages.deploy import promote
            from perennial.workspace import Workspace

            entry = promote(Workspace.open(), model.name, about["version"], about["night"])
            if entry.kind != "promoted":
                raise AirflowSkipException(entry.reason)
            return {"kind": entry.kind, "reason": entry.reason, "ledger": entry.id}

        about = testing()
        staging(about) >> production(about)

    deploy()


each_model(build)
