"""docker-compose.yaml as a whole: it refuses to start without secrets, opens nothing, and heals itself."""

import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yaml"
SETTING = re.compile(r"^([A-Z_]+)=$", re.MULTILINE)
ASKED = re.compile(r"\$\{([A-Z_]+):\?([^}]+)\}")
PUBLISHED = {"api-server", "mlflow"}
AIRFLOW = {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
ONCE = {"init"}
"""Ends when its work is done: it has nobody to answer, and starts again only when it failed."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Read the services as they are written."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE.read_text())["services"]
    return found


def config(settings: Path) -> subprocess.CompletedProcess[str]:
    """Ask docker-compose what it would start; no engine is needed, and no setting of this machine counts."""
    command = ["docker-compose", "--file", str(FILE), "--env-file", str(settings), "config"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})


def filled(without: str = "") -> str:
    """Fill in .env.example as a person would, leaving one secret out."""
    text = (ROOT / ".env.example").read_text()
    return SETTING.sub(
        lambda found: f"{found[1]}={'' if found[1] == without else secrets.token_hex(24)}", text
    )


def test_a_filled_env_is_all_it_takes(tmp_path: Path) -> None:
    """Copy .env.example, fill in what is empty, and docker-compose accepts the file."""
    (tmp_path / ".env").write_text(filled())
    answer = config(tmp_path / ".env")
    assert answer.returncode == 0, answer.stderr
    assert "api-server" in answer.stdout


@pytest.mark.parametrize("secret", SETTING.findall((ROOT / ".env.example").read_text()))
def test_it_does_not_start_without_a_secret(tmp_path: Path, secret: str) -> None:
    """Each empty secret stops everything, and the last sentence says which one and what it is for."""
    (tmp_path / ".env").write_text(filled(without=secret))
    answer = config(tmp_path / ".env")
    assert answer.returncode != 0
    last = answer.stderr.strip().rpartition(": ")[2]
    assert last.startswith(f"Set {secret} in .env (see .env.example). ")
    assert last.endswith(".")


def test_every_secret_that_is_asked_for_stands_in_the_example() -> None:
    """The example and the file name the same secrets, each with one sentence."""
    asked = ASKED.findall(FILE.read_text())
    assert {name for name, _ in asked} == set(SETTING.findall((ROOT / ".env.example").read_text()))
    assert len({name for name, _ in asked}) == len(set(asked))


def test_no_secret_has_a_default() -> None:
    """What guards something comes from .env alone: no default, and no password written out."""
    text = FILE.read_text()
    assert not re.findall(r"\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY)[A-Z_]*:?-", text)
    assert not re.findall(r"://[^/\s$]*:[^@\s$]+@", text)
    written = re.findall(r"^\s+\w*(?:PASSWORD|SECRET|FERNET_KEY)\w*: (.+)$", text, re.MULTILINE)
    assert written
    assert all(value.startswith("${") for value in written)


def test_only_this_host_is_answered(services: dict[str, Any]) -> None:
    """Airflow and MLflow publish one port each, on 127.0.0.1; databases and queues publish none."""
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(ports) == PUBLISHED
    assert all(len(each) == 1 and each[0].startswith("127.0.0.1:") for each in ports.values())
    assert not any(service.get("network_mode") or service.get("privileged") for service in services.values())


def test_every_service_says_how_it_is_and_starts_again(services: dict[str, Any]) -> None:
    """A service that hangs is seen, one that ends comes back."""
    for name, service in services.items():
        if name in ONCE:
            assert service["restart"] == "on-failure"
            continue
        assert service["restart"] == "unless-stopped", name
        assert {"test", "interval", "timeout", "retries"} <= set(service["healthcheck"]), name


def test_databases_are_migrated_once_before_anybody_opens_them(services: dict[str, Any]) -> None:
    """Everything that opens a database waits until the one service that migrates them has succeeded."""
    migrating = {name for name, service in services.items() if "init.sh" in str(service.get("command"))}
    assert migrating == ONCE
    waiting = {
        name
        for name, service in services.items()
        if service.get("depends_on", {}).get("init") == {"condition": "service_completed_successfully"}
    }
    assert waiting == AIRFLOW | {"mlflow"}


def test_airflow_is_one_image_and_one_configuration(services: dict[str, Any]) -> None:
    """Scheduler and worker parse the same DAGs with the same packages and settings."""
    assert len({services[name]["image"] for name in AIRFLOW | ONCE | {"mlflow"}}) == 1
    environments = [services[name]["environment"] for name in AIRFLOW]
    assert all(each == environments[0] for each in environments)
    assert environments[0]["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"


def test_nobody_is_root_and_nothing_can_be_changed(services: dict[str, Any]) -> None:
    """Each container runs as its own user, without capabilities, on a root it cannot write to."""
    for name, service in services.items():
        assert service["user"] not in {"root", "0", "0:0"}, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_images_are_pinned() -> None:
    """An image names its version, never `latest`; ours is made of the hashed lock."""
    images = [
        *re.findall(r"^\s+image: (\w+:\S+)$", FILE.read_text(), re.MULTILINE),
        *re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE),
    ]
    assert len(images) == 4
    assert all(re.search(r":\d+\.\d+(\.\d+)?-", image) for image in images)
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text()


def test_a_name_of_the_host_is_needed_to_reach_mlflow(services: dict[str, Any]) -> None:
    """MLflow asks who is there, and answers to the names it was told only."""
    command = services["mlflow"]["command"]
    assert "--app-name=basic-auth" in command
    (hosts,) = [word for word in command if word.startswith("--allowed-hosts=")]
    assert "mlflow:5000" in hosts
    assert "*" not in hosts


def test_what_the_image_takes_with_it_exists() -> None:
    """Every path that the Dockerfile copies is there, and .dockerignore lets nothing else in."""
    copied = re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / path).exists() for path in copied)
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied)
