"""The command of MLflow's server.

Its database is the registry's, which makes it once and whole before any task or server can open it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping


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
