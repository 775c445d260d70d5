"""What the DAG tests ask for: this project's DAGs as Airflow reads them, for a project of the test's choice."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Described = dict[str, Any]


@pytest.fixture(scope="session")
def describe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Described]:
    """Read the DAG files for a project's models, in a fresh Airflow home, and say what came of it."""
    airflow = tmp_path_factory.mktemp("airflow")

    def described(project: Path) -> Described:
        report = airflow / "report.json"
        settings = {
            "AIRFLOW_HOME": str(airflow),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(ROOT / "include"),
            "PERENNIAL_PROJECT": str(project),
            "PERENNIAL_HOME": str(airflow / "home"),
        }
        script = ROOT / "tests" / "dags" / "describing.py"
        done = subprocess.run(
            [sys.executable, str(script), str(report)],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: Described = json.loads(report.read_text())
        return found

    return described


@pytest.fixture(scope="session")
def shipped(describe: Callable[[Path], Described]) -> Described:
    """Describe the DAGs of the models that ship; read twice, since the first reading compiles them."""
    describe(ROOT)
    return describe(ROOT)
