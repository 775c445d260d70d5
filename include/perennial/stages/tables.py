"""Read the published tables of a source in the form that model.yaml declares now.

Every stage that works on rows of several nights reads them here, so that a declaration that was changed over a home
with history either works or is told in one sentence, whichever stage meets it first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from perennial.clock import Night, after
from perennial.errors import HistoryDiffersError
from perennial.stages import datasets
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def tables(workspace: Workspace, model: str, source: str, nights: Iterable[Night]) -> list[pa.Table]:
    """Return a source's published rows, one table a night, all in the form declared now.

    Raises:
        HistoryDiffersError: some of these nights were taken in otherwise, and cannot be brought over.
    """
    from perennial.engine.redeclared import as_declared

    declared, dataset = workspace.spec(model).sources[source], datasets.table(model, source)
    parts, differing, told = [], [], dict[str, None]()
    for night in nights:
        part, problems = as_declared(workspace.store.read(dataset, night), declared)
        parts.append(part)
        differing += [night] if problems else []
        told |= dict.fromkeys(problems)
    if differing:
        raise HistoryDiffersError(model, source, differing, list(told))
    return parts


def refuse_another_form(workspace: Workspace, model: str, source: str, first: Night) -> None:
    """Refuse to add nights from ``first`` on to history that cannot be read beside them."""
    earlier = workspace.store.keys(datasets.table(model, source), last=after(first, -1))
    if earlier and not is_as_declared(workspace, model, source, earlier[-1]):
        tables(workspace, model, source, earlier)


def is_as_declared(workspace: Workspace, model: str, source: str, night: Night) -> bool:
    """Tell whether a published night is in the form declared now, or can be brought over."""
    try:
        tables(workspace, model, source, [night])
    except HistoryDiffersError:
        return False
    return True
