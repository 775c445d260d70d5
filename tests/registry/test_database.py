"""The registry's database is made once and whole, whoever asks, and a broken one is not touched."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from perennial.errors import RegistryDatabaseError
from perennial.registry.database import check_database, create_database

MAKE = "import sys, pathlib; from perennial.registry.database import create_database as c; c(pathlib.Path(sys.argv[1]))"


def test_processes_that_start_together_make_one_whole_database(tmp_path) -> None:
    """A cold start of several tasks would break MLflow's own way for ever."""
    path = tmp_path / "mlflow.db"
    started = [
        subprocess.Popen([sys.executable, "-c", MAKE, str(path)], stderr=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    check_database(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_a_maker_that_is_killed_leaves_nothing_in_the_way(tmp_path) -> None:
    """The file takes its name only when it is finished."""
    path = tmp_path / "mlflow.db"
    maker = subprocess.Popen([sys.executable, "-c", MAKE, str(path)], stderr=subprocess.DEVNULL)
    for _ in range(600):
        if list(tmp_path.glob(".mlflow.db-*/new.db")):
            break
        time.sleep(0.05)
    os.kill(maker.pid, signal.SIGKILL)
    maker.wait(timeout=60)
    check_database(create_database(path))


def test_making_again_changes_nothing(whole_database) -> None:
    """Every start may ask."""
    before = whole_database.read_bytes()
    create_database(whole_database)
    assert whole_database.read_bytes() == before


def test_a_half_made_database_is_named_and_left(tmp_path, whole_database) -> None:
    """What an interrupted migration leaves behind is recognised by its temporary tables."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(whole_database.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE _alembic_tmp_params (key TEXT)")
    with pytest.raises(RegistryDatabaseError, match="_alembic_tmp_params"):
        create_database(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE model_versions", "model_versions"),
        ("DELETE FROM alembic_version", "never finished"),
        ("UPDATE alembic_version SET version_num = '7f2a7d5fae7d'", "its schema is 7f2a7d5fae7d"),
    ],
)
def test_a_database_of_another_shape_is_refused(tmp_path, whole_database, change, said) -> None:
    """A task asks before MLflow sees the file, which would migrate it at once."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(whole_database.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(RegistryDatabaseError, match=said):
        check_database(path)


@pytest.mark.parametrize("content", [b"", b"no database at all, only text that is long enough" * 10])
def test_a_file_that_is_no_database_is_refused(tmp_path, content) -> None:
    """An empty file is what a crash or a full disk leaves."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(RegistryDatabaseError):
        check_database(path)
