"""Load once what every fork needs: in the scheduler the heavy packages, in the dag-processor what DAG files import.

Every task and every reading of a DAG file is a fresh fork: without this each task pays seconds for pandas,
scikit-learn, MLflow and Great Expectations again. Airflow imports this module at start in all its processes; the
others return. No model's code is imported here.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
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
APART = (
    "perennial.cli",
    "perennial.scaffold",
    "perennial.pages",
    "perennial.serving",
    "perennial_airflow.launch",
)
"""Parts in which no task begins."""


def preload(words: Sequence[str]) -> list[str]:
    """Import what the forks of this Airflow command will need, and say what; nothing for other commands."""
    if words[:1] == ["scheduler"] or words[:2] == ["celery", "worker"]:
        return _import((*HEAVY, *modules("perennial"), *modules("perennial_airflow")))
    return _import(modules("perennial_airflow")) if words[:1] == ["dag-processor"] else []


def _import(wanted: Iterable[str]) -> list[str]:
    """Import, once; a package that is not installed is left to the task that misses it."""
    names = list(wanted)
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork would otherwise copy every page it looks at
    return [name for name in names if name in sys.modules]


def modules(package: str) -> Iterator[str]:
    """Name a package's modules, without importing any."""
    found = importlib.util.find_spec(package)
    yield from _below(package, list((found.submodule_search_locations if found else None) or []))


def _below(package: str, folders: list[str]) -> Iterator[str]:
    for module in pkgutil.iter_modules(folders, f"{package}."):
        if module.name.startswith(APART):
            continue
        yield module.name
        if module.ispkg:
            yield from _below(
                module.name, [f"{folder}/{module.name.rpartition('.')[2]}" for folder in folders]
            )


preload(sys.argv[1:])
