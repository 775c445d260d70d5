"""Load the heavy packages once, in the scheduler, before it forks the processes that run tasks.

Every task is a fresh fork: without this each one pays seconds for pandas, scikit-learn, MLflow and
Great Expectations again. Airflow imports this module at start in all its processes; the others return.
No model's code is imported here.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import suppress

HEAVY = (
    "pandas",
    "pandas.core.arrays.arrow",
    "pyarrow.parquet",
    "pyarrow.acero",
    "pyarrow.compute",
    "duckdb",
    "sqlglot",
    "ibis",
    "ibis.backends.duckdb",
    "holidays.countries.united_states",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.compose",
    "scipy.stats",
    "skops.io",
    "optuna",
    "great_expectations",
    "mlflow.sklearn",
)
APART = ("perennial.cli", "perennial.scaffold", "perennial.pages", "perennial.serving")
"""Parts of the library in which no task begins."""


def preload() -> list[str]:
    """Import what tasks will need; a package that is not installed is left to the task that misses it."""
    wanted = [*HEAVY, *_library()]
    for name in wanted:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork would otherwise copy every page it looks at
    return [name for name in wanted if name in sys.modules]


def _library() -> Iterator[str]:
    """Name the library's modules, without importing any."""
    found = importlib.util.find_spec("perennial")
    yield from _below("perennial", list((found.submodule_search_locations if found else None) or []))


def _below(package: str, folders: list[str]) -> Iterator[str]:
    for module in pkgutil.iter_modules(folders, f"{package}."):
        if module.name.startswith(APART):
            continue
        yield module.name
        if module.ispkg:
            yield from _below(
                module.name, [f"{folder}/{module.name.rpartition('.')[2]}" for folder in folders]
            )


if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    preload()
