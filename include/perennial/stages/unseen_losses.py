"""What the nights that a version had not seen say of its losses: estimates' first calibration, summed up once.

Training publishes the rows; they are read on a version's first night only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.night_losses import KEPT_NIGHTS, square
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from perennial.facts.expected_by_height import Heights

    Numbers = NDArray[np.float64]


def unseen_counts(
    workspace: Workspace, model: str, version: Candidate
) -> dict[Night, tuple[Numbers, Numbers]]:
    """Return labelled rows, and those that came true, by range of scores: of each unseen night of a version."""
    table = _once(workspace, model, version, "counts", _counts)
    columns = [square(table[name]) for name in ("rows", "came_true")]
    return dict(zip(table["night"].to_pylist(), zip(*columns, strict=True), strict=True))


def unseen_heights(
    workspace: Workspace, model: str, version: Candidate
) -> tuple[Heights, list[tuple[Night, float, float, float]]]:
    """Return the losses to expect by height of the prediction, and for each unseen night what that gives.

    A night is its mean expected loss, its mean loss, and its rows.
    """
    from perennial.facts.expected_by_height import Heights

    metric = workspace.spec(model).watched
    heights = _once(workspace, model, version, "heights", lambda rows: _heights(rows, metric))
    made = Heights(tuple(heights["edge"].to_pylist()[1:]), tuple(heights["mean"].to_pylist()))
    nights = _once(workspace, model, version, "heights-nights", lambda rows: _means(rows, metric, made))
    return made, list(zip(*(nights[name].to_pylist() for name in nights.column_names), strict=True))


def _once(
    workspace: Workspace, model: str, version: Candidate, what: str, make: Callable[[pa.Table], pa.Table]
) -> pa.Table:
    store, dataset, key = workspace.store, datasets.reference(model), f"{version.version}-{what}"
    rows, made = store.manifest(dataset, version.version), store.manifest(dataset, key)
    of = f"{rows.content if rows else None} {workspace.spec(model).metric}"
    if made is None or made.meta.get("of") != of:
        store.publish(dataset, key, make(store.read(dataset, version.version)), meta={"of": of})
    return store.read(dataset, key)


def _counts(rows: pa.Table) -> pa.Table:
    import pyarrow as pa

    from perennial.facts.expected_loss import tally

    found = {key: tally(*_numbers(part)) for key, part in _by_night(rows).items()}
    numbers = pa.list_(pa.float64())
    return pa.table(
        {
            "night": pa.array(found, pa.string()),
            "rows": pa.array([one[0].tolist() for one in found.values()], numbers),
            "came_true": pa.array([one[1].tolist() for one in found.values()], numbers),
        }
    )


def _heights(rows: pa.Table, metric: Any) -> pa.Table:
    import pyarrow as pa

    from perennial.facts.expected_by_height import Heights

    told, came = _numbers(rows)
    made = Heights.of(told, metric.row_loss(came, told))
    return pa.table(
        {
            "edge": pa.array([None, *made.edges], pa.float64()),
            "mean": pa.array(made.means, pa.float64()),
        }
    )


def _means(rows: pa.Table, metric: Any, heights: Heights) -> pa.Table:
    import pyarrow as pa

    found = []
    for key, part in _by_night(rows).items():
        told, came = _numbers(part)
        expected, losses = heights.expected(told), metric.row_loss(came, told)
        found.append((key, float(expected.mean()), float(losses.mean()), len(told)))
    names = ("night", "expected", "realised", "rows")
    kinds = (pa.string(), pa.float64(), pa.float64(), pa.int64())
    columns = list(zip(*found, strict=True)) or [()] * len(names)
    return pa.table(
        {name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)}
    )


def _by_night(rows: pa.Table) -> dict[Night, pa.Table]:
    import pyarrow.compute as pc

    nights = sorted(pc.unique(rows["night"]).to_pylist())[-KEPT_NIGHTS:]
    return {key: rows.filter(pc.equal(rows["night"], key)) for key in nights}


def _numbers(rows: pa.Table) -> tuple[Numbers, Numbers]:
    import numpy as np

    told, came = (
        np.asarray(rows[name].to_numpy(zero_copy_only=False), float) for name in ("prediction", "label")
    )
    return told, came
