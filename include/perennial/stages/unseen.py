"""Which rows have trained neither of two versions: only on those may one be judged beside the other.

Asked by the comparison of ``evaluate``. With time the nights tell most of it; a table without time, a row that
came twice, or an entity that changed between two deliveries is told apart by the row's own name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perennial.engine.duck import arrow, connect, quoted
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def unseen_by(
    workspace: Workspace, versions: Sequence[Candidate], rows: pa.Table
) -> tuple[pa.Table, int | None]:
    """Leave out the rows that trained any of the versions, and count those that may still be among the rest.

    The count is 0, or nothing where it is not recorded what trained a version: one that was adopted, or whose
    rows had another key. A row is named by its key, and by its time where it has one.
    """
    known = True
    for version in versions:
        trained = _trained_on(workspace, version)
        if trained is None:
            known = False
        else:
            rows = _without(rows, trained)
    return rows, 0 if known else None


def _trained_on(workspace: Workspace, version: Candidate) -> pa.Table | None:
    """Read the names of the rows that trained a version; nothing where they are not recorded."""
    import pyarrow.compute as pc

    dataset, spec = datasets.training(version.model), workspace.spec(version.model)
    names = [*spec.scored.key, *(["event_time"] if spec.scored.event_time else [])]
    runs = workspace.ledger.entries(version.model, kinds={"trained"})
    run = next((one.key for one in runs if one.evidence["version"] == version.version), None)
    manifest = workspace.store.manifest(dataset, run) if run else None
    if run is None or manifest is None:
        return None
    whole = workspace.store.read(dataset, run)
    if not set(names) <= set(whole.column_names):
        return None
    return whole.filter(pc.invert(whole["holdout"])).select(names)


def _without(rows: pa.Table, trained: pa.Table) -> pa.Table:
    """Leave out the rows that have a namesake; a name is compared as text, since its type may have changed."""
    same = " AND ".join(
        f"r.{quoted(name)}::VARCHAR = t.{quoted(name)}::VARCHAR" for name in trained.column_names
    )
    with connect({"given": rows.select(trained.column_names), "trained": trained}) as connection:
        places = arrow(
            connection,
            f"""SELECT "@place" FROM (SELECT *, row_number() OVER () - 1 AS "@place" FROM given) r
            ANTI JOIN trained t ON {same} ORDER BY "@place\"""",  # noqa: S608 - quoted names
        )
    return rows.take(places["@place"])
