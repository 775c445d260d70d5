"""Where one launched Airflow lives and how it is configured: everything under one home, nothing shared.

The command line prepares a launch, the keeper starts processes in its environment. An Airflow that is
already on the machine stays untouched: own home, own ports, none of the caller's ``AIRFLOW__`` settings.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USER = "admin"
FIRST_AIRFLOW_PORT, FIRST_MLFLOW_PORT = 18080, 15000
_TRIED_PORTS = 200
_reserved: dict[int, socket.socket] = {}
"""Ports that this process has chosen, each with the name that holds it."""
_USERS_OWN = ("AIRFLOW_CONN_", "AIRFLOW_VAR_")


@dataclass(frozen=True)
class Launch:
    """One Airflow and MLflow: the code they run, the project whose models they run, their state, their ports."""

    checkout: Path
    project: Path
    home: Path
    dags: Path
    plugins: Path
    airflow_port: int
    mlflow_port: int

    @property
    def airflow_home(self) -> Path:
        """Return Airflow's own home: its database, logs and password."""
        return self.home / "airflow"

    @property
    def logs(self) -> Path:
        """Return the folder with one log file for each process."""
        return self.home / "logs"

    @property
    def airflow_url(self) -> str:
        """Return the address of Airflow's pages and REST API."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def mlflow_url(self) -> str:
        """Return the address of MLflow's pages."""
        return f"http://127.0.0.1:{self.mlflow_port}"

    @property
    def mlflow_database(self) -> Path:
        """Return the file of MLflow's runs and versions."""
        return self.home / "mlflow" / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """Return the folder of MLflow's artefacts."""
        return self.home / "mlflow" / "artifacts"

    @property
    def password(self) -> str:
        """Return the generated password of the only user, ``admin``."""
        passwords: dict[str, str] = json.loads(_passwords(self.home).read_text())
        return passwords[USER]


def prepare(
    checkout: Path,
    home: Path,
    *,
    dags: Path | None = None,
    plugins: Path | None = None,
    project: Path | None = None,
) -> Launch:
    """Make the folders, the password and the signing secret, and choose ports that are free now.

    The ports of the last launch are taken again when they are free, so that bookmarks keep working.
    """
    for folder in ("airflow", "logs", "mlflow/artifacts", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    _keep_secret(_passwords(home), json.dumps({USER: secrets.token_urlsafe(12)}))
    _keep_secret(_signing_key(home), secrets.token_hex(48))
    airflow_port = free_port(_remembered(home, "airflow_port", FIRST_AIRFLOW_PORT))
    mlflow_port = free_port(_remembered(home, "mlflow_port", FIRST_MLFLOW_PORT), taken=airflow_port)
    (home / "ports.json").write_text(json.dumps({"airflow_port": airflow_port, "mlflow_port": mlflow_port}))
    return recall(checkout, home, dags=dags, plugins=plugins, project=project)


def recall(
    checkout: Path,
    home: Path,
    *,
    dags: Path | None = None,
    plugins: Path | None = None,
    project: Path | None = None,
) -> Launch:
    """Return the launch that was prepared in this home before."""
    ports = json.loads((home / "ports.json").read_text())
    return Launch(
        checkout=checkout,
        project=project or checkout,
        home=home,
        dags=dags or checkout / "dags",
        plugins=plugins or checkout / "plugins",
        airflow_port=ports["airflow_port"],
        mlflow_port=ports["mlflow_port"],
    )


def free_port(first: int, *, taken: int | None = None) -> int:
    """Return the first port from ``first`` on that nobody listens on or is about to, and keep it for this process."""
    for port in range(first, first + _TRIED_PORTS):
        if port != taken and _can_bind(port) and _reserve(port):
            return port
    msg = f"No free port between {first} and {first + _TRIED_PORTS}."
    raise OSError(msg)


def variables(launch: Launch, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the complete environment of every launched process.

    What the caller's environment says about another Airflow or MLflow is dropped, and so is the
    setting that keeps Python from writing bytecode, which doubles the time of every import. The user's
    connections and variables are let through: models name them.
    """
    outside = os.environ if inherited is None else inherited
    foreign = ("AIRFLOW", "_AIRFLOW", "MLFLOW_", "_MLFLOW", "PERENNIAL_", "PYTHONDONTWRITEBYTECODE")
    kept = {
        name: value
        for name, value in outside.items()
        if name.startswith(_USERS_OWN) or not name.startswith(foreign)
    }
    ours = {**_python(launch), **_airflow(launch), **_scheduling(), **_tracking(launch)}
    return {**kept, **ours}


def _python(launch: Launch) -> dict[str, str]:
    path = [str(launch.checkout / "include"), str(launch.checkout / "config")]
    return {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        # Forked tasks end without tidying up: what they leave lies here, and goes with the next start.
        "TMPDIR": str(launch.home / "tmp"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",  # parallel by tasks: four fits at once took ten times longer with threads
        "OPENBLAS_NUM_THREADS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PERENNIAL_HOME": str(launch.home),
        "PERENNIAL_PROJECT": str(launch.project),
        "PERENNIAL_AIRFLOW_URL": launch.airflow_url,
        "PERENNIAL_MLFLOW_URL": launch.mlflow_url,
    }


def _airflow(launch: Launch) -> dict[str, str]:
    home = launch.airflow_home
    settings = {
        "CORE__DAGS_FOLDER": str(launch.dags),
        "CORE__PLUGINS_FOLDER": str(launch.plugins),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords(launch.home)),
        "CORE__EXECUTION_API_SERVER_URL": f"{launch.airflow_url}/execution/",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(launch.airflow_port),
        "API__BASE_URL": launch.airflow_url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": _signing_key(launch.home).read_text(),
        "API_AUTH__JWT_SECRET": _signing_key(launch.home).read_text(),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "120",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    named = {f"AIRFLOW__{key}": value for key, value in settings.items()}
    return {"AIRFLOW_HOME": str(home), "SCARF_ANALYTICS": "false", "DO_NOT_TRACK": "1", **named}


def _scheduling() -> dict[str, str]:
    """Look often: a night is a dozen short tasks one after another."""
    settings = {
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # A task's supervisor that misses the very end of its process sleeps this long before it looks again;
        # with the default of 5 s every third task of a night was held up by that.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }
    return {f"AIRFLOW__{key}": value for key, value in settings.items()}


def _tracking(launch: Launch) -> dict[str, str]:
    return {
        "MLFLOW_TRACKING_URI": f"sqlite:///{launch.mlflow_database}",
        "MLFLOW_REGISTRY_URI": f"sqlite:///{launch.mlflow_database}",
        # A client that opens the database itself would otherwise put artefacts into ./mlruns.
        "_MLFLOW_SERVER_ARTIFACT_ROOT": launch.artifacts.as_uri(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # saves nine processes and 1.8 GB
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }


def _passwords(home: Path) -> Path:
    return home / "airflow" / "passwords.json"


def _signing_key(home: Path) -> Path:
    return home / "airflow" / "signing.key"


def _keep_secret(path: Path, text: str) -> None:
    """Write a secret once, readable by its owner only, whole or not at all."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def _remembered(home: Path, name: str, otherwise: int) -> int:
    try:
        return int(json.loads((home / "ports.json").read_text())[name])
    except (OSError, ValueError, KeyError):
        return otherwise


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _reserve(port: int) -> bool:
    """Hold a port against other launches until this process ends: Airflow opens it only many seconds from now.

    By a name that Linux keeps for as long as its owner lives, and that lies in no folder.
    """
    if port in _reserved:
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0perennial-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved[port] = name
    return True
