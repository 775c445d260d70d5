"""The losses of many nights, expected and realised, read without their rows.

A night's scoring and its settlement write a few numbers beside what they publish; nights that are final are kept in
one table every few nights, with the audit of all estimates up to them, so that a year costs what a week does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from perennial.clock import Night, after
from perennial.facts.estimated_loss import Walk
from perennial.facts.night_loss import ALL, NightLoss
from perennial.stages import datasets
from perennial.stages.stream_windows import Columns, Windows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ToldResiduals: TypeAlias = "Mapping[str, tuple[int, str]]"
"""Rows and mean residual of each version's rows, the number as text."""

KEPT_EVERY = 5
"""Nights that the audits hear again every night before a new table is written: hearing costs more than writing."""
KEPT_NIGHTS = 180
"""Nights that calibrations and the watch over labels look back on; audits of estimates remember longer."""


@dataclass(frozen=True)
class Known:
    """What is known on some night of all before it."""

    losses: tuple[NightLoss, ...]
    """Scored nights, oldest first."""
    walks: Mapping[str, Walk]
    """The audits of estimates, by group, up to ``through``."""
    through: Night
    """The last night that the audits have heard; empty where there are none."""


def losses_known(workspace: Workspace, model: str, night: Night) -> Known:
    """Read what was known on a night of it and of those before it."""
    kept = _tables(workspace, model).once(night, _kept)
    if kept is None:
        return Known(tuple(_since(workspace, model, "", night)), {}, "")
    losses, text = kept
    walks = {name: Walk.from_json(one) for name, one in json.loads(text).items()}
    through = losses[-1].night
    return Known((*losses, *_since(workspace, model, through, night)), walks, through)


def _kept(read: Columns) -> tuple[tuple[NightLoss, ...], str]:
    """Return the losses, and the audits as text: whoever walks on with an audit changes it."""
    table = read(["loss", "walks"])
    losses = tuple(NightLoss.from_json(json.loads(text)) for text in table["loss"].to_pylist())
    return losses, table["walks"][-1].as_py()


def settled_for_good(workspace: Workspace, model: str, night: Night) -> Mapping[Night, ToldResiduals | None]:
    """Return nights that had all their labels before ``night``, with their residuals as ``settle`` wrote them.

    Only those in the newest table: whoever needs others asks each of them.
    """
    return _tables(workspace, model).once(night, _settled) or {}


def residuals_told(workspace: Workspace, model: str, key: Night, night: Night) -> ToldResiduals | None:
    """Return the residuals of a night as its settlement wrote them; nothing where a later night settled it again."""
    manifest = workspace.store.manifest(datasets.performance(model), key)
    told: Any = manifest.meta if manifest else {}
    return told["residuals"] if told.get("by", "~") <= night and "residuals" in told else None


def _settled(read: Columns) -> dict[Night, ToldResiduals | None]:
    rows = read(["night", "matured", "residuals"]).to_pylist()
    return {one["night"]: json.loads(one["residuals"] or "null") for one in rows if one["matured"]}


def said_so_far(known: Known, group: str, losses: Sequence[NightLoss]) -> tuple[Walk, list[Any]]:
    """Walk on over nights after those that the audits have heard; return the audit and what it said of each."""
    names = sorted(losses[-1].whole.expected) if losses else []
    walk = known.walks.get(group)
    if walk is None or list(walk.audit.names) != names:
        walk, heard = Walk.of(names), ""
    else:
        heard = known.through
    return walk, [walk.say(one.window(group)) for one in losses if one.night > heard]


def counted(
    workspace: Workspace, model: str, night: Night, version: str
) -> dict[Night, tuple[Numbers, Numbers]]:
    """Return the labelled rows, and those that came true, by range of scores: of each settled night of a version."""
    import numpy as np

    kept = _tables(workspace, model).once(night, _counted)
    through, settled = kept if kept is not None else ("", {})
    found = {key: counts for (key, by), counts in settled.items() if by == version}
    for key in _scored(workspace, model, through, night):
        said = _revision(workspace, model, key, night)
        if said and said["loss"]["version"] == version and said["loss"]["matured"] and said["counts"]:
            found[key] = dense(np.array(json.loads(said["counts"])))
    return found


def _counted(read: Columns) -> tuple[Night, dict[tuple[Night, str], tuple[Numbers, Numbers]]]:
    """Return the last night of a table, and the counts of its settled nights, each with its version."""
    table = read(["night", "version", "matured", "rows", "came_true"])
    nights, versions, matured = (table[name].to_pylist() for name in ("night", "version", "matured"))
    counts = zip(*(square(table[name]) for name in ("rows", "came_true")), strict=True)
    about = zip(nights, versions, matured, counts, strict=True)
    return nights[-1], {(key, by): (rows, true) for key, by, settled, (rows, true) in about if settled}


