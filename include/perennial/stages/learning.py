"""What the monitor says while there is too little to judge by: how much there is, in plain counts."""

from __future__ import annotations

from perennial.clock import Night
from perennial.stages import datasets
from perennial.workspace import Workspace


def still_learning(workspace: Workspace, model: str, night: Night) -> str:
    """Say why a night was not judged; of whole tables, how the newest delivery compares in size with the one before."""
    spec = workspace.spec(model)
    if not datasets.whole(spec.scored):
        return f"On {night} there is too little history to judge: 28 nights of rows are needed first."
    dataset = datasets.table(model, spec.rows_source)
    keys = workspace.store.keys(dataset, last=night)
    found = [(key, each.rows) for key in keys[-2:] if (each := workspace.store.manifest(dataset, key))]
    counts = " and ".join(f"{rows} rows on {key}" for key, rows in found)
    noun = "delivery" if len(keys) == 1 else "deliveries"
    return f"On {night} it is not yet able to tell: {len(keys)} {noun} so far, the newest {counts or 'without rows'}."
