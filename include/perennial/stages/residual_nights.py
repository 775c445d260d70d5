"""How far a champion's predictions lay from what came true, on nights it had not seen and on nights it served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.clock import Night, end_of
from perennial.engine.duck import arrow, connect
from perennial.facts.residuals import NightResidual, Residuals
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.performance import settled_nights
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

BY_NIGHT = "SELECT night, count(*) AS rows, avg(label - prediction) AS mean FROM labelled GROUP BY night ORDER BY night"


def residuals(workspace: Workspace, model: str, night: Night, version: Candidate) -> Residuals | None:
    """Collect the residual nights of a version as known at ``night``; nothing for classes without a number."""
    if version.task == "multiclass":
        return None
    reference = workspace.store.read(
        datasets.reference(model), version.version, ["night", "label", "prediction"]
    )
    return Residuals(
        night, _by_night(reference), _live(workspace, model, night, version), _scale(reference, version)
    )


def _live(workspace: Workspace, model: str, night: Night, version: Candidate) -> tuple[NightResidual, ...]:
    import pyarrow as pa
    import pyarrow.compute as pc

    dataset = datasets.performance(model)
    moment = end_of(night, workspace.spec(model).timezone)
    parts = []
    for key in settled_nights(workspace, model, version.night, night, most=_LONGEST):
        part = workspace.store.read(dataset, key, ["label", "prediction", "version", "known_at"])
        known = pc.and_(pc.equal(part["version"], version.version), pc.less_equal(part["known_at"], moment))
        own = part.filter(known).select(["label", "prediction"])
        parts.append(own.append_column("night", pa.repeat(key, own.num_rows)))
    return _by_night(pa.concat_tables(parts)) if parts else ()


_LONGEST = 60
"""Live nights that the longest window and its correlation can use."""


def _by_night(labelled: pa.Table) -> tuple[NightResidual, ...]:
    with connect({"labelled": labelled}) as connection:
        rows = arrow(connection, BY_NIGHT).to_pylist()
    return tuple(NightResidual(row["night"], row["rows"], row["mean"]) for row in rows)


def _scale(reference: pa.Table, version: Candidate) -> float:
    """One for classes; for a number, its spread, so that one floor suits every unit."""
    import pyarrow.compute as pc

    if version.task == "binary" or not reference.num_rows:
        return 1.0
    return float(pc.stddev(reference["label"]).as_py() or 1.0)
