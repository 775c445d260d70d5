"""Holdout rows with everybody's predictions, summed up by night: what gates see of them.

Stands between the comparison, which brings rows and predictions together, and the gates, which never see a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perennial.engine.duck import arrow, connect, quoted
from perennial.facts.evaluation import Residuals, Slice, Tally
from perennial.metrics.base import Metric
from perennial.spec.expression import parse
from perennial.stages.candidates import Candidate
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array

BASELINE = "baseline:"
"""Prefix of the baselines' columns in a holdout."""


@dataclass(frozen=True)
class Judged:
    """Holdout rows with everybody's predictions, grouped by night."""

    labels: Array
    groups: Array
    predictions: Mapping[str, Array]

    @classmethod
    def of(cls, holdout: pa.Table, predictions: Mapping[str, Array]) -> Judged:
        """Put everybody's predictions beside the labels and nights of the rows."""
        groups = np.asarray(holdout["group"].to_pylist(), dtype=object)
        return cls(holdout["label"].to_numpy(zero_copy_only=False), groups, predictions)


def baselines(holdout: pa.Table) -> dict[str, Array]:
    """Return what the baselines say of the rows, by the names of their columns."""
    return {name: _values(holdout[name]) for name in holdout.column_names if name.startswith(BASELINE)}


def _values(column: pa.ChunkedArray) -> Array:
    import pyarrow as pa

    if pa.types.is_list(column.type):
        return np.asarray(column.to_pylist(), dtype=float)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=float)


def summed_up(
    metric: Metric, version: Candidate, judged: Judged, inside: Mapping[str, Array]
) -> tuple[tuple[Tally, ...], tuple[Slice, ...]]:
    """Sum everybody's losses up by night: of all rows, and of the rows ``inside`` each declared slice."""
    return _tallies(metric, version, judged), _slices(metric, version, judged, inside)


def _tallies(
    metric: Metric, version: Candidate, judged: Judged, where: Array | None = None
) -> tuple[Tally, ...]:
    chosen = np.ones(len(judged.labels), bool) if where is None else where
    keys, nights = np.unique(judged.groups[chosen].astype(str), return_inverse=True)
    labels = numbered(version, judged.labels[chosen])
    sums = {
        name: metric.night_losses(labels, values[chosen], nights, len(keys)).tolist()
        for name, values in judged.predictions.items()
    }
    rows = np.bincount(nights, minlength=len(keys)).tolist()
    residuals = {
        name: _residuals(version, judged.labels, judged.predictions[name])
        for name in ("challenger", "champion")
        if name in judged.predictions
    }
    calibration = {
        name: [np.bincount(nights, part[chosen], len(keys)).tolist() for part in parts]
        for name, parts in residuals.items()
        if parts
    }
    return tuple(_tally(str(key), at, rows[at], sums, calibration) for at, key in enumerate(keys))


def numbered(version: Candidate, labels: Array) -> Array:
    """Number the classes as the columns of their predictions are."""
    if version.task != "multiclass":
        return labels.astype(float)
    places = {name: place for place, name in enumerate(version.classes)}
    return np.asarray([places[str(label)] for label in labels])


def _residuals(version: Candidate, labels: Array, values: Array) -> tuple[Array, Array] | None:
    if version.task == "multiclass":
        return None
    errors = labels.astype(float) - values
    if version.task == "binary":
        clipped = np.clip(values, 1e-6, 1 - 1e-6)
        scores = np.log(clipped / (1 - clipped))
    else:
        scores = values
    spread = scores.std() or 1.0
    return errors, errors * (scores - scores.mean()) / spread


def _tally(
    key: str,
    at: int,
    rows: int,
    sums: Mapping[str, list[float]],
    calibration: Mapping[str, list[list[float]]],
) -> Tally:
    def residuals(name: str) -> Residuals | None:
        return Residuals(*(part[at] for part in calibration[name])) if name in calibration else None

    return Tally(
        night=key,
        rows=rows,
        challenger=sums["challenger"][at],
        champion=sums["champion"][at] if "champion" in sums else None,
        baselines={
            name.removeprefix(BASELINE): values[at]
            for name, values in sums.items()
            if name.startswith(BASELINE)
        },
        challenger_residuals=residuals("challenger"),
        champion_residuals=residuals("champion"),
    )


def _slices(
    metric: Metric, version: Candidate, judged: Judged, inside: Mapping[str, Array]
) -> tuple[Slice, ...]:
    found = []
    for name, rows in inside.items():
        counts = np.unique(judged.labels[rows].astype(str), return_counts=True)[1]
        rarest = int(counts.min()) if version.task != "regression" and len(counts) > 1 else 0
        found.append(
            Slice(
                name,
                _tallies(metric, version, judged, rows),
                rarest_class_rows=rarest if version.task != "regression" else None,
            )
        )
    return tuple(found)


def rows_inside(workspace: Workspace, version: Candidate, holdout: pa.Table) -> dict[str, Array]:
    """Tell for each declared slice which rows are in it."""
    spec = workspace.spec(version.model)
    return {
        name: _inside(workspace, version, holdout, parse(expression, spec.scored.columns))
        for name, expression in spec.slices.items()
    }


def _inside(workspace: Workspace, version: Candidate, holdout: pa.Table, condition: str) -> Array:
    import pyarrow as pa

    spec = workspace.spec(version.model)
    nights = sorted(set(holdout["night"].to_pylist()))
    rows = pa.concat_tables(tables(workspace, version.model, spec.rows_source, nights))
    keys = ", ".join(quoted(key) for key in spec.scored.key)
    with connect({"rows": rows, "given": holdout}) as connection:
        table = arrow(
            connection,
            f"""SELECT coalesce(i.inside, false) AS inside
            FROM (SELECT {keys}, row_number() OVER () AS "@place" FROM given) g
            LEFT JOIN (SELECT {keys}, any_value({condition}) AS inside FROM rows GROUP BY ALL) i USING ({keys})
            ORDER BY g."@place\"""",  # noqa: S608 - quoted names and a parsed expression
        )
    return np.asarray(table["inside"].to_numpy(zero_copy_only=False), dtype=bool)
