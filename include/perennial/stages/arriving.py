"""Is a delivery a new one, and when did its rows become known?

Asked by ``validate`` for each delivery. What later nights were decided on stays readable as it was known to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.clock import Night, after, end_of
from perennial.facts.batch import RawBatch
from perennial.stages import datasets
from perennial.stages.tables import is_as_declared
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.intake import IntakePlan


def seen(workspace: Workspace, model: str, source: str, raw: RawBatch) -> bool:
    """Whether this very delivery has been published: the night's own, or the newest of a table without nights.

    What was published under a declaration that cannot be read as it is now is taken in anew.
    """
    dataset, keys = datasets.table(model, source), [raw.night]
    if workspace.store.version(dataset, raw.night) and not is_as_declared(
        workspace, model, source, raw.night
    ):
        return False
    if datasets.whole(workspace.spec(model).sources[source]):
        keys = workspace.store.keys(dataset, last=raw.night)[-1:]
        if keys and workspace.store.keys(dataset, after(raw.night)):
            return (
                True  # what lies there now is of a later night, and must not become known in an earlier one
            )
    manifests = [workspace.store.manifest(dataset, key) for key in keys]
    return any(manifest is not None and manifest.meta["sha256"] == raw.sha256 for manifest in manifests)


def bitemporal(
    workspace: Workspace, model: str, delivered: pa.Table, plan: IntakePlan, night: Night
) -> pa.Table:
    """Say when a delivery became known: a correction or a late one, on the newest night there is.

    Nights in between were decided on what was known before, or without it. Older history that is brought in
    afterwards is not late: nights of its own are to be learned from.
    """
    from perennial.engine.redeclared import as_declared, redeclared
    from perennial.engine.revision import not_before, revise

    dataset = datasets.table(model, plan.name)
    later = workspace.store.keys(dataset, after(night))
    if not later:
        return delivered
    now = end_of(later[-1], plan.timezone)
    if workspace.store.version(dataset, night):
        before, problems = as_declared(workspace.store.read(dataset, night), plan.source)
        if problems:
            return redeclared(before, delivered, plan.source.key)
        return revise(before, delivered, known_at=now)
    return delivered if precedes(workspace, dataset, night) else not_before(delivered, now)


def precedes(workspace: Workspace, dataset: str, night: Night) -> Night | None:
    """Name the first night of what was there before, where this night is of older history."""
    later = workspace.store.keys(dataset, after(night))
    earlier = workspace.store.keys(dataset, last=night) if later else []
    if not earlier:
        return later[0] if later else None
    manifest = workspace.store.manifest(dataset, earlier[-1])
    begun = manifest.meta.get("precedes") if manifest else None
    return begun if isinstance(begun, str) and begun > night else None
