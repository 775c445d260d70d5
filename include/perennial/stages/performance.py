"""Predictions beside the labels that came true: one partition a night, settled as the labels arrive.

Stands between scoring and the monitor: residuals, realised metrics and gates' live nights read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night, after
from perennial.engine.duck import arrow, connect, quoted
from perennial.stages import datasets
from perennial.stages.labels import labels_known
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

MATURE_SHARE = 0.95
"""A night counts when so many of its rows have their outcome: before that, late outcomes are not like early ones."""
PATIENCE_NIGHTS = 3
"""After so many nights more, a night counts with the labels it has."""


@dataclass(frozen=True)
class Settled:
    """A night's predictions and labels, as known now."""

    night: Night
    rows: int
    labelled: int
    mature: bool


def settle(workspace: Workspace, model: str, night: Night) -> list[Settled]:
    """Join the labels known at the end of ``night`` to the predictions they belong to, for nights still open."""
    spec = workspace.spec(model)
    newest = after(night, -spec.label.delay_days)
    oldest = after(newest, -PATIENCE_NIGHTS)
    scored = workspace.store.keys(datasets.predictions(model), oldest, newest)
    if not scored:
        return []
    labels = labels_known(workspace, model, by=night, first=oldest)
    return [_settle(workspace, model, key, labels, overdue=key <= oldest) for key in scored]


def _settle(workspace: Workspace, model: str, key: Night, labels: pa.Table, *, overdue: bool) -> Settled:
    predicted = workspace.store.read(datasets.predictions(model), key)
    joined = join_labels(predicted, labels, workspace.spec(model).scored.key)
    delivered = joined.num_rows - joined["known_at"].null_count
    labelled = joined.filter(joined["label"].is_valid())
    mature = overdue or delivered >= MATURE_SHARE * max(predicted.num_rows, 1)
    meta = {"predicted": predicted.num_rows, "delivered": delivered, "mature": mature}
    workspace.store.publish(datasets.performance(model), key, labelled, meta=meta)
    return Settled(key, predicted.num_rows, labelled.num_rows, mature)


def join_labels(rows: pa.Table, labels: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """Put each row's label and the moment it was known beside it, in the order of the rows."""
    condition = " AND ".join(f"r.{quoted(key)} = l.{quoted(key)}" for key in keys)
    with connect({"given": rows, "labels": labels}) as connection:
        return arrow(
            connection,
            f"""SELECT r.* EXCLUDE (place), l.label, l.known_at
            FROM (SELECT *, row_number() OVER () AS place FROM given) r
            LEFT JOIN labels l ON {condition} ORDER BY r.place""",  # noqa: S608 - quoted names
        )


def settled_nights(workspace: Workspace, model: str, first: Night | None, last: Night) -> list[Night]:
    """List the mature nights."""
    dataset = datasets.performance(model)
    found = []
    for key in workspace.store.keys(dataset, first, last):
        manifest = workspace.store.manifest(dataset, key)
        if manifest and manifest.meta["mature"]:
            found.append(key)
    return found
