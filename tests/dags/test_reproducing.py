"""In Airflow: the weekly check trains a new champion again once, and a version that was named whenever asked."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.airflow_alerts.test_real_runs import environment
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import born as born  # noqa: PLC0414  a fixture is found by its name

pytestmark = pytest.mark.airflow

NAMED = {"model": MODEL, "version": "1"}
PROGRAM = f"""
import json
from airflow.utils.db import initdb
from tests.airflow_alerts.real_runs import run

initdb()
print("RESULT", json.dumps([run("reproduce", conf, "perennial")["tasks"] for conf in ({{}}, {{}}, {NAMED!r})]))
"""


def runs(tmp_path: Path, workspace) -> list[dict[str, str]]:
    """Let the check run twice by itself and once by hand, and say how each task ended."""
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
    return json.loads(result.removeprefix("RESULT "))


def test_real_runs_make_a_new_champion_again_once(
    born: Project, tmp_path: Path, registry_database: Path
) -> None:
    """The second run has nothing to do; by hand the same is done again, and the ledger has one line."""
    workspace = born.copied_to(tmp_path / "project").workspace(registry_database)
    first, second, named = runs(tmp_path, workspace)
    assert first == {"due/-1": "success", "reproduce/0": "success"}
    assert second == {"due/-1": "success", "reproduce/-1": "skipped"}
    assert named == first
    (line,) = workspace.ledger.entries(MODEL, {"reproduced"})
    assert line.evidence["outcome"] == "same"


def test_a_champion_whose_data_are_gone_is_skipped_with_the_reason(
    born: Project, tmp_path: Path, registry_database: Path
) -> None:
    """It is no failure that what may be deleted was deleted; the ledger says so once."""
    workspace = born.copied_to(tmp_path / "project").workspace(registry_database)
    shutil.rmtree(workspace.home / "store" / MODEL / "training")
    first, second, _ = runs(tmp_path, workspace)
    assert first == {"due/-1": "success", "reproduce/0": "skipped"}
    assert second["reproduce/-1"] == "skipped"
    (line,) = workspace.ledger.entries(MODEL, {"reproduced"})
    assert line.evidence["outcome"] == "data gone"
