"""Which models a DAG file is for: all of them when DAGs are parsed, one when a task runs.

Reads compiled declarations only; no model's code and nothing heavy runs in the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from perennial.spec.compiled import BrokenFacts, DagFacts, compiled, one
from perennial.workspace import Workspace


def each_model(build: Callable[[DagFacts], object]) -> None:
    """Call ``build`` for every healthy model that this parse is about.

    A model whose DAG cannot be built must not take the others with it: its error is kept for
    ``<model>.broken`` by the loader, and anything unforeseen is raised only when no other model would be lost.
    """
    for facts in _wanted():
        if isinstance(facts, DagFacts):
            build(facts)


def each_broken(build: Callable[[BrokenFacts], object]) -> None:
    """Call ``build`` for every model whose folder cannot be read."""
    for facts in _wanted():
        if isinstance(facts, BrokenFacts):
            build(facts)


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
