"""MLflow's database, created once and alone, and the command of its server.

Six first connections at once brick a new SQLite database of MLflow for ever, so it is migrated in a
temporary file under a lock and linked into place whole, before any task or server can open it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path


def create_database(path: Path, artifacts: Path) -> bool:
    """Create MLflow's database at ``path`` unless it is there; return whether this call created it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".creating.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return False
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".creating-") as folder:
            draft = Path(folder) / path.name
            _migrate(draft, artifacts)
            os.link(draft, path)
        return True


def server_command(environment: Mapping[str, str]) -> list[str]:
    """Return the words that start MLflow's server on this machine only, with one worker."""
    port = environment["PERENNIAL_MLFLOW_URL"].rpartition(":")[2]
    options = {
        "--backend-store-uri": environment["MLFLOW_TRACKING_URI"],
        "--default-artifact-root": environment["_MLFLOW_SERVER_ARTIFACT_ROOT"],
        "--host": "127.0.0.1",
        "--port": port,
        "--workers": "1",
    }
    words = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "mlflow", "server", *words]


def _migrate(draft: Path, artifacts: Path) -> None:
    """Bring an empty file to MLflow's newest schema and leave no journal beside it."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{draft}", artifacts.as_uri())
    store.engine.dispose()
    with sqlite3.connect(draft) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
