"""Load the heavy packages once, in the scheduler, before it forks the processes that run tasks.

Every task is a fresh fork: without this each one pays seconds for pandas, scikit-learn, MLflow and
Great Expectations again. Airflow imports this module at start in all its processes; the others return.
"""

from __future__ import annotations

import importlib
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
    "perennial.stages",
)


def preload() -> list[str]:
    """Import what tasks will need; a package that is not installed is left to the task that misses it."""
    for name in HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    return [name for name in HEAVY if name in sys.modules]


if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    preload()
