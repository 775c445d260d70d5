"""Build what is missing of the feature repository up to a night, each night from what was known at its end.

Stands between ``validate`` and ``score``. Bringing in a year of history and a single night are the same work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night, after, end_of
from perennial.engine.ground import refuse_changed_ground
from perennial.engine.plan import FeaturePlan
from perennial.facts.evidence import Json, as_text
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Built:
    """What building came to."""

    plan: str
    """Hash of the view definitions."""
    nights: tuple[Night, ...]
    """Nights built now, in order."""
    rows: int
    """Rows of these nights."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values; of the nights their number and both ends, since a history may have thousands."""
        ends = {"first": self.nights[0], "last": self.nights[-1]} if self.nights else {}
        return {"plan": self.plan, "nights": len(self.nights), **ends, "rows": self.rows}


def build_features(workspace: Workspace, model: str, night: Night, plan: FeaturePlan | None = None) -> Built:
    """Publish the features of ``night`` and of every earlier night that has rows but no features yet."""
    if plan is not None:
        refuse_changed_ground(model, plan, workspace.spec(model))
    plan = plan or workspace.plan(model)
    keep_plan(workspace, model, plan)
    wanted = _missing(workspace, model, plan, night)
    rows = 0
    for key, table in built_nights(workspace, model, plan, wanted):
        meta: dict[str, Json] = {"plan": plan.hash, "deliveries": _deliveries(workspace, model, plan, key)}
        workspace.store.publish(datasets.features(model, plan.hash), key, table, meta=meta)
        rows += table.num_rows
    return Built(plan.hash, tuple(wanted), rows)


def stale(workspace: Workspace, model: str, plan_hash: str, night: Night) -> bool:
    """Whether a night's features are missing, or were made of deliveries that have since been corrected."""
    built = workspace.store.manifest(datasets.features(model, plan_hash), night)
    if built is None:
        return True
    plan = kept_plan(workspace, model, plan_hash)
    return built.meta.get("deliveries") != _deliveries(workspace, model, plan, night)


def _deliveries(workspace: Workspace, model: str, plan: FeaturePlan, night: Night) -> dict[str, Json]:
    """Identify the night's own deliveries of the tables that the views read."""
    found: dict[str, Json] = {}
    for source in plan.sources:
        manifest = workspace.store.manifest(datasets.table(model, source), night)
        found[source] = manifest.content if manifest else None
    return found


def keep_plan(workspace: Workspace, model: str, plan: FeaturePlan) -> None:
    """Keep the definitions beside what they build, for as long as a version needs them."""
    import pyarrow as pa

    if not workspace.store.version(datasets.plans(model), plan.hash):
        table = pa.table({"plan": [as_text(plan.as_json())]})
        workspace.store.publish(datasets.plans(model), plan.hash, table)


def kept_plan(workspace: Workspace, model: str, plan_hash: str) -> FeaturePlan:
    """Read the definitions of that hash."""
    import json

    text = workspace.store.read(datasets.plans(model), plan_hash)["plan"][0].as_py()
    return FeaturePlan.from_json(json.loads(text))


def _missing(workspace: Workspace, model: str, plan: FeaturePlan, night: Night) -> list[Night]:
    published = workspace.store.keys(datasets.table(model, plan.rows), last=night)
    built = set(workspace.store.keys(datasets.features(model, plan.hash), last=night))
    return [key for key in published if key not in built or key == night]


def built_nights(
    workspace: Workspace, model: str, plan: FeaturePlan, wanted: list[Night]
) -> Iterator[tuple[Night, pa.Table]]:
    """Build the features of these nights, each from what it could know; nothing is published."""
    from perennial.engine.building import build
    from perennial.engine.duck import connect

    if not wanted:
        return
    spec = workspace.spec(model)
    loaded = _load(workspace, model, plan, wanted[0], wanted[-1])
    with connect() as connection:
        for key in wanted:
            for name, table in _visible(loaded, plan, spec, key).items():
                connection.register(name, table)
            yield key, build(connection, plan, spec, night=key, predict_at=end_of(key, spec.timezone))


@dataclass(frozen=True)
class _Slices:
    """A source's partitions as one table, with the place of each night."""

    table: pa.Table
    starts: Mapping[Night, tuple[int, int]]


def _load(
    workspace: Workspace, model: str, plan: FeaturePlan, first: Night, last: Night
) -> dict[str, _Slices]:
    return {source: _slices(workspace, model, plan, source, first, last) for source in plan.sources}


def _slices(
    workspace: Workspace, model: str, plan: FeaturePlan, source: str, first: Night, last: Night
) -> _Slices:
    import pyarrow as pa

    from perennial.engine.revision import with_replacements

    spec = workspace.spec(model).sources[source]
    dataset = datasets.table(model, source)
    begin = None if spec.static else after(first, -_depth(plan, source, spec.lead_days))
    parts: list[pa.Table] = []
    starts: dict[Night, tuple[int, int]] = {}
    offset = 0
    keys = workspace.store.keys(dataset, begin, last)
    for key, part in zip(keys, tables(workspace, model, source, keys), strict=True):
        parts.append(part.append_column("@night", pa.repeat(key, part.num_rows)))
        starts[key] = (offset, part.num_rows)
        offset += part.num_rows
    table = pa.concat_tables(parts) if parts else _empty(workspace, model, source)
    # A static table is shown whole, in its newest delivery: nothing in it replaces anything.
    return _Slices(with_replacements(table, () if spec.static else spec.key), starts)


def _visible(
    loaded: Mapping[str, _Slices], plan: FeaturePlan, spec: ModelSpec, night: Night
) -> dict[str, pa.Table]:
    """Show a night only the deliveries it can use: its look-back, up to itself; of a static table the newest."""
    visible = {}
    for source, slices in loaded.items():
        known = [key for key in slices.starts if key <= night]
        declared = spec.sources[source]
        first = after(night, -_depth(plan, source, declared.lead_days))
        recent = known[-1:] if declared.static else [key for key in known if key >= first]
        length = sum(slices.starts[key][1] for key in recent)
        begin = slices.starts[recent[0]][0] if recent else 0
        visible[f"source__{source}"] = slices.table.slice(begin, length)
    return visible


def _depth(plan: FeaturePlan, source: str, lead_days: int) -> int:
    """Nights of deliveries to look back on; views of the newest row of an entity see a year."""
    newest = any(source in v.sources and v.entity and v.window_hours is None for v in plan.views)
    return max(plan.look_back_nights(source) + lead_days, 366 if newest else 0)


def _empty(workspace: Workspace, model: str, source: str) -> pa.Table:
    import pyarrow as pa

    from perennial.engine.typed import empty_table

    return empty_table(workspace.spec(model).sources[source]).append_column(
        "@night", pa.array([], pa.string())
    )
