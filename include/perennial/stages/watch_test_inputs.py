"""The part of ``watch-test`` that changes inputs and predictions: how many nights pass until somebody is woken.

Copies of a model's recent nights are changed, predicted and profiled as scoring does it, and laid beside the nights
before as the monitor does; a page is weighed by its consequences, so that only what would wake somebody counts as one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from perennial.clock import Night, after
from perennial.engine.building import feature_column
from perennial.facts.association import Pair
from perennial.facts.edges import Edges
from perennial.facts.evidence import fingerprint
from perennial.facts.injected_shifts import Column, Shift, as_column, night_before
from perennial.facts.operating import PastPages, Trial, past_pages
from perennial.facts.profile import Profile, profile
from perennial.facts.streams import LONGEST_WATCH, Group, NightStreams, Watch, streams_of
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.importance import ignored_columns
from perennial.stages.profiling import edges_of_inputs, holidays, inputs_name, pairs_among, watched_columns
from perennial.stages.score import loaded_predictor, predictions
from perennial.stages.set_aside import set_aside
from perennial.stages.trial_pages import Pager
from perennial.stages.weighing import weighed
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.facts.reading import Reading
    from perennial.policies.paging import Crossing
    from perennial.stages.verdict import Arm

CHANGED_NIGHTS = 7
"""Nights for which a change of inputs or predictions lasts."""


@dataclass(frozen=True)
class Stand:
    """The watch over inputs and predictions as it stands on a night."""

    workspace: Workspace
    model: str
    night: Night
    version: Candidate

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns that are watched."""
        return watched_columns(self.workspace, self.model, self.version.plan)

    @cached_property
    def edges(self) -> dict[Group, Edges]:
        """The frozen edges of inputs, and of the version's predictions where there are any yet."""
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
    def pairs(self) -> tuple[Pair, ...]:
        """Declared pairs that are counted."""
        cut = self.edges["inputs"].columns if "inputs" in self.edges else ()
        return pairs_among(self.workspace.spec(self.model), cut)

    @cached_property
    def watch(self) -> Watch:
        """The nights laid out as the monitor does, from the profiles that it has made."""
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

    def identity(self, nights: int) -> str:
        """Identify what changes are put into, and what would find them."""
        monitoring = self.workspace.spec(self.model).monitoring
        dataset = datasets.features(self.model, self.version.plan)
        first = after(self.night, 1 - nights - CHANGED_NIGHTS)
        made = (
            self.workspace.store.manifest(dataset, key)
            for key in self.workspace.store.keys(dataset, first, self.night)
        )
        return fingerprint(
            {
                "monitoring": monitoring.model_dump(mode="json"),
                "rows": [one.content for one in made if one],
                "watch": [repr(row) for row in self.watch.values.tolist()],
            }
        )

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

    def wanted(self, shift: Shift) -> list[str | None]:
        """List the columns that a change can be put into; nothing stands for the predictions."""
        if shift.target == "predictions":
            return [None] if "predictions" in self.edges else []
        cuts = self.edges["inputs"].columns
        if shift.target == "pair" and self.pairs:
            return [*dict.fromkeys(name for pair in self.pairs for name in pair)]
        kind = "number" if shift.target == "pair" else shift.target
        return [one for one in self.columns if one in cuts and cuts[one].kind == kind]

    def trial(self, shift: Shift, column: str | None, start: Night, draw: np.random.Generator) -> Trial:
        """Let a change last for a week, and say after how many nights it was recorded, and somebody was paged."""
        monitoring = self.workspace.spec(self.model).monitoring
        changed: list[NightStreams] = []
        pager, noticed = Pager(monitoring.budget), None
        for day in range(CHANGED_NIGHTS):
            key = after(start, day)
            changed += self._changed(shift, column, start, day, draw)
            seen = self.with_nights(changed, key)
            ended = self._ended(pager, monitoring.night_shift.read(seen), seen)
            noticed = noticed or (day + 1 if ended in ("page", "notice") else None)
            if ended == "page":
                return Trial(day + 1, noticed, "night_shift")
        return Trial(None, noticed, "night_shift" if noticed else "")

    def _ended(self, pager: Pager, reading: Reading, seen: Watch) -> str:
        def weigh(arm: Arm, earlier: Sequence[Crossing]) -> Arm:
            # Labels of these nights are not in yet, so nothing but inputs and predictions can have moved.
            monitoring = self.workspace.spec(self.model).monitoring
            ignored = ignored_columns(self.workspace, self.version)
            return weighed(arm, (), seen, monitoring, ignored, earlier)

        return pager.ended(reading, weigh)

    def _changed(
        self, shift: Shift, column: str | None, start: Night, day: int, draw: np.random.Generator
    ) -> list[NightStreams]:
        """Change a night, let the version predict it, and profile both."""
        predictor = loaded_predictor(self.workspace, self.version)
        key, before = after(start, day), self.rows(after(start, -1))
        features = self.rows(key)
        if column is not None:
            features = _with(features, before, column, shift, day, draw)
        said = predictions(predictor, features)
        if column is None:
            said = _with(said, predictions(predictor, before), column, shift, day, draw)
        return self._measured(key, features, said)

    def _measured(self, key: Night, features: pa.Table, said: pa.Table) -> list[NightStreams]:
        names = [feature_column(name) for name in self.columns]
        inputs = features.select(names).rename_columns(list(self.columns))
        tables: dict[Group, tuple[pa.Table, tuple[Pair, ...]]] = {
            "inputs": (inputs, self.pairs),
            "predictions": (said.select(["prediction"]), ()),
        }
        return [
            streams_of(key, profile(table, self.edges[group], pairs), self.edges[group], group)
            for group, (table, pairs) in tables.items()
            if group in self.edges
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

    def walked(self) -> PastPages | None:
        """Let the watch as it is declared now go over every night that it knows, and count what it would page."""
        monitoring = self.workspace.spec(self.model).monitoring
        pager = Pager(monitoring.budget)
        ended = []
        for key in self.watch.nights:
            seen = self.with_nights([], key)
            ended.append(self._ended(pager, monitoring.night_shift.read(seen), seen))
        judged = [one for one in ended if one != "learning"]
        budget = monitoring.budget
        if not judged:
            return None
        pages = sum(one == "page" for one in judged)
        return past_pages(
            "night_shift, walked again", pages, len(judged), budget.false_pages, budget.per_nights
        )


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