def dense(counts: Numbers) -> tuple[Numbers, Numbers]:
    """Spread what ``sparse`` wrote over all ranges of scores."""
    import numpy as np

    from perennial.facts.expected_loss import BINS

    rows, true = np.zeros((2, BINS))
    if len(counts):
        places = counts[:, 0].astype(int)
        rows[places], true[places] = counts[:, 1], counts[:, 2]
    return rows, true


def sparse(rows: Numbers, came_true: Numbers) -> str:
    """Write counts by range of scores, only those that are not nought."""
    return json.dumps([[int(at), int(rows[at]), int(came_true[at])] for at in rows.nonzero()[0]])


def said_before(before: Sequence[Mapping[str, Any]], night: Night) -> list[Any]:
    """Return what earlier nights said of a night."""
    return [one for one in before if one["since"] < night]


def distrust(workspace: Workspace, model: str, night: Night) -> None:
    """Believe no table that may hold what was known of ``night`` before; call it before publishing."""
    _tables(workspace, model).disbelieve(night)


def keep_losses(workspace: Workspace, model: str, night: Night, final: Night) -> None:
    """Put the nights up to ``final``, of which nothing new can come, in one table, every few nights."""
    before = _tables(workspace, model).table(night, ["night"])
    through = before["night"][-1].as_py() if before is not None else ""
    if len(_scored(workspace, model, through, final)) < KEPT_EVERY:
        return
    known = losses_known(workspace, model, night)
    losses = [one for one in known.losses if one.night <= final]
    if not losses:
        return
    groups = (ALL, *workspace.spec(model).slices) if losses[-1].whole.expected else ()
    walks = {group: said_so_far(known, group, losses)[0].as_json() for group in groups}
    _publish(workspace, model, night, losses[-KEPT_NIGHTS:], json.dumps(walks))


def _publish(workspace: Workspace, model: str, night: Night, losses: Sequence[NightLoss], walks: str) -> None:
    import numpy as np
    import pyarrow as pa

    from perennial.facts.expected_loss import BINS

    versions = dict.fromkeys(one.version for one in losses)
    counts = {key: found for by in versions for key, found in counted(workspace, model, night, by).items()}
    none = (np.zeros(BINS), np.zeros(BINS))
    before = settled_for_good(workspace, model, night)
    told = (
        before.get(key) or residuals_told(workspace, model, key, night)
        for key in (one.night for one in losses)
    )
    residuals = [json.dumps(one) if one is not None else None for one in told]
    numbers = pa.list_(pa.float64())
    columns = [[counts.get(one.night, none)[part].tolist() for one in losses] for part in (0, 1)]
    table = pa.table(
        {
            "night": pa.array([one.night for one in losses], pa.string()),
            "version": pa.array([one.version for one in losses], pa.string()),
            "matured": pa.array([one.matured for one in losses], pa.string()),
            "loss": pa.array([json.dumps(one.as_json()) for one in losses], pa.string()),
            "residuals": pa.array(residuals, pa.string()),
            "rows": pa.array(columns[0], numbers),
            "came_true": pa.array(columns[1], numbers),
            "walks": pa.array([None] * (len(losses) - 1) + [walks], pa.string()),
        }
    )
    _tables(workspace, model).publish(night, table)


def _tables(workspace: Workspace, model: str) -> Windows:
    return Windows(workspace, model, "night_losses")


def square(column: pa.ChunkedArray) -> Numbers:
    """Return a column of counts by range of scores as one array, a night a line."""
    import numpy as np

    from perennial.facts.expected_loss import BINS

    flat: Numbers = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat).reshape(-1, BINS)


def _scored(workspace: Workspace, model: str, through: Night, last: Night) -> list[Night]:
    first = after(through) if through else after(last, 1 - KEPT_NIGHTS)
    return workspace.store.keys(datasets.estimates(model), first, last)


def _since(workspace: Workspace, model: str, through: Night, night: Night) -> list[NightLoss]:
    found = [_loss(workspace, model, key, night) for key in _scored(workspace, model, through, night)]
    return [one for one in found if one is not None]


def _loss(workspace: Workspace, model: str, key: Night, night: Night) -> NightLoss | None:
    """Return the loss of a night as known on another: what its labels said by then, else what was expected."""
    estimate = workspace.store.manifest(datasets.estimates(model), key)
    if estimate is None:
        return None
    expected: Any = estimate.meta["loss"]
    said = _revision(workspace, model, key, night)
    settled = said is not None and said["loss"]["version"] == expected["version"]
    return NightLoss.from_json(said["loss"] if said and settled else expected)


def _revision(workspace: Workspace, model: str, key: Night, night: Night) -> Mapping[str, Any] | None:
    manifest = workspace.store.manifest(datasets.performance(model), key)
    said: Any = manifest.meta.get("losses", []) if manifest else []
    by_then = [one for one in said if one["since"] <= night]
    return by_then[-1] if by_then else None
