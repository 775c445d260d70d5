"""In Airflow: one run looks at all models and undoes a change by hand, and a form freezes a model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.airflow_alerts.test_real_runs import environment
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH
from tests.stages.conftest import born as born  # noqa: PLC0414  a fixture is found by its name

from perennial.clock import after
from perennial.stages.freezing import freeze_of

pytestmark = pytest.mark.airflow

UNTIL = after(BIRTH, 9)
FORM = {"action": "freeze", "night": UNTIL, "reason": "No changes over the holidays.", "actor": "ann"}
PROGRAM = f"""
import json
from airflow.utils.db import initdb
from tests.airflow_alerts.real_runs import run

initdb()
looked = run("reconcile", {{}}, "perennial")
frozen = run("steer", {FORM!r})
print("RESULT", json.dumps([looked["tasks"], looked["state"], frozen["tasks"]]))
"""


def test_real_runs_put_the_alias_back_and_freeze(
    born: Project, tmp_path: Path, registry_database: Path
) -> None:
    """The alias and the tag that somebody changed are as they were, one line each; no stage follows from a freeze."""
    workspace = born.copied_to(tmp_path / "project").workspace(registry_database)
    workspace.registry._client.delete_registered_model_alias(MODEL, "champion")
    workspace.registry._client.set_model_version_tag(MODEL, "1", "perennial.behaviour", "mine")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(tmp_path, workspace),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (result,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    looked, state, frozen = json.loads(result.removeprefix("RESULT "))
    assert (looked, state) == ({"reconcile/-1": "success"}, "success")
    assert {name: state for name, state in frozen.items() if state != "skipped"} == {"say/-1": "success"}
    said = workspace.ledger.entries(MODEL, {"reconciled"})
    assert [entry.evidence["what"] for entry in said] == ["tags", "alias"]
    assert freeze_of(workspace, MODEL, BIRTH).evidence["until"] == UNTIL
