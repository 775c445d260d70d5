"""A folder that cannot be read is red and alone: each kind of mistake beside healthy models."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.projects import Project
from tests.test_corpus_config import CASES, expected, laid_out

pytestmark = pytest.mark.airflow
KINDS = {"validate", "features", "score", "monitor", "retrain", "train", "evaluate", "deploy", "rollback"}


def test_each_kind_of_mistake_is_isolated(
    tmp_path: Path, describe: Callable[[Path], dict[str, Any]], project: Project
) -> None:
    """A hundred broken folders, one healthy model: the healthy one has all its DAGs, each other one a red DAG.

    Its page lists the error line by line; Airflow would run the lines of a fenced block together.
    """
    project.declare()
    models = project.root / "include" / "models"
    broken = {case.name.replace("-", "_") for case in CASES if _put(case, tmp_path / case.name, models)}
    found = describe(project.root)
    assert found["import_errors"] == {}
    assert len(broken) > 60
    ids = set(found["dags"])
    assert {dag_id.partition(".")[2] for dag_id in ids if dag_id.startswith(f"{project.name}.")} >= KINDS
    assert {f"m_{name}.broken" for name in broken} <= ids
    for dag_id in ids:
        if dag_id.endswith(".broken"):
            dag = found["dags"][dag_id]
            assert dag["timetable"] == "EventsTimetable", dag_id
            assert "broken" in dag["tags"], dag_id
            assert re.search(r"^- .*PER-", dag["doc"], re.MULTILINE), dag_id


def _put(case: Path, alone: Path, models: Path) -> bool:
    """Put a case beside the others as a model of its own; tell whether it is a mistake of its folder only."""
    expect = expected(case)
    if not expect.get("problems") or expect.get("data_roots") or expect.get("folder"):
        return False
    laid_out(case, expect, alone).rename(models / f"m_{case.name.replace('-', '_')}")
    return True
