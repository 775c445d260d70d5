"""Profiles of labels, as a whole and by declared slice: one a night, once a night's labels are final.

Kept by the monitor beside the profiles of inputs and predictions (``stages/profiling.py``), so that the labels of any
nights can be added up later without reading a row again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perennial.clock import Night, after
from perennial.facts.edges import REFERENCE_NIGHTS, Edges, edges_from_text, freeze_edges
from perennial.facts.evidence import fingerprint
from perennial.facts.profile import profile
from perennial.facts.profile_parts import profile_slices, slices_as_text
from perennial.stages import datasets
from perennial.stages.performance import nights_until_final
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LABELS = "labels"


def keep_label_profiles(workspace: Workspace, model: str, night: Night) -> None:
    """Profile the newest night whose labels are final; nothing before 28 of them, and then all of those at once."""
    store, dataset = workspace.store, datasets.performance(model)
    newest = after(night, -nights_until_final(workspace.spec(model)))
    if not store.version(dataset, newest):
        return
    if store.version(datasets.edges(model), LABELS):
        _keep(workspace, model, newest, _edges(workspace, model))
        return
    first = store.keys(dataset, last=newest)[:REFERENCE_NIGHTS]
    if len(first) == REFERENCE_NIGHTS:
        edges = _frozen(workspace, model, first)
        for key in first:
            _keep(workspace, model, key, edges)


def _edges(workspace: Workspace, model: str) -> Edges:
    return edges_from_text(workspace.store.read(datasets.edges(model), LABELS)["edges"][0].as_py())


def _frozen(workspace: Workspace, model: str, nights: list[Night]) -> Edges:
    """Freeze the edges of the first nights' labels, once."""
    import pyarrow as pa

    labels = workspace.store.read_many(datasets.performance(model), nights, ["label"])
    edges = freeze_edges(labels)
    table = pa.table({"edges": [json.dumps(edges.as_json())]})
    workspace.store.publish(datasets.edges(model), LABELS, table)
    return edges


def _keep(workspace: Workspace, model: str, key: Night, edges: Edges) -> None:
    import pyarrow as pa

    store, dataset, of = workspace.store, datasets.profiles(model, LABELS), _of(workspace, model, key, edges)
    before = store.manifest(dataset, key)
    if before is not None and before.meta.get("of") == of:
        return
    rows = store.read(datasets.performance(model), key)
    labels = rows.select(["label"])
    told = {"profile": [json.dumps(profile(labels, edges).as_json())]}
    apart = profile_slices(labels, edges, _members(workspace, model, key, rows))
    content = pa.table(told | ({"slices": [slices_as_text(apart)]} if apart else {}))
    store.publish(dataset, key, content, meta={"of": of})


def _of(workspace: Workspace, model: str, key: Night, edges: Edges) -> str:
    """Identify what is profiled: the same again costs a look."""
    manifests = (
        workspace.store.manifest(of(model), key) for of in (datasets.performance, datasets.estimates)
    )
    made = [one.content if one else None for one in manifests]
    slices = dict(workspace.spec(model).slices)
    return fingerprint({"of": made, "edges": edges.identity, "slices": slices})


def _members(workspace: Workspace, model: str, key: Night, rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Say which labelled rows lie in each declared slice, as was found when the night was scored."""
    import pyarrow as pa

    spec, store = workspace.spec(model), workspace.store
    if not spec.slices or not store.version(datasets.estimates(model), key):
        return {}
    inside = store.read(datasets.estimates(model), key)
    said = store.read(datasets.predictions(model), key, list(spec.scored.key))
    if inside.num_rows != said.num_rows or not set(spec.slices) <= set(inside.column_names):
        return {}  # scored before these slices were declared
    place = {row: number for number, row in enumerate(_keys(said))}
    at = pa.array([place.get(row) for row in _keys(rows.select(list(spec.scored.key)))], pa.int64())
    return {name: inside[name].take(at) for name in spec.slices}


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
