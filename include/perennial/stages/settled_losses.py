"""What a night's labels say of its predictions, in a few numbers: written beside the night when it is settled.

Kept by the night on which it became known, so that an old night that is looked back on says what it said then.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, end_of
from perennial.facts.evidence import Json
from perennial.facts.night_loss import ALL, GroupLoss, NightLoss
from perennial.metrics.base import places
from perennial.stages import datasets
from perennial.stages.night_losses import said_before, sparse
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

DAY = 86_400.0
"""Seconds."""


def settled_losses(
    workspace: Workspace,
    model: str,
    key: Night,
    joined: pa.Table,
    before: Sequence[Mapping[str, Any]],
    night: Night,
    matured: Night | None,
) -> Sequence[Json]:
    """Add what is known at the end of ``night`` to what earlier nights knew of the losses of night ``key``.

    ``joined`` holds its predictions in the order in which they were published, each with its label as far as known;
    ``matured`` is the night from which on it counts as settled, none while it does not.
    """
    made = workspace.store.manifest(datasets.estimates(model), key)
    if made is None or made.rows != joined.num_rows:
        return ()  # scored before estimates were kept, or not to its end
    earlier = said_before(before, night)
    of = _of(made.content, joined, matured)
    if earlier and earlier[-1]["of"] == of:
        return earlier  # as on most nights: the labels are those of the night before
    expected = NightLoss.from_json(made.meta["loss"])  # type: ignore[arg-type]
    known = joined["label"].is_valid().to_numpy(zero_copy_only=False)
    losses, audited, counts = _row_losses(workspace, model, joined.filter(joined["label"].is_valid()))
    groups = {}
    for name, inside in _groups(workspace, model, key, expected).items():
        own = inside[known]
        was = expected.groups[name]
        sums = float(losses[own].sum()), float(audited[own].sum())
        groups[name] = GroupLoss(was.rows, was.expected, int(own.sum()), *sums)
    loss = NightLoss(key, expected.version, groups, *_delivery(workspace, model, key, joined), matured)
    return [*earlier, {"since": night, "of": of, "loss": loss.as_json(), "counts": counts}]


def _of(estimate: str, joined: pa.Table, matured: Night | None) -> str:
    """Identify what losses are made of: what was expected, and the labels with the moments they were known."""
    import pyarrow as pa

    # Filled, for what lies in the place of nothing differs from one query to the next.
    nothing: Any = "\0" if pa.types.is_string(joined["label"].type) else float("nan")
    moments = joined["known_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    told = pa.table({"label": joined["label"].fill_null(nothing), "moment": moments.fill_null(-1)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, told.schema) as stream:
        stream.write_table(told.combine_chunks())
    return hashlib.sha256(f"{estimate} {matured} ".encode() + sink.getvalue().to_pybytes()).hexdigest()[:16]


def _groups(workspace: Workspace, model: str, key: Night, expected: NightLoss) -> dict[str, Any]:
    """Say of each group which of the predictions lie in it."""
    import numpy as np

    whole = {ALL: np.ones(expected.whole.rows, dtype=bool)}
    slices = [name for name in expected.groups if name != ALL]
    if not slices:
        return whole
    table = workspace.store.read(datasets.estimates(model), key, slices)
    return {**whole, **{name: table[name].to_numpy(zero_copy_only=False) for name in slices}}


def _row_losses(workspace: Workspace, model: str, labelled: pa.Table) -> tuple[Numbers, Numbers, str]:
    """Return each labelled row's loss, the same as estimates count it, and its counts by range of scores."""
    import numpy as np

    from perennial.facts import expected_loss

    spec = workspace.spec(model)
    metric = spec.watched
    row_loss = metric.row_loss
    if spec.task == "multiclass":
        classes = [name for name in labelled.column_names if name.startswith("p:")]
        chances = (
            np.array([labelled[name].to_pylist() for name in classes], float).reshape(len(classes), -1).T
        )
        numbered = places(labelled["label"].to_pylist(), [name.removeprefix("p:") for name in classes])
        losses = row_loss(numbered, chances) if len(numbered) else np.zeros(0)
        return losses, losses, ""
    label, score = (
        np.asarray(labelled[name].to_numpy(zero_copy_only=False), float) for name in ("label", "prediction")
    )
    losses = np.asarray(row_loss(label, score), float)
    if spec.task == "regression":
        return losses, losses, ""
    counts = sparse(*expected_loss.tally(score, label)) if np.isfinite(score).all() else ""
    return losses, expected_loss.losses(score, label, metric.loss_to_estimate), counts


def _delivery(workspace: Workspace, model: str, key: Night, joined: pa.Table) -> tuple[int, float, float]:
    """Count the rows whose outcome came, with the mean and the spread of the nights that they took."""
    import numpy as np

    came = joined["known_at"].drop_null()
    if not len(came):
        return 0, float("nan"), float("nan")
    moments = came.to_numpy().astype("datetime64[us]").astype(float) / 1e6
    took = (moments - end_of(key, workspace.spec(model).timezone).timestamp()) / DAY
    return len(came), float(np.mean(took)), float(np.std(took))
