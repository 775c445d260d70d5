"""Profiles of what a model eats and says, one a night, and the watch that is made of them.

The monitor reads profiles and never rows: a night costs what the night brings, not what history holds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after, between
from perennial.engine.building import feature_column
from perennial.facts.association import Pair
from perennial.facts.edges import REFERENCE_NIGHTS, Edges, edges_from_text, freeze_edges
from perennial.facts.evidence import as_text, fingerprint
from perennial.facts.profile import Profile, profile
from perennial.facts.profile_parts import profile_files, profile_slices, slices_as_text
from perennial.facts.streams import LONGEST_WATCH, Group, NightStreams, Stream, Watch, streams_of
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.build_features import kept_plan
from perennial.stages.candidates import Candidate
from perennial.stages.residual_nights import unseen
from perennial.stages.set_aside import set_aside
from perennial.stages.stream_windows import EVERY_NIGHTS, StreamWindows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def watched_columns(workspace: Workspace, model: str, plan_hash: str) -> tuple[str, ...]:
    """Input columns that are watched, as far as these features have them: an older version's may lack a new one.

    Features over a window are left out by default: the rows they sum up were watched the night they came.
    """
    spec = workspace.spec(model)
    wanted = spec.monitoring.watched(spec.features.columns)
    if not workspace.store.version(datasets.plans(model), plan_hash):
        return wanted  # nothing is built yet
    there = kept_plan(workspace, model, plan_hash).features
    return tuple(name for name in wanted if name in there)


def watch(
    workspace: Workspace, model: str, night: Night, plan_hash: str, version: Candidate | None
) -> Watch | None:
    """Lay out the last nights' inputs and, if a version serves, its predictions; nothing before 28 nights.

    Nights whose feed looked broken are left out, as if nothing had come: tonight is not compared with them.
    """
    inputs = input_streams(workspace, model, night, plan_hash)
    if not inputs:
        return None
    spoken = prediction_streams(workspace, model, night, version) if version else []
    spec = workspace.spec(model)
    bad = set_aside(workspace, model, by=after(night, -1)) - {night}
    kept = [one for one in (*inputs, *spoken) if one.night not in bad]
    return Watch.of(night, kept, spec.monitoring.budget.rate, holidays(spec, night))


def input_streams(workspace: Workspace, model: str, night: Night, plan_hash: str) -> list[NightStreams]:
    """Return the streams of every night up to ``night``, profiling those that have not been."""
    columns = watched_columns(workspace, model, plan_hash)
    rows = _Inputs(workspace, model, plan_hash, columns)
    return _streams(workspace, model, rows, night, "inputs")


def inputs_name(workspace: Workspace, model: str, plan_hash: str) -> str:
    """Name the profiles of a model's inputs: other columns, pairs or definitions are profiled apart."""
    columns = watched_columns(workspace, model, plan_hash)
    pairs = pairs_among(workspace.spec(model), columns)
    told: dict[str, Any] = {"plan": plan_hash, "columns": columns}
    return "inputs." + fingerprint({**told, "pairs": pairs} if pairs else told)[:8]


def pairs_among(spec: ModelSpec, columns: Collection[str]) -> tuple[Pair, ...]:
    """Return the declared pairs of which both columns are there."""
    return tuple(pair for pair in spec.monitoring.pairs if all(name in columns for name in pair))


def edges_of_inputs(workspace: Workspace, model: str, plan_hash: str) -> Edges | None:
    """Return the frozen edges of a model's inputs; nothing before 28 nights."""
    dataset, name = datasets.edges(model), inputs_name(workspace, model, plan_hash)
    if not workspace.store.version(dataset, name):
        return None
    return edges_from_text(workspace.store.read(dataset, name)["edges"][0].as_py())


def prediction_streams(
    workspace: Workspace, model: str, night: Night, version: Candidate
) -> list[NightStreams]:
    """Return the streams of a version's predictions: on nights it had not seen when it was trained, then live."""
    return _streams(workspace, model, _Predictions(workspace, model, version), night, "predictions")


