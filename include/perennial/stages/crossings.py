"""How the monitor's earlier nights ended, arm by arm: what the page budget's governor looks back on.

Verdicts are the truth, one a night; a table of many nights spares the monitor reading four hundred of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from perennial.clock import Night, after
from perennial.facts.evidence import Evidence, as_text, canonical
from perennial.stages import datasets
from perennial.stages.stream_windows import EVERY_NIGHTS, Columns, Windows
from perennial.workspace import Workspace

Ended: TypeAlias = Mapping[str, Any]
"""How each arm with a verdict ended a night: a ``Crossing`` as plain values, by the arm's name."""

REMEMBERED_NIGHTS = 400
"""Nights whose crossings the page budget's governor looks back on: by then every page has sunk back."""


def crossings_before(workspace: Workspace, model: str, night: Night) -> dict[Night, Ended]:
    """Return how each earlier night with a verdict ended; nothing is held of arms that were still learning."""
    tables = _tables(workspace, model)
    known = tables.once(after(night, -1), _ended_in) or {}
    keys = workspace.store.keys(datasets.verdicts(model), after(night, -REMEMBERED_NIGHTS), after(night, -1))
    found = {key: known[key] if key in known else _ended(workspace, model, key) for key in keys}
    if sum(key not in known for key in keys) >= EVERY_NIGHTS:
        _keep(tables, keys[-1], found)
    return found


def revise_crossings(workspace: Workspace, model: str, night: Night, crossings: Evidence) -> None:
    """Believe no table that says of a night what its verdict is about to say no more; call it before publishing."""
    if canonical(crossings) != _ended(workspace, model, night):
        _tables(workspace, model).disbelieve(night)


def _tables(workspace: Workspace, model: str) -> Windows:
    return Windows(workspace, model, "crossings")


def _ended(workspace: Workspace, model: str, night: Night) -> Ended:
    manifest = workspace.store.manifest(datasets.verdicts(model), night)
    ended: Any = manifest.meta.get("crossings") if manifest else None
    return ended or {}


def _ended_in(read: Columns) -> dict[Night, Ended]:
    return {row["night"]: json.loads(row["crossings"]) for row in read(["night", "crossings"]).to_pylist()}


def _keep(tables: Windows, night: Night, ended: Mapping[Night, Ended]) -> None:
    import pyarrow as pa

    texts = pa.array([as_text(one) for one in ended.values()], pa.string())
    tables.publish(night, pa.table({"night": pa.array(ended, pa.string()), "crossings": texts}))
