"""MLflow's database is created once, alone and whole, however many ask for it at once."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from perennial_airflow.launch.mlflow_boot import create_database, server_command

INCLUDE = Path(__file__).parents[2] / "include"
CREATE = """
import sys
from pathlib import Path
from perennial_airflow.launch.mlflow_boot import create_database
print(create_database(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_exactly_one_of_three_creators_creates(tmp_path: Path) -> None:
    """Three at once: one creates, two find it made, and nothing temporary stays beside it."""
    path = tmp_path / "mlflow" / "mlflow.db"
    command = [sys.executable, "-c", CREATE, str(path), str(tmp_path / "artifacts")]
    environment = {**os.environ, "PYTHONPATH": str(INCLUDE)}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    said = sorted(one.communicate(timeout=120)[0].decode().strip() for one in started)
    assert said == ["False", "False", "True"]
    assert sorted(one.name for one in path.parent.iterdir()) == [".creating.lock", "mlflow.db"]
    with sqlite3.connect(path) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        experiments = database.execute("select artifact_location from experiments").fetchall()
    database.close()
    assert {"runs", "registered_models", "alembic_version"} <= tables
    assert not {name for name in tables if name.startswith("_alembic_tmp")}
    assert experiments == [(f"{(tmp_path / 'artifacts').as_uri()}/0",)]


def test_a_database_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Creating is for the first time only; migrations of a used database are another matter."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"used")
    assert not create_database(path, tmp_path / "artifacts")
    assert path.read_bytes() == b"used"


def test_the_server_listens_on_this_machine_only() -> None:
    """MLflow has no login here, so nobody else may reach it."""
    words = server_command(
        {
            "PERENNIAL_MLFLOW_URL": "http://127.0.0.1:15000",
            "MLFLOW_TRACKING_URI": "sqlite:////somewhere/mlflow.db",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "file:///somewhere/artifacts",
        }
    )
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options["--host"] == "127.0.0.1"
    assert options["--port"] == "15000"
    assert options["--workers"] == "1"