class _Inputs:
    """Feature rows of a night, the watched columns of them."""

    def __init__(self, workspace: Workspace, model: str, plan_hash: str, columns: tuple[str, ...]) -> None:
        self.store, self.columns = workspace.store, columns
        self.pairs = pairs_among(workspace.spec(model), columns)
        self.dataset = datasets.features(model, plan_hash)
        self.name = inputs_name(workspace, model, plan_hash)

    def nights(self, last: Night) -> list[Night]:
        return self.store.keys(self.dataset, after(last, 1 - LONGEST_WATCH), last)

    def rows(self, nights: Iterable[Night]) -> pa.Table | None:
        table = self.store.read_many(self.dataset, nights, [feature_column(name) for name in self.columns])
        return table.rename_columns(list(self.columns)) if table is not None else None

    def profiled(self, key: Night, edges: Edges) -> Profile | None:
        """Count a night's rows without ever having more than a column of them in memory."""
        manifest = self.store.manifest(self.dataset, key)
        if manifest is None:
            return None
        # A column that was empty on all of the first nights has no edges to be counted on.
        pairs = tuple(pair for pair in self.pairs if all(name in edges.columns for name in pair))
        return profile_files(self.store.verified(manifest), edges, pairs, feature_column(""), self.columns)

    def slices(self, key: Night, edges: Edges) -> Mapping[str, Profile]:
        """Profile nothing apart: slices are of what is said and of what came true."""
        del key, edges
        return {}


class _Predictions:
    """Predictions of one version: unseen nights of its training first, then the nights it served."""

    def __init__(self, workspace: Workspace, model: str, version: Candidate) -> None:
        self.store, self.version = workspace.store, version.version
        self.dataset, self.origin = datasets.predictions(model), datasets.reference(model)
        self.name = f"predictions.v{version.version}"
        self.unseen = unseen(workspace, model, version).nights
        self.declared, self.members = tuple(workspace.spec(model).slices), datasets.estimates(model)

    @cached_property
    def reference(self) -> pa.Table:
        """Predictions on unseen nights: needed on a version's first night, to profile them."""
        return self.store.read(self.origin, self.version, ["night", "prediction"])

    def nights(self, last: Night) -> list[Night]:
        earliest = after(last, 1 - LONGEST_WATCH)
        first = max(after(self.unseen[-1]), earliest) if self.unseen else earliest
        return [*self.unseen, *self.store.keys(self.dataset, first, last)]

    def rows(self, nights: Iterable[Night]) -> pa.Table | None:
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = list(nights)
        before = pa.array([key for key in wanted if key in self.unseen], pa.string())
        live = self.store.read_many(
            self.dataset, [key for key in wanted if key not in self.unseen], ["prediction", "version"]
        )
        parts = []
        if len(before):
            parts.append(self.reference.filter(pc.is_in(self.reference["night"], before)))
        if live is not None:
            parts.append(live.filter(pc.equal(live["version"], self.version)))
        if not parts:
            return None
        table = pa.concat_tables([part.select(["prediction"]) for part in parts])
        return table if table.num_rows else None

    def profiled(self, key: Night, edges: Edges) -> Profile | None:
        """Count what was said on a night."""
        table = self.rows([key])
        return profile(table, edges) if table is not None else None

    def slices(self, key: Night, edges: Edges) -> Mapping[str, Profile]:
        """Count what was said in each declared slice of a night that was served."""
        import pyarrow.compute as pc

        members = self.store.manifest(self.members, key) if self.declared else None
        if members is None or key in self.unseen:
            return {}
        said = self.store.read(self.dataset, key, ["prediction", "version"])
        inside = self.store.read(self.members, key)
        if inside.num_rows != said.num_rows or not set(self.declared) <= set(inside.column_names):
            return {}  # scored before these slices were declared
        own = pc.equal(said["version"], self.version)
        parts = {name: inside[name].filter(own) for name in self.declared}
        return profile_slices(said.select(["prediction"]).filter(own), edges, parts)


