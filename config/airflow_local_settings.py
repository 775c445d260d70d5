"""Load the heavy packages once, in the scheduler, before it forks the processes that run tasks.

Every task is a fresh fork: without this each one pays seconds for pandas, scikit-learn, MLflow and
Great Expectations again. Airflow imports this module at start in all its processes; the others return.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from contextlib import suppress

HEAVY = (
    "pandas",
    "pyarrow.parquet",
    "duckdb",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.compose",
    "scipy.stats",
    "skops.io",
    "optuna",
    "great_expectations",
    "mlflow.sklearn",
)


def preload() -> list[str]:
    """Import what tasks will need; a package that is not installed is left to the task that misses it."""
    wanted = [*HEAVY, *_stages()]
    for name in wanted:
        with suppress(ImportError):
            importlib.import_module(name)
    return [name for name in wanted if name in sys.modules]


def _stages() -> list[str]:
    """Name the modules that our own tasks begin in."""
    found = importlib.util.find_spec("perennial.stages") if importlib.util.find_spec("perennial") else None
    folders = (found.submodule_search_locations if found else None) or []
    return ["perennial.workspace", *(f"perennial.stages.{one.name}" for one in pkgutil.iter_modules(folders))]


if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    preload()
