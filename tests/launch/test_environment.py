"""A launched Airflow shares nothing with another one on the same machine."""

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from perennial_airflow.launch import environment
from perennial_airflow.launch.environment import Launch, prepare, variables

ROOT = Path(__file__).parents[2]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """Prepare a launch in an empty home."""
    return prepare(ROOT, tmp_path)


def test_settings_of_another_airflow_are_dropped(launch: Launch) -> None:
    """What the caller's shell says about its own Airflow and MLflow never reaches ours."""
    shell = {
        "AIRFLOW_HOME": "/opt/airflow",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://production",
        "MLFLOW_TRACKING_URI": "https://mlflow.example.com",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    ours = variables(launch, shell)
    assert "production" not in json.dumps(ours)
    assert "PYTHONDONTWRITEBYTECODE" not in ours
    assert ours["AIRFLOW_HOME"] == str(launch.home / "airflow")
    assert ours["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert ours["MLFLOW_TRACKING_URI"].startswith(f"sqlite:///{launch.home}")
    assert ours["LANG"] == "C.UTF-8"


def test_the_users_connections_and_variables_are_let_through(launch: Launch) -> None:
    """A channel or a sink is named in model.yaml and its address given in the shell, as Airflow itself reads it."""
    theirs = {"AIRFLOW_CONN_CHAT": "slack://token", "AIRFLOW_VAR_REGION": "north"}
    ours = variables(launch, {**theirs, "AIRFLOW__SECRETS__BACKEND": "elsewhere"})
    assert ours.items() >= theirs.items()
    assert "AIRFLOW__SECRETS__BACKEND" not in ours


def test_a_port_in_use_is_left_to_its_owner(tmp_path: Path) -> None:
    """The next free port is taken when somebody listens on the usual one."""
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        busy = owner.getsockname()[1]
        assert environment.free_port(busy) > busy
        (tmp_path / "ports.json").write_text(json.dumps({"airflow_port": busy, "mlflow_port": busy}))
        launch = prepare(ROOT, tmp_path)
    assert busy not in {launch.airflow_port, launch.mlflow_port}
    assert launch.airflow_port != launch.mlflow_port


HOLD = "from perennial_airflow.launch.environment import free_port; print(free_port({}), flush=True); input()"


def test_a_port_that_another_launch_is_about_to_open_is_left_to_it() -> None:
    """An Airflow opens its port many seconds after it was chosen; a second launch beside it takes the next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        first = probe.getsockname()[1]
    asked = [sys.executable, "-c", HOLD.format(first)]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        chosen = int(other.stdout.readline())
        assert environment.free_port(chosen) > chosen
        other.communicate("done\n")
    assert [environment.free_port(chosen) for _ in range(2)] == [chosen] * 2


def test_a_second_launch_keeps_address_password_and_secret(launch: Launch) -> None:
    """Bookmarks and logins of the last time still work."""
    again = prepare(ROOT, launch.home)
    assert again == launch
    assert again.password == launch.password
    assert variables(again, {}) == variables(launch, {})


def test_secrets_are_readable_by_their_owner_only(launch: Launch) -> None:
    """The password and the signing key have mode 0600 and are long enough to sign with."""
    for name in ("passwords.json", "signing.key"):
        path = launch.airflow_home / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(variables(launch, {})["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64


def test_two_homes_have_different_passwords(tmp_path: Path) -> None:
    """Nothing is a default that an attacker could know."""
    first, second = prepare(ROOT, tmp_path / "a"), prepare(ROOT, tmp_path / "b")
    assert first.password != second.password
