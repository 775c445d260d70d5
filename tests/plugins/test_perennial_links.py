"""The plugin loads in any Airflow that has our folders, and every process can afford to load it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "numpy", "sklearn", "mlflow", "duckdb", "great_expectations", "pydantic_settings")
LOAD = f"""
import json, sys
from airflow import plugins_manager
before = set(sys.modules)
links = plugins_manager.get_global_operator_extra_links()
print(json.dumps({{
    "links": sorted(link.name for link in links),
    "errors": {{name: str(why) for name, why in plugins_manager.get_import_errors().items()}},
    "heavy": [name for name in {HEAVY!r} if name in set(sys.modules) - before],
}}))
"""


def test_it_loads_alone_and_light(tmp_path: Path) -> None:
    """No import path is set, no error is swallowed, and neither MLflow nor pandas comes with it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PERENNIAL", "PYTHONPATH"))}
    settings = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    ran = subprocess.run(
        [sys.executable, "-c", LOAD],
        env=kept | settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found == {
        "links": ["MLflow run", "Run of deploy", "Run of evaluate", "Run of monitor", "Run of train"],
        "errors": {},
        "heavy": [],
    }
