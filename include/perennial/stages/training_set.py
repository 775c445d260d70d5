"""Labelled rows as they were known: features of past nights joined to the labels that had arrived.

Every feature partition was built from what was known at its own night's end, so joining labels by key is all
that a point-in-time training set takes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from perennial.clock import Night, after
from perennial.engine.duck import arrow, connect, quoted
from perennial.errors import TooLittleToTrainError
from perennial.stages import datasets
from perennial.stages.candidates import inputs
from perennial.stages.labels import labels_known
from perennial.stages.performance import join_labels
from perennial.stages.set_aside import set_aside
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array, TrainingSet

LEAST_NIGHTS = 7
"""Fewer nights than this cannot be told apart from one delivery: rows are then split by hash, not by time.
The gates ask for as many."""
HOLDOUT_SHARE = 0.25
"""Share of entities kept back where there is no time."""
LEAST_ENTITIES = 20
"""With fewer, keeping whole entities back could leave nothing to learn from, or nothing to judge by."""
BUCKETS = 20
"""Hashed groups of entities that take the place of nights where there is no time."""


@dataclass(frozen=True)
class Split:
    """Which rows train, which are kept back for the gates."""

    timed: bool
    cutoff: Night | None
    """Last night that trains; none without time."""


def labelled_rows(
    workspace: Workspace,
    model: str,
    plan_hash: str,
    night: Night,
    since: Night | None = None,
    *,
    whole_history: bool = False,
) -> pa.Table:
    """Return the feature rows of every night whose labels are known at the end of ``night``.

    Nights whose feed looked broken are left out (``stages/set_aside.py``), and those before ``since`` or before the
    declared window, unless the ``whole_history`` is asked for.

    Columns: those of the feature partitions, ``night``, ``label`` and ``known_at``, in order of nights and rows.
    """
    import pyarrow as pa

    spec = workspace.spec(model)
    last = after(night, -spec.label.delay_days)
    first = None if whole_history else _first_night(spec.training.window_nights, last, since)
    dataset = datasets.features(model, plan_hash)
    parts = []
    bad = set_aside(workspace, model, by=night)
    for key in workspace.store.keys(dataset, first, last):
        if key in bad:
            continue
        part = workspace.store.read(dataset, key)
        parts.append(part.append_column("night", pa.repeat(key, part.num_rows)))
    if not parts:
        raise TooLittleToTrainError(model, 0, spec.training.min_rows)
    whole = datasets.whole(spec.scored)
    features = _newest(pa.concat_tables(parts), spec.scored.key) if whole else pa.concat_tables(parts)
    rows = join_labels(features, labels_known(workspace, model, by=night), spec.scored.key)
    labelled = rows.filter(rows["label"].is_valid())
    if labelled.num_rows < spec.training.min_rows:
        raise TooLittleToTrainError(model, labelled.num_rows, spec.training.min_rows)
    return labelled


def _first_night(window: int | Literal["all"], last: Night, since: Night | None) -> Night | None:
    """Return the first night that teaches: that of the declared window, or a later one that was asked for."""
    starts = [after(last, 1 - window)] if isinstance(window, int) else []
    return max([*starts, since] if since else starts, default=None)


def _newest(rows: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """Keep each row as it was delivered last: of whole tables, the next one repeats most rows of the one before."""
    listed = ", ".join(quoted(key) for key in keys)
    with connect({"given": rows}) as connection:
        return arrow(
            connection,
            f"""SELECT * EXCLUDE ("@place") FROM (SELECT *, row_number() OVER () AS "@place" FROM given)
            QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY "@place" DESC) = 1 ORDER BY "@place\"""",  # noqa: S608 - quoted names
        )


def split(workspace: Workspace, model: str, rows: pa.Table) -> tuple[pa.Table, Split]:
    """Add ``group`` (the night, or a hashed bucket of entities) and ``holdout`` to labelled rows.

    With time the newest nights are kept back; without, or with fewer than 7 nights, whole entities by hash, or
    single rows where the entities are too few to be divided.
    """
    import pyarrow as pa

    spec = workspace.spec(model)
    nights = sorted(set(rows["night"].to_pylist()))
    if spec.scored.event_time is None or len(nights) < LEAST_NIGHTS:
        places = _places(workspace, model, rows)
        groups = [f"bucket-{int(place * BUCKETS / HOLDOUT_SHARE) % BUCKETS:02d}" for place in places]
        held = places < HOLDOUT_SHARE
        return _with(rows, pa.array(groups), pa.array(held)), Split(timed=False, cutoff=None)
    kept_back = min(spec.training.holdout_nights, _nights_kept_back(len(nights)))
    cutoff = nights[-kept_back - 1]
    held = np.asarray([key > cutoff for key in rows["night"].to_pylist()])
    return _with(rows, rows["night"], pa.array(held)), Split(timed=True, cutoff=cutoff)


