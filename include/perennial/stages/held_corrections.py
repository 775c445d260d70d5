"""A correction of a published night that was held back whole: what it would replace, and its publication.

A person decides, after ``validate`` has refused it. A newer delivery that was published since makes it void.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.clock import Night, end_of
from perennial.errors import CorrectionWaitsError
from perennial.spec.source import SourceSpec
from perennial.stages import datasets
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def key_of(night: Night) -> str:
    """Where the quarantine keeps a night's correction, beside what was set aside of the rows that stand."""
    return f"{night}-held"


def waiting(workspace: Workspace, model: str, source: str, night: Night) -> pa.Table | None:
    """Return the rows of the correction that waits for a person's word, if one does."""
    kept = datasets.quarantine(model, source)
    held = workspace.store.manifest(kept, key_of(night))
    stands = workspace.store.manifest(datasets.table(model, source), night)
    if held is None or stands is None or not held.rows or held.meta.get("over") != stands.meta.get("sha256"):
        return None
    return workspace.store.read(kept, key_of(night))


def refuse_while_waiting(workspace: Workspace, model: str, source: str, night: Night) -> None:
    """Ask which rows are meant, where "all" could be a correction's or those set aside of what it corrects.

    Raises:
        CorrectionWaitsError: with what the correction would replace.
    """
    held = waiting(workspace, model, source, night)
    if held is not None:
        stands = standing(workspace, model, source, night).num_rows
        raise CorrectionWaitsError(model, source, night, held=held.num_rows, stands=stands)


def standing(workspace: Workspace, model: str, source: str, night: Night) -> pa.Table:
    """Read the rows of a night that nothing has superseded."""
    import pyarrow.compute as pc

    (table,) = tables(workspace, model, source, [night])
    return table.filter(pc.is_null(table["superseded_at"]))


def supersede(workspace: Workspace, model: str, source: str, night: Night, corrected: pa.Table) -> pa.Table:
    """Return a night's table with a correction in the place of its rows.

    Where later nights have used the rows, they stay readable for these nights, and the corrected ones are known
    from the newest night on: what was decided keeps its grounds.
    """
    from perennial.engine.revision import revise

    dataset = datasets.table(model, source)
    newest = workspace.store.keys(dataset)[-1]
    if newest == night:
        return corrected
    (before,) = tables(workspace, model, source, [night])
    return revise(before, corrected, known_at=end_of(newest, workspace.spec(model).timezone))


def difference(before: pa.Table, corrected: pa.Table, declared: SourceSpec) -> str:
    """Say what a correction changes: rows that are new, that are gone, that read otherwise."""
    if not declared.key:
        return f"{corrected.num_rows} rows take the place of {before.num_rows}"
    old, new = (_by_key(table, declared) for table in (before, corrected))
    changed = sum(row != old[key] for key, row in new.items() if key in old)
    return f"{changed} rows change, {len(new.keys() - old.keys())} are new and {len(old.keys() - new.keys())} are gone"


def _by_key(table: pa.Table, declared: SourceSpec) -> dict[tuple[object, ...], dict[str, object]]:
    told = table.drop_columns(["known_at", "superseded_at"])
    return {tuple(row[name] for name in declared.key): row for row in told.to_pylist()}
