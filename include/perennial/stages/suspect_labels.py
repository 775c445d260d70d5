"""Suspect labels of a model: rows that the serving version had not learned, in the order in which to look at them.

Asked by hand. What it lists goes out as a sheet for people and comes back by the import that there is anyway; what
the losses and the quality gate would be without them is shown beside, and decides nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after
from perennial.facts.evidence import Json, canonical
from perennial.facts.suspect_labels import (
    LEAST_ROWS,
    Ranking,
    Suspect,
    as_plain,
    rank_classes,
    rank_numbers,
    sentence,
)
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.labels import labels_known
from perennial.stages.performance import join_labels
from perennial.stages.quality_without import GateEffect, as_numbers, quality_without
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

MOST = 50
"""Suspects that are listed."""
SERVED_NIGHTS = 400
"""Served nights that are looked back on."""
SAID = "@said"
"""Column with what the version said of a row: a probability, one a class, or a number."""


@dataclass(frozen=True)
class SuspectLabels:
    """The suspects of a model as known at a night."""

    night: Night
    version: str
    ranking: Ranking
    reason: str
    listed: tuple[dict[str, Any], ...] = ()
    """Key, time, night, label, likelier label, probability and reason of each."""
    metric: str = ""
    loss: float | None = None
    """Mean loss of the version over the rows."""
    loss_without: float | None = None
    """The same without the listed; lower of necessity, since what a model got most wrong is left out."""
    gate: GateEffect | None = None

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        plain: dict[str, Any] = asdict(self)
        ranking = plain.pop("ranking")
        told = {name: ranking[name] for name in ("rows", "claimed", "confident", "by_chance")}
        listed = [{name: _plain(value) for name, value in row.items()} for row in self.listed]
        return {key: canonical(value) for key, value in {**plain, **told, "listed": listed}.items()}


def suspect_labels(
    workspace: Workspace, model: str, night: Night, version: Candidate, most: int = MOST
) -> SuspectLabels:
    """Rank the labels known at the end of ``night`` of rows that the version had predicted without knowing them."""
    rows = _rows(workspace, model, night, version)
    said = np.asarray(rows[SAID].to_pylist(), dtype=float)
    labels = as_numbers(rows, version)
    if rows.num_rows < LEAST_ROWS:
        short = Ranking(rows.num_rows, (), 0, 0, 0.0)
        return SuspectLabels(night, version.version, short, sentence(short, 0, f"version {version.version}"))
    ranking = _ranked(labels, said, rows["night"].to_pylist(), most, version)
    kept = np.ones(len(labels), bool)
    kept[[one.place for one in ranking.suspects]] = False
    metric = workspace.spec(model).watched
    losses = np.asarray(metric.row_loss(labels, said), dtype=float)
    suspects = _listed(workspace, model, rows, ranking.suspects, version)
    return SuspectLabels(
        night,
        version.version,
        ranking,
        sentence(ranking, len(suspects), f"version {version.version}"),
        suspects,
        metric.loss_name,
        float(losses.mean()),
        float(losses[kept].mean()) if kept.any() else None,
        quality_without(
            workspace, version, {_key(row, workspace.spec(model).scored.key) for row in suspects}
        ),
    )


def _ranked(labels: Numbers, said: Numbers, nights: list[Night], most: int, version: Candidate) -> Ranking:
    if version.task == "regression":
        return rank_numbers(labels, said, most)
    chances = said if version.task == "multiclass" else np.column_stack([1 - said, said])
    return rank_classes(labels, chances, nights, most)


def sheet(found: SuspectLabels, keys: tuple[str, ...]) -> pa.Table:
    """Lay suspects out for people: what is given beside an empty ``label``, which the import reads."""
    import pyarrow as pa

    names = [*keys, "event_time", "night", "given", "likely", "probability", "why"]
    table = pa.table({name: pa.array([row.get(name) for row in found.listed]) for name in names})
    place = names.index("night") + 1
    return table.add_column(place, "label", pa.nulls(table.num_rows, pa.string()))


def _rows(workspace: Workspace, model: str, night: Night, version: Candidate) -> pa.Table:
    """Collect rows with what was said of them unseen, and the label that is known now; a key counts once."""
    import pyarrow as pa

    keys = workspace.spec(model).scored.key
    columns = [*keys, "event_time", "night", SAID]
    parts = [
        part.select(columns)
        for part in (_unseen(workspace, version), _served(workspace, model, night, version))
    ]
    rows = pa.concat_tables(parts, promote_options="default") if parts else None
    labelled = join_labels(rows, labels_known(workspace, model, by=night), keys)
    known = [
        place
        for place, label in enumerate(labelled["label"].to_pylist())
        if label is not None and (version.task != "multiclass" or label in version.classes)
    ]
    last = {
        _key(row, keys): place
        for place, row in zip(
            known, labelled.select(keys).take(pa.array(known, pa.int64())).to_pylist(), strict=True
        )
    }
    return labelled.take(pa.array(sorted(last.values()), pa.int64()))


def _unseen(workspace: Workspace, version: Candidate) -> pa.Table:
    """Put names to the version's predictions of unseen nights: they are those of its training set, night by night."""
    import pyarrow.compute as pc

    store, model = workspace.store, version.model
    runs = workspace.ledger.entries(model, kinds={"trained"})
    run = next((one.key for one in runs if one.evidence["version"] == version.version), None)
    rows = store.read(datasets.training(model), run) if run else None
    said = store.read(datasets.reference(model), version.version)
    empty = _named(workspace, version)
    if rows is None:
        return empty
    parts = [empty]
    for night in sorted(pc.unique(said["night"]).to_pylist()):
        there, mine = (one.filter(pc.equal(one["night"], night)) for one in (said, rows))
        mine = mine.take(
            pc.sort_indices(mine["holdout"].cast("int8"))
        )  # as they were put together: kept back last
        if mine["label"].to_pylist() == there["label"].to_pylist():
            parts.append(mine.select(empty.column_names[:-1]).append_column(SAID, there["prediction"]))
    return _together(parts)


