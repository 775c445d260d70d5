"""What a version looks at: how much its predictions move when a column is shuffled, measured once at its training.

The monitor asks which columns a version ignores, before it pages anybody for one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.engine.fitting import TrainingSet

IGNORED_BELOW = 0.05
"""Shuffling an ignored column moves predictions by less than this share of what two rows' predictions lie apart."""


def keep_importance(workspace: Workspace, model: str, version: str, pipeline: Any, rows: TrainingSet) -> None:
    """Publish by how much each column moves the predictions of at most 512 training rows, and how far apart they are.

    Reference: Breiman 2001, Random Forests (with predictions in place of the loss: no label is needed).
    """
    import pyarrow as pa

    from perennial.registry.figures import moved_by_column, usual_distance

    seed = workspace.spec(model).training.seed
    moved = moved_by_column(pipeline, rows, seed=seed)
    table = pa.table(
        {"column": pa.array(moved, pa.string()), "moved": pa.array(moved.values(), pa.float64())}
    )
    apart = usual_distance(pipeline, rows, seed=seed)
    workspace.store.publish(datasets.importance(model), version, table, meta={"apart": repr(apart)})


def ignored_columns(workspace: Workspace, version: Candidate | None) -> frozenset[str]:
    """Name the columns that a version's predictions hardly depend on; none where that was never measured.

    A version that answers the same for every row ignores nothing: what it would be worth is not known.
    """
    dataset = datasets.importance(version.model) if version else ""
    manifest = workspace.store.manifest(dataset, version.version) if version else None
    if manifest is None or version is None:
        return frozenset()
    apart = float(str(manifest.meta["apart"]))
    table = workspace.store.read(dataset, version.version)
    moved = zip(table["column"].to_pylist(), table["moved"].to_pylist(), strict=True)
    return frozenset(column for column, by in moved if by < IGNORED_BELOW * apart)


def leaned_on(workspace: Workspace, version: Candidate) -> list[str]:
    """Name the columns that a version's predictions depend on, the most first; none where that was never measured."""
    dataset = datasets.importance(version.model)
    if not workspace.store.version(dataset, version.version):
        return []
    table = workspace.store.read(dataset, version.version)
    moved = zip(table["moved"].to_pylist(), table["column"].to_pylist(), strict=True)
    return [column for by, column in sorted(moved, key=lambda each: (-each[0], each[1])) if by > 0]
