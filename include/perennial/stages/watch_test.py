"""Put changes into copies of a model's own recent nights, and see which of them its watch would page for, how soon.

Asked by hand. Rows, profiles and verdicts are read as the monitor reads them, and the model's detectors and page
budgets are asked as they are declared; nothing is written but the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after
from perennial.engine.building import feature_column
from perennial.facts.edges import Edges
from perennial.facts.evidence import as_text
from perennial.facts.injected_shifts import SHIFTS, Column, Shift, as_column, night_before
from perennial.facts.operating import Detection, PastPages, WatchTest, past_pages, told
from perennial.facts.profile import Profile, profile
from perennial.facts.streams import LONGEST_WATCH, Group, NightStreams, Watch, streams_of
from perennial.policies.paging import PageBudget
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.profiling import edges_of_inputs, holidays, inputs_name, watched_columns
from perennial.stages.score import loaded_predictor, predictions
from perennial.stages.set_aside import set_aside
from perennial.stages.watch_test_labels import Pager, concept_changes
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

NIGHTS = 28
"""Recent nights from which beginnings are drawn."""
TRIALS = 4
"""Beginnings for each change."""
CHANGED_NIGHTS = 7
"""Nights for which a change of inputs or predictions lasts."""
WITHIN = (1, 7)


def watch_test(
    workspace: Workspace, model: str, night: Night, version: Candidate, *, nights: int = NIGHTS, seed: int = 0
) -> WatchTest:
    """Try the watch as it stands at ``night``, and publish what it came to."""
    import pyarrow as pa

    stand = _Stand(workspace, model, night, version)
    found, not_tried = _inputs(stand, nights, seed)
    concepts, why = concept_changes(workspace, model, night, version, seed=seed, trials=TRIALS)
    made = WatchTest(
        night,
        version.version,
        nights,
        seed,
        "",
        (*found, *concepts),
        tuple(_past(workspace, model, night)),
        (*not_tried, *why),
    )
    made = replace(made, reason=told(made))
    table = pa.table({"watch_test": [as_text(made.as_json())]})
    workspace.store.publish(datasets.watch_tests(model), night, table)
    return made


@dataclass(frozen=True)
class _Stand:
    """The watch over inputs and predictions as it stands on a night."""

    workspace: Workspace
    model: str
    night: Night
    version: Candidate

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return watched_columns(self.workspace, self.model, self.version.plan)

    @cached_property
    def edges(self) -> dict[Group, Edges]:
        """Return the frozen edges of inputs, and of the version's predictions where there are any yet."""
        found: dict[Group, Edges] = {}
        inputs = edges_of_inputs(self.workspace, self.model, self.version.plan)
        if inputs is not None:
            found["inputs"] = inputs
        name = f"predictions.v{self.version.version}"
        if self.workspace.store.version(datasets.edges(self.model), name):
            text = self.workspace.store.read(datasets.edges(self.model), name)["edges"][0].as_py()
            found["predictions"] = Edges.from_json(json.loads(text))
        return found

    @cached_property
    def watch(self) -> Watch:
        """Lay out the nights as the monitor does, from the profiles that it has made."""
        spec = self.workspace.spec(self.model)
        bad = set_aside(self.workspace, self.model, by=after(self.night, -1)) - {self.night}
        streams = [one for group in self.edges for one in self._streams(group) if one.night not in bad]
        free = holidays(spec, self.night)
        return Watch.of(self.night, streams, spec.monitoring.budget.rate, free)

    def _streams(self, group: Group) -> list[NightStreams]:
        names = {
            "inputs": inputs_name(self.workspace, self.model, self.version.plan),
            "predictions": f"predictions.v{self.version.version}",
        }
        store, dataset = self.workspace.store, datasets.profiles(self.model, names[group])
        found = []
        for key in store.keys(dataset, after(self.night, 1 - LONGEST_WATCH), self.night):
            kept = Profile.from_json(json.loads(store.read(dataset, key, ["profile"])["profile"][0].as_py()))
            found.append(streams_of(key, kept, self.edges[group], group))
        return found

    def rows(self, key: Night) -> pa.Table:
        """Read a night's features."""
        return self.workspace.store.read(datasets.features(self.model, self.version.plan), key)

    def starts(self, nights: int) -> list[Night]:
        """List the nights on which a change may begin: a week of nights with rows lies after each, one before."""
        dataset = datasets.features(self.model, self.version.plan)
        first = after(self.night, 1 - nights - CHANGED_NIGHTS)
        there = set(self.workspace.store.keys(dataset, first, self.night)) & set(self.watch.nights)
        return [
            key for key in sorted(there) if all(after(key, day) in there for day in range(-1, CHANGED_NIGHTS))
        ]

    def measured(self, key: Night, features: pa.Table, said: pa.Table) -> list[NightStreams]:
        """Profile rows that were changed, and what is said of them."""
        names = [feature_column(name) for name in self.columns]
        tables: dict[Group, pa.Table] = {
            "inputs": features.select(names).rename_columns(list(self.columns)),
            "predictions": said.select(["prediction"]),
        }
        return [
            streams_of(key, profile(tables[group], edges), edges, group)
            for group, edges in self.edges.items()
        ]

    def with_nights(self, changed: Sequence[NightStreams], last: Night) -> Watch:
        """Return the watch as it would stand on a night, with other streams for some nights."""
        watch = self.watch
        until = watch.nights.index(last) + 1
        at = {stream: place for place, stream in enumerate(watch.streams)}
        grids = [grid[:until].copy() for grid in (watch.values, watch.sampling_sd, watch.plain)]
        for night in changed:
            row = watch.nights.index(night.night)
            for name, *numbers in zip(night.names, night.values, night.sampling_sd, night.plain, strict=True):
                for grid, number in zip(grids, numbers, strict=True):
                    grid[row, at[name]] = number
        values, sampling_sd, plain = grids
        nights = watch.nights[:until]
        return replace(watch, nights=nights, values=values, sampling_sd=sampling_sd, plain=plain)