def _named(workspace: Workspace, version: Candidate) -> pa.Table:
    """Return no rows, with the columns that rows have."""
    import pyarrow as pa

    spec = workspace.spec(version.model)
    said = pa.list_(pa.float64()) if version.task == "multiclass" else pa.float64()
    none = {name: pa.nulls(0) for name in (*spec.scored.key, "event_time")}
    return pa.table({**none, "night": pa.array([], pa.string()), SAID: pa.array([], said)})


def _together(parts: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(parts, promote_options="permissive")


def _served(workspace: Workspace, model: str, night: Night, version: Candidate) -> pa.Table:
    """Return what the version said of the nights it served whose labels may be known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    dataset, empty = datasets.predictions(model), _named(workspace, version)
    first = max(version.night, after(night, 1 - SERVED_NIGHTS))
    parts = [empty]
    for key in workspace.store.keys(dataset, first, night):
        table = workspace.store.read(dataset, key)
        own = table.filter(pc.equal(table["version"], version.version))
        said = [own[f"p:{name}"].to_pylist() for name in version.classes]
        values = pa.array(zip(*said, strict=True), pa.list_(pa.float64())) if said else own["prediction"]
        named = own.append_column("night", pa.repeat(key, own.num_rows)).append_column(SAID, values)
        parts.append(named.select(empty.column_names))
    return _together(parts)


def _listed(
    workspace: Workspace, model: str, rows: pa.Table, suspects: tuple[Suspect, ...], version: Candidate
) -> tuple[dict[str, Any], ...]:
    spec = workspace.spec(model)
    names = version.classes or spec.label.classes or (0, 1)
    found = []
    places = np.asarray([one.place for one in suspects], dtype=np.int64)
    for suspect, row in zip(suspects, rows.take(places).to_pylist(), strict=True):
        likely, why = as_plain(suspect, names)
        given = names[int(row["label"])] if version.task == "binary" else row["label"]
        shown = {name: row[name] for name in (*spec.scored.key, "event_time", "night")}
        about = {"given": given, "likely": likely, "probability": suspect.given_probability, "why": why}
        found.append({**shown, **about, "confident": suspect.confident})
    return tuple(found)


def _key(row: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[key] for key in keys)


def _plain(value: Any) -> Json:
    told: Json = value.isoformat() if hasattr(value, "isoformat") else value
    return told
