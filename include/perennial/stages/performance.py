"""Predictions beside the labels that came true: one partition a night, settled as the labels arrive.

Stands between scoring and the monitor: residuals, realised metrics and gates' live nights read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby, islice
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after
from perennial.engine.duck import arrow, connect, quoted
from perennial.errors import FormerPredictionsError
from perennial.facts.evidence import Json
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.labels import labels_known
from perennial.stages.night_losses import distrust, keep_losses, settled_for_good
from perennial.stages.settled_losses import settled_losses
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

MATURE_SHARE = 0.95
"""A night counts when so many of its rows have their outcome: before that, late outcomes are not like early ones."""
PATIENCE_NIGHTS = 3
"""After so many nights more, a night counts with the labels it has."""

OPEN_NIGHTS = 60
"""Nights without a settlement are looked for so far back: the monitor may have missed some."""


@dataclass(frozen=True)
class Settled:
    """A night's predictions and labels, as known now."""

    night: Night
    rows: int
    labelled: int
    mature: bool


@dataclass(frozen=True)
class MeanResidual:
    """How far labels and predictions of some rows lay apart, on average."""

    rows: int
    mean: float
    """Mean of label minus prediction."""


def settle(workspace: Workspace, model: str, night: Night) -> list[Settled]:
    """Join the labels known at the end of ``night`` to the predictions they belong to, for nights still open.

    What a later night has settled is left as it is: an old night that is watched again must not undo it.
    """
    spec = workspace.spec(model)
    newest = after(night, -spec.label.delay_days)
    patient = after(newest, -PATIENCE_NIGHTS)
    closed = settled_for_good(workspace, model, night)
    still_open = [
        key
        for key in workspace.store.keys(datasets.predictions(model), after(newest, -OPEN_NIGHTS), newest)
        if not (key in closed and key < patient)
        and _is_open(about(workspace, model, key), night, closing=key < patient)
    ]
    if not still_open:
        return []
    labels = labels_known(workspace, model, by=night, first=still_open[0])
    settled = [
        _settle(workspace, model, key, joined, night, overdue=key <= patient)
        for key, joined in _joined(workspace, model, still_open, labels)
    ]
    keep_losses(workspace, model, night, after(night, -nights_until_final(spec)))
    return settled


def _is_open(known: Mapping[str, Any], night: Night, *, closing: bool) -> bool:
    if known.get("by", "") > night:
        return False
    return not (closing and known.get("mature_since"))


def about(workspace: Workspace, model: str, key: Night) -> Mapping[str, Any]:
    """Return what the settlement of a night wrote beside its rows; nothing where it has not been settled.

    ``by`` is the night that settled it last, ``residuals`` the rows and mean residual of each version's rows.
    """
    manifest = workspace.store.manifest(datasets.performance(model), key)
    return manifest.meta if manifest else {}


def _joined(
    workspace: Workspace, model: str, nights: list[Night], labels: pa.Table
) -> list[tuple[Night, pa.Table]]:
    """Put labels beside the predictions of several nights, asked for all at once: asking is most of the cost."""
    import pyarrow as pa

    spec, predicted = workspace.spec(model), []
    for key in nights:
        predicted.append(workspace.store.read(datasets.predictions(model), key))
        _refuse_former(model, key, predicted[-1], spec)
    found, keys = [], list(spec.scored.key)
    for _, alike in groupby(predicted, key=lambda rows: rows.select(keys).schema):
        parts = list(alike)
        told = join_labels(pa.concat_tables([part.select(keys) for part in parts]), labels, spec.scored.key)
        begins = accumulate([part.num_rows for part in parts], initial=0)
        for part, begin in zip(parts, begins, strict=False):
            own = told.slice(begin, part.num_rows)
            found.append(part.append_column("label", own["label"]).append_column("known_at", own["known_at"]))
    return list(zip(nights, found, strict=True))