def _inputs(stand: _Stand, nights: int, seed: int) -> tuple[list[Detection], list[str]]:
    """Try every change of inputs and predictions; say why where none can be."""
    if "inputs" not in stand.edges:
        return [], ["inputs and predictions: fewer than 28 nights have been profiled"]
    starts = stand.starts(nights)
    if not starts:
        return [], [
            f"inputs and predictions: no week of nights with rows lies within the last {nights} nights"
        ]
    detector = stand.workspace.spec(stand.model).monitoring.night_shift
    if detector.read(stand.with_nights([], starts[0])).state == "learning":
        return [], ["inputs and predictions: the watch is still learning what is usual"]
    found = [_tried(stand, name, shift, starts, seed) for name, shift in SHIFTS.items()]
    missing = [f"{name}: no such column" for (name, one) in zip(SHIFTS, found, strict=True) if one is None]
    return [one for one in found if one is not None], missing


def _tried(stand: _Stand, name: str, shift: Shift, starts: Sequence[Night], seed: int) -> Detection | None:
    draw = np.random.default_rng([seed, list(SHIFTS).index(name)])
    wanted = (
        [None]
        if shift.target == "predictions"
        else [one for one in stand.columns if stand.edges["inputs"].columns[one].kind == shift.target]
    )
    if not wanted or (shift.target == "predictions" and "predictions" not in stand.edges):
        return None
    waited: list[int | None] = []
    for trial in range(TRIALS):
        start = starts[int(draw.integers(len(starts)))]
        waited.append(_nights_to_page(stand, shift, wanted[trial % len(wanted)], start, draw))
    where = ", ".join(str(one) for one in wanted[:TRIALS] if one) or "predictions"
    within = {str(most): sum(one is not None and one <= most for one in waited) for most in WITHIN}
    return Detection(name, where, TRIALS, within, "night_shift" if within["7"] else "")


def _nights_to_page(
    stand: _Stand, shift: Shift, column: str | None, start: Night, draw: np.random.Generator
) -> int | None:
    """Let a change last for a week, and count the nights until somebody is paged; nothing if nobody is."""
    monitoring = stand.workspace.spec(stand.model).monitoring
    before = stand.rows(after(start, -1))
    predictor = loaded_predictor(stand.workspace, stand.version)
    changed: list[NightStreams] = []
    pager = Pager(monitoring.budget)
    for day in range(CHANGED_NIGHTS):
        key = after(start, day)
        features = stand.rows(key)
        if column is not None:
            features = _with(features, before, column, shift, day, draw)
        said = predictions(predictor, features)
        if column is None:
            said = _with(said, predictions(predictor, before), column, shift, day, draw)
        changed += stand.measured(key, features, said)
        if pager.pages(monitoring.night_shift.read(stand.with_nights(changed, key))):
            return day + 1
    return None


def _with(
    table: pa.Table, before: pa.Table, column: str | None, shift: Shift, day: int, draw: np.random.Generator
) -> pa.Table:
    """Put a change into one column of a table."""
    import pyarrow as pa

    name = "prediction" if column is None else feature_column(column)
    kind = "category" if pa.types.is_string(table[name].type) else "number"
    now, then = (as_column(one[name].to_pylist(), kind) for one in (table, before))
    other: Column = shift.change(now, night_before(then, day, draw))
    values = [None if one != one else one for one in other.tolist()]  # noqa: PLR0124 - not a number is a gap
    made = pa.array(values, pa.string() if kind == "category" else pa.float64())
    return table.set_column(table.column_names.index(name), name, made)


def _past(workspace: Workspace, model: str, night: Night) -> list[PastPages]:
    """Count the pages of the nights that were really judged, arm by arm, as the verdicts have kept them."""
    watching = workspace.spec(model).monitoring
    slow, shape = watching.residual_drift, watching.residual_shape
    budgets = {
        "night_shift": watching.budget,
        "residual_drift": PageBudget(false_pages=slow.false_pages, per_nights=slow.per_nights),
        "residual_shape": PageBudget(false_pages=shape.false_pages, per_nights=shape.per_nights),
    }
    ended: dict[str, list[bool]] = {name: [] for name in budgets}
    dataset = datasets.verdicts(model)
    for key in workspace.store.keys(dataset, after(night, 1 - LONGEST_WATCH), night):
        manifest = workspace.store.manifest(dataset, key)
        crossings: Any = (manifest.meta.get("crossings") if manifest else None) or {}
        for name, told_of in ended.items():
            if name in crossings:
                told_of.append(bool(crossings[name]["fired"]))
    return [
        past_pages(name, sum(ended[name]), len(ended[name]), one.false_pages, one.per_nights)
        for name, one in budgets.items()
        if ended[name]
    ]
