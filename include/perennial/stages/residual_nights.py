"""How far a champion's predictions lay from what came true, on nights it had not seen and on nights it served.

A night's mean is written down once, when the night is settled or first needed: the monitor reads a line a night,
not its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night, after, end_of
from perennial.facts.residuals import NightResidual, Residuals
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.night_losses import ToldResiduals, residuals_told, settled_for_good
from perennial.stages.performance import mean_residuals, settled_nights
from perennial.stages.set_aside import set_aside
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 60
"""Live nights that the longest window and its correlation can use."""


@dataclass(frozen=True)
class Unseen:
    """The nights that a version predicted without having seen them, when it was trained."""

    nights: tuple[Night, ...]
    residuals: tuple[NightResidual, ...]
    """What it got wrong on them; nothing for classes without a number."""
    scale: float
    """One for classes; for a number, its spread, so that one floor suits every unit."""


def residuals(workspace: Workspace, model: str, night: Night, version: Candidate) -> Residuals | None:
    """Collect the residual nights of a version as known at ``night``; nothing for classes without a number.

    Nights whose feed looked broken are left out: what a model says of them shows nothing of the relation.
    """
    if version.task == "multiclass":
        return None
    bad = set_aside(workspace, model, by=after(night, -1))
    reference, closed = unseen(workspace, model, version), settled_for_good(workspace, model, night)
    live = (
        _live(workspace, model, key, night, version, closed)
        for key in settled_nights(workspace, model, version.night, night, most=LONGEST)
        if key not in bad
    )
    usual = tuple(one for one in reference.residuals if one.night not in bad)
    return Residuals(night, usual, tuple(one for one in live if one), reference.scale)


def unseen(workspace: Workspace, model: str, version: Candidate) -> Unseen:
    """Return the unseen nights of a version, summed up once: its rows are read on its first night only."""
    store, dataset, key = workspace.store, datasets.reference(model), f"{version.version}-nights"
    rows, made = store.manifest(dataset, version.version), store.manifest(dataset, key)
    if rows is None or made is None or made.meta.get("of") != rows.content:
        whole = store.read(dataset, version.version)
        of = rows.content if rows else None
        store.publish(dataset, key, _summed_up(whole, version), meta={"of": of})
    found = store.read(dataset, key)
    nights = tuple(found["night"].to_pylist())
    if version.task == "multiclass":
        return Unseen(nights, (), 1.0)
    numbers = zip(nights, found["rows"].to_pylist(), found["mean"].to_pylist(), strict=True)
    scale = float(found["scale"][0].as_py()) if nights else 1.0
    return Unseen(nights, tuple(NightResidual(*one) for one in numbers), scale)


def _summed_up(rows: pa.Table, version: Candidate) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    if version.task == "multiclass":
        return pa.table({"night": pa.array(sorted(pc.unique(rows["night"]).to_pylist()), pa.string())})
    found = mean_residuals(rows, "night")
    return pa.table(
        {
            "night": pa.array(found, pa.string()),
            "rows": pa.array([one.rows for one in found.values()], pa.int64()),
            "mean": pa.array([one.mean for one in found.values()], pa.float64()),
            "scale": pa.repeat(pa.scalar(_scale(rows, version), pa.float64()), len(found)),
        }
    )


def _live(
    workspace: Workspace,
    model: str,
    key: Night,
    night: Night,
    version: Candidate,
    closed: Mapping[Night, ToldResiduals | None],
) -> NightResidual | None:
    """Return a served night's residual; its rows are read only where labels that came later are among them."""
    import pyarrow.compute as pc

    told = closed.get(key) or residuals_told(workspace, model, key, night)
    if told is not None:
        known = told.get(version.version)
        return NightResidual(key, int(known[0]), float(known[1])) if known else None
    part = workspace.store.read(datasets.performance(model), key)
    moment = end_of(night, workspace.spec(model).timezone)
    own = part.filter(pc.less_equal(part["known_at"], moment))
    found = mean_residuals(own, "version").get(version.version)
    return NightResidual(key, found.rows, found.mean) if found else None


def _scale(reference: pa.Table, version: Candidate) -> float:
    import pyarrow.compute as pc

    if version.task == "binary" or not reference.num_rows:
        return 1.0
    return float(pc.stddev(reference["label"]).as_py() or 1.0)