def _settle(
    workspace: Workspace, model: str, key: Night, joined: pa.Table, night: Night, *, overdue: bool
) -> Settled:
    delivered = joined.num_rows - joined["known_at"].null_count
    labelled = joined.filter(joined["label"].is_valid())
    mature = overdue or delivered >= MATURE_SHARE * max(joined.num_rows, 1)
    before = about(workspace, model, key)
    since = (before.get("mature_since") or night) if mature else None
    losses = settled_losses(workspace, model, key, joined, before.get("losses", ()), night, since)
    if key < after(night, -nights_until_final(workspace.spec(model))) and losses != before.get("losses", ()):
        distrust(workspace, model, key)
    meta: dict[str, Json] = {
        "predicted": joined.num_rows,
        "delivered": delivered,
        "mature": mature,
        "mature_since": since,
        "by": night,
        "losses": losses,
    }
    if workspace.spec(model).task != "multiclass":
        found = mean_residuals(labelled, "version")
        # As text, for numbers of a manifest keep ten digits, and what is read must be what the rows would give.
        meta["residuals"] = {version: [one.rows, repr(one.mean)] for version, one in found.items()}
    workspace.store.publish(datasets.performance(model), key, labelled, meta=meta)
    return Settled(key, joined.num_rows, labelled.num_rows, mature)


def _refuse_former(model: str, night: Night, predicted: pa.Table, spec: ModelSpec) -> None:
    """Refuse predictions of another key or task: joined by less than their name, rows would count twice."""
    import pyarrow as pa

    missing = [name for name in spec.scored.key if name not in predicted.column_names]
    if missing:
        problem = f"the key of {spec.rows_source} is {', '.join(spec.scored.key)}, and they have no {', '.join(missing)}"
        raise FormerPredictionsError(model, night, problem)
    classes = pa.types.is_string(predicted["prediction"].type)
    if classes != (spec.task == "multiclass"):
        said = "classes" if classes else "numbers"
        raise FormerPredictionsError(model, night, f"the task is {spec.task}, and they are {said}")


def nights_until_final(spec: ModelSpec) -> int:
    """Return after how many nights a night is settled for good, whatever has come of its labels."""
    return spec.label.delay_days + PATIENCE_NIGHTS


def mean_residuals(labelled: pa.Table, by: str) -> dict[str, MeanResidual]:
    """Return the mean of label minus prediction for each value of a column, in their order."""
    import pyarrow.compute as pc

    apart = labelled.select([by]).append_column(
        "mean", pc.subtract(labelled["label"], labelled["prediction"])
    )
    sums = apart.group_by(by, use_threads=False).aggregate([([], "count_all"), ("mean", "mean")])
    found = zip(*(sums[name].to_pylist() for name in (by, "count_all", "mean_mean")), strict=True)
    return {part: MeanResidual(rows, mean) for part, rows, mean in sorted(found)}


def join_labels(rows: pa.Table, labels: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """Put each row's label and the moment it was known beside it, in the order of the rows."""
    condition = " AND ".join(f"r.{quoted(key)} = l.{quoted(key)}" for key in keys)
    with connect({"given": rows, "labels": labels}) as connection:
        return arrow(
            connection,
            f"""SELECT r.* EXCLUDE ("@place"), l.label, l.known_at
            FROM (SELECT *, row_number() OVER () AS "@place" FROM given) r
            LEFT JOIN labels l ON {condition} ORDER BY r."@place\"""",  # noqa: S608 - quoted names
        )


def settled_nights(
    workspace: Workspace, model: str, first: Night | None, last: Night, *, most: int | None = None
) -> list[Night]:
    """List the nights that were mature at the end of ``last``; of more than ``most`` the newest."""
    dataset, closed = datasets.performance(model), settled_for_good(workspace, model, last)
    newest_first = (
        key
        for key in reversed(workspace.store.keys(dataset, first, last))
        if key in closed or _is_mature(about(workspace, model, key), last)
    )
    return [*islice(newest_first, most)][::-1]


def _is_mature(known: Mapping[str, Any], by: Night) -> bool:
    since = known.get("mature_since")
    return bool(since and since <= by)