def _streams(
    workspace: Workspace, model: str, rows: _Inputs | _Predictions, night: Night, group: Group
) -> list[NightStreams]:
    nights = rows.nights(night)
    edges = _edges(workspace, model, rows, nights)
    if edges is None:
        return []
    windows = StreamWindows(workspace, model, rows.name)
    profiles = _Profiles(workspace, datasets.profiles(model, rows.name), windows, edges, group)
    tonight = profiles.made(rows, night) if night in nights else None
    known = windows.known(night)
    found = [
        tonight if key == night else known.get(key) or profiles.read(key) or profiles.made(rows, key)
        for key in nights
    ]
    kept = [streams for streams in found if streams is not None]
    if sum(streams.night not in known for streams in kept) >= EVERY_NIGHTS:
        windows.keep(night, kept)
    return kept


def _edges(
    workspace: Workspace, model: str, rows: _Inputs | _Predictions, nights: list[Night]
) -> Edges | None:
    """Freeze the edges of the first 28 nights once; nothing while there are fewer."""
    import pyarrow as pa

    dataset = datasets.edges(model)
    if workspace.store.version(dataset, rows.name):
        return edges_from_text(workspace.store.read(dataset, rows.name)["edges"][0].as_py())
    if len(nights) < REFERENCE_NIGHTS:
        return None
    first = rows.rows(nights[:REFERENCE_NIGHTS])
    if first is None:
        return None
    edges = freeze_edges(first)
    workspace.store.publish(dataset, rows.name, pa.table({"edges": [json.dumps(edges.as_json())]}))
    return edges


@dataclass(frozen=True)
class _Profiles:
    """Profiles of one kind of rows on one set of edges, one a night."""

    workspace: Workspace
    dataset: str
    windows: StreamWindows
    edges: Edges
    group: Group

    def read(self, key: Night) -> NightStreams | None:
        """Read a night's streams; nothing where it was not profiled."""
        if not self.workspace.store.version(self.dataset, key):
            return None
        return _from_text(self.workspace.store.read(self.dataset, key, ["streams"])["streams"][0].as_py())

    def made(self, rows: _Inputs | _Predictions, key: Night) -> NightStreams | None:
        """Profile a night; where it has no rows now, what was known of it remains."""
        import pyarrow as pa

        found = rows.profiled(key, self.edges)
        if found is None:
            return self.read(key)
        text = _as_text(streams_of(key, found, self.edges, self.group))
        told = {"profile": [json.dumps(found.as_json())], "streams": [text]}
        apart = rows.slices(key, self.edges)
        content = pa.table(told | ({"slices": [slices_as_text(apart)]} if apart else {}))
        before = self.read(key)
        if before is not None and _as_text(before) != text:
            self.windows.disbelieve(key)
        self.workspace.store.publish(self.dataset, key, content)
        return _from_text(text)


def _as_text(streams: NightStreams) -> str:
    names = [[s.column, s.aspect, s.category, s.group] for s in streams.names]
    numbers = [list(streams.values), list(streams.sampling_sd), list(streams.plain)]
    return as_text({"night": streams.night, "names": names, "numbers": numbers})


def _from_text(text: str) -> NightStreams:
    kept = json.loads(text)
    names = tuple(Stream(*name) for name in kept["names"])
    values, sampling_sd, plain = (tuple(float(number) for number in numbers) for numbers in kept["numbers"])
    return NightStreams(kept["night"], names, values, sampling_sd, plain)


def holidays(spec: ModelSpec, night: Night) -> list[Night]:
    """List the nights of the last watch whose rows happen on a public holiday of the declared country."""
    if spec.monitoring.holidays is None:
        return []
    import holidays as calendars

    lead = spec.scored.lead_days
    nights = between(after(night, 1 - LONGEST_WATCH), night)
    years = range(int(nights[0][:4]), int(night[:4]) + 2)
    free = {day.isoformat() for day in calendars.country_holidays(spec.monitoring.holidays, years=years)}
    return [key for key in nights if after(key, lead) in free]
