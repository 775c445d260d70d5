"""Judging by hand: a run that names no version says so, and does not guess one."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.airflow_alerts.test_real_runs import environment
from tests.doubles.projects import MODEL, Project

from perennial.errors import NoVersionError
from perennial.workspace import Workspace

pytestmark = pytest.mark.airflow

NIGHT = "2024-02-20"
PROGRAM = f"""
import json
from airflow.utils.db import initdb
from tests.airflow_alerts.real_runs import run

initdb()
print("RESULT", json.dumps(run("evaluate", {{"night": "{NIGHT}"}})["tasks"]))
"""


def asked(**about: Any) -> tuple[str, str]:
    """Say which version and night a run with this form, or after this event, is about."""
    from perennial_airflow.nights import version_and_night

    events = [SimpleNamespace(extra=about.pop("told"))] if "told" in about else []
    context = {
        "dag_run": SimpleNamespace(partition_key=None, dag_id=f"{MODEL}.evaluate"),
        "params": {"version": None, "night": NIGHT, **about},
        "triggering_asset_events": {"candidate": events} if events else {},
    }
    return version_and_night(context, Workspace(Path("project"), Path("home")), MODEL)


def test_a_named_version_counts_before_the_one_that_was_told() -> None:
    """By hand as well as after a training."""
    assert asked(version="3") == ("3", NIGHT)
    assert asked(told={"version": "2", "night": "2024-01-01"}) == ("2", NIGHT)
    assert asked(version="3", told={"version": "2"}) == ("3", NIGHT)


@pytest.mark.parametrize("form", [{"version": None}, {"version": ""}, {"told": {}}])
def test_a_run_about_no_version_says_where_to_name_it(form: dict[str, Any]) -> None:
    """Left empty, or after an asset that a person materialised by hand."""
    with pytest.raises(
        NoVersionError, match=r"orders_model\.evaluate names no version.*fill in the field Version"
    ):
        asked(**form)


def test_an_empty_form_fails_the_run_and_nothing_is_judged(tmp_path: Path, registry_database: Path) -> None:
    """In a real run of the real DAG: the first task fails with the sentence, and no gate is asked."""
    workspace = Project(tmp_path / "project").declare().workspace(registry_database)
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
    tasks = json.loads(result.removeprefix("RESULT "))
    assert tasks.pop("measure/-1") == "failed"
    assert set(tasks.values()) == {"upstream_failed"}
    assert "names no version. Trigger it again and fill in the field Version" in done.stdout + done.stderr
    assert not workspace.ledger.entries(MODEL)
