"""Which models a DAG file is for: all of them when DAGs are parsed, one when a task runs.

Reads compiled declarations only; no model's code and nothing heavy runs in the scheduler.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

from perennial.spec.compiled import BrokenFacts, DagFacts, compiled, one
from perennial.workspace import Workspace
from perennial_airflow.breakages import known, mended


def each_model(build: FunctionType) -> None:
    """Call ``build`` for every healthy model that this parse is about.

    A folder that cannot be read shows as ``<model>.broken``. A DAG that cannot be built although the folder
    can be read takes no other with it: in its place stands a red one that shows the stack trace.
    """
    kind, broken = Path(build.__code__.co_filename).stem, known()
    there = list(_wanted())
    _forget_what_is_gone(broken, there, kind)
    for facts in there:
        if isinstance(facts, DagFacts):
            try:
                build(facts)
                if (dag_id := f"{facts.name}.{kind}") in broken:
                    mended(dag_id)
            except Exception:  # noqa: BLE001 - Airflow would drop every DAG of this file
                _stand_in(facts, kind, traceback.format_exc())


def each_broken(build: Callable[[BrokenFacts], object]) -> None:
    """Call ``build`` for every model whose folder cannot be read."""
    broken, there = known(), list(_wanted())
    _forget_what_is_gone(broken, there, "broken")
    for facts in there:
        if isinstance(facts, BrokenFacts):
            build(facts)
        elif (dag_id := f"{facts.name}.broken") in broken:
            mended(dag_id)


def _forget_what_is_gone(broken: frozenset[str], there: list[DagFacts | BrokenFacts], kind: str) -> None:
    """Forget the errors of folders that were deleted, where all models are read: one that comes back is new."""
    from airflow.sdk import get_parsing_context

    if not broken or get_parsing_context().dag_id is not None:
        return
    names = {facts.name for facts in there}
    for dag_id in broken:
        model, _, its_kind = dag_id.partition(".")
        if its_kind == kind and model not in names:
            mended(dag_id)


def _stand_in(facts: DagFacts, kind: str, trace: str) -> None:
    from perennial_airflow.broken_dag import broken_dag

    what = f"{facts.name} has no {kind}: {trace.strip().splitlines()[-1]}"
    broken_dag(
        f"{facts.name}.{kind}", what=what, page="This is a mistake of ours, not of the folder.", error=trace
    )


def _wanted() -> Iterator[DagFacts | BrokenFacts]:
    from airflow.sdk import get_parsing_context

    workspace = Workspace.open()
    cache = workspace.home / "cache" / "specs"
    dag_id = get_parsing_context().dag_id
    if dag_id is None:
        yield from compiled(workspace.models, cache)
        return
    facts = one(workspace.models, cache, dag_id.partition(".")[0])
    if facts is not None:
        yield facts


def models_folder() -> Path:
    """The folder whose folders are models."""
    return Workspace.open().models