def _nights_kept_back(nights: int) -> int:
    """Keep back a third, and as many as the gates ask for once as many are left to learn from."""
    return max(nights // 3, LEAST_NIGHTS) if nights >= 2 * LEAST_NIGHTS else nights // 3


def _places(workspace: Workspace, model: str, rows: pa.Table) -> Array:
    """Place each row in [0, 1) by the hash of its entity; by that of its key where that divides badly."""
    about = entities(workspace, model, rows)
    places = np.asarray([_place(text) for text in about])
    share = float((places < HOLDOUT_SHARE).mean())
    if len(set(about)) >= LEAST_ENTITIES and HOLDOUT_SHARE / 2 <= share <= HOLDOUT_SHARE * 2:
        return places
    return np.asarray([_place(text) for text in named_rows(rows, workspace.spec(model).scored.key)])


def entities(workspace: Workspace, model: str, rows: pa.Table) -> list[str]:
    """Name whom or what each row is about: its entity, or else its key."""
    spec = workspace.spec(model)
    return named_rows(rows, ("entity",) if spec.entity else spec.scored.key)


def named_rows(rows: pa.Table, columns: tuple[str, ...]) -> list[str]:
    """Name each row by its values in these columns."""
    values = zip(*(rows[name].to_pylist() for name in columns), strict=True)
    return ["|".join(map(str, row)) for row in values]


def as_training_set(workspace: Workspace, model: str, rows: pa.Table, *, timed: bool) -> TrainingSet:
    """Give labelled rows the form that estimators take."""
    from perennial.engine.fitting import TrainingSet, kinds_of
    from perennial.engine.row_weights import row_weights

    spec = workspace.spec(model)
    frame = inputs(rows)
    labels = np.asarray(rows["label"].to_pylist())
    nights = np.asarray(rows["night"].to_pylist(), dtype=object) if timed else None
    return TrainingSet(
        rows=frame,
        labels=labels,
        task=spec.task,
        columns=kinds_of(frame, list(frame.columns)),
        keys=np.asarray(named_rows(rows, spec.scored.key), dtype=object),
        nights=nights,
        known=_known_nights(rows, spec.timezone) if timed else None,
        entities=np.asarray(entities(workspace, model, rows), dtype=object) if spec.entity else None,
        weights=row_weights(
            labels,
            nights,
            class_weights=spec.training.class_weights if spec.task != "regression" else None,
            half_life=spec.training.half_life_nights,
        ),
    )


def _known_nights(rows: pa.Table, timezone: str) -> Array:
    """Name the night on which each label was known: an instant on midnight still belongs to the night it ends."""
    import pandas as pd

    known = rows["known_at"].to_pandas() - pd.Timedelta(microseconds=1)
    nights: Array = known.dt.tz_convert(timezone).dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
    return nights


def features_of(workspace: Workspace, model: str, plan_hash: str, rows: pa.Table) -> pa.Table:
    """Return other features of the same rows, in the same order."""
    import pyarrow as pa

    dataset = datasets.features(model, plan_hash)
    nights = sorted(set(rows["night"].to_pylist()))
    other = workspace.store.read_many(dataset, nights)
    keys = ", ".join(quoted(key) for key in workspace.spec(model).scored.key)
    with connect({"given": rows, "other": other if other is not None else pa.table({})}) as connection:
        return arrow(
            connection,
            f"""SELECT o.* FROM (SELECT {keys}, row_number() OVER () AS "@place" FROM given) g
            JOIN other o USING ({keys}) ORDER BY g."@place\"""",  # noqa: S608 - quoted names
        )


def _with(rows: pa.Table, groups: pa.Array, held: pa.Array) -> pa.Table:
    return rows.append_column("group", groups).append_column("holdout", held)


def _place(text: str) -> float:
    """Place a name in [0, 1) by its hash: the same for ever, whatever else is in the table."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
