"""What a finding is due to: which column, segment or relation moved, and with which delivery it came.

Asked of a night that crossed a threshold, and of no other: it reads rows. Stands beside triage, which says what
to do; the monitor tells the headline, and pages and ``perennial explain`` show what is published here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after
from perennial.engine.plan import FeaturePlan
from perennial.errors import NoChampionError
from perennial.facts.evidence import Json, as_text, fingerprint
from perennial.facts.reading import Reading
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.build_features import kept_plan
from perennial.stages.candidates import Candidate, champion
from perennial.stages.crossings import crossings_before
from perennial.stages.performance import settled_nights
from perennial.stages.set_aside import set_aside
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.facts.attributed_inputs import Predict
    from perennial.facts.attributed_rows import Numbers, Rows
    from perennial.facts.attribution import Attribution, Cause

REFERENCE_NIGHTS = 28
"""Ordinary nights that a finding's are compared with: four of each weekday."""
OLDEST_NIGHTS = 120
"""How far back ordinary nights are looked for."""
SETTLED_NIGHTS = 14
"""Newest nights with final labels that a finding of labels is about."""
INPUTS_ARM = "night_shift"
"""The one arm that reads no labels."""
FIRST_CAUSES = 3
"""Causes whose deliveries are named."""


@dataclass(frozen=True)
class Delivery:
    """A file, table or delivery that rows of a finding came with."""

    source: str
    night: Night
    place: str
    """Where it lay, as the source declares it."""
    sha256: str
    """Hash of what was delivered."""
    rows: int
    """Rows published of it."""


@dataclass(frozen=True)
class Attributed:
    """What a finding is due to."""

    night: Night
    version: str
    nights: tuple[Night, ...]
    """Nights that the finding is about."""
    reference: tuple[Night, ...]
    """Ordinary nights beside them."""
    found: Attribution
    deliveries: tuple[Delivery, ...]
    """What the columns of the first causes came with, on the nights that the finding is about."""
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """One sentence for an alert."""
        return self.found.headline

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a page shows, in its order."""
        return (*self.found.sentences, *map(_came, _by_source(self.deliveries)), *self.notes)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger, pages and Airflow."""
        return {
            "night": self.night,
            "version": self.version,
            "nights": list(self.nights),
            "reference": list(self.reference),
            "headline": self.headline,
            "sentences": list(self.sentences),
            "attribution": self.found.as_json(),
            "deliveries": [vars(one) for one in self.deliveries],
        }


def attribute(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate | None,
    readings: Mapping[str, Reading],
) -> Attributed | None:
    """Say what a finding is due to and publish it; nothing where none stands, or nothing predicts.

    The same night again says and publishes the same: rows are drawn by model and night, and labels are those
    that were known at the night's end.
    """
    over = {name for name, reading in readings.items() if reading.state == "over"}
    if version is None or not over:
        return None
    made = explained(workspace, model, night, version, over)
    publish(workspace, model, made)
    return made


def published(workspace: Workspace, model: str, night: Night) -> dict[str, Any] | None:
    """Return what was published of a night, as plain values; nothing where nothing was."""
    dataset = datasets.attributions(model)
    if not workspace.store.version(dataset, night):
        return None
    kept: dict[str, Any] = json.loads(workspace.store.read(dataset, night)["attribution"][0].as_py())
    return kept


def publish(workspace: Workspace, model: str, made: Attributed) -> None:
    """Keep it under its night."""
    import pyarrow as pa

    table = pa.table({"attribution": [as_text(made.as_json())]})
    workspace.store.publish(datasets.attributions(model), made.night, table, meta={"version": made.version})


def looked_up(workspace: Workspace, model: str, night: Night) -> Mapping[str, Any] | None:
    """Return what is published of a night, or would be if it were asked now; writes nothing.

    Nothing where the night's verdict holds no crossing, or where no version served.
    """
    kept = published(workspace, model, night)
    verdict = workspace.store.manifest(datasets.verdicts(model), night)
    if kept is not None or verdict is None:
        return kept
    crossings: Any = verdict.meta.get("crossings") or {}
    over = {name for name, crossing in crossings.items() if crossing["ratio"] > 1}
    try:
        version = champion(workspace, model, night)
    except NoChampionError:
        return None
    return explained(workspace, model, night, version, over).as_json() if over else None


def explained(
    workspace: Workspace, model: str, night: Night, version: Candidate, over: Collection[str]
) -> Attributed:
    """Compare the rows that a finding of these arms is about with those of ordinary nights."""
    from perennial.facts.attribution import attribute as compare
    from perennial.stages.attributed_nights import AttributedNights

    nights = _nights_about(workspace, model, night, version, over)
    before = _ordinary(workspace, model, night, version, nights[0])
    read = AttributedNights(workspace, model, version, known_by=night, seed=_seed(model, night))
    reference, recent = read.rows(before), read.rows(nights)
    predict, sides, notes = _as_numbers(read, version, (reference, recent))
    plan = kept_plan(workspace, model, version.plan)
    found = compare(
        *sides, predict, categorical=version.categorical, made_of=_made_of(plan), seed=_seed(model, night)
    )
    sources = _sources(workspace.spec(model), plan, found.causes[:FIRST_CAUSES])
    deliveries = tuple(_deliveries(workspace, model, sources, nights))
    return Attributed(night, version.version, nights, before, found, deliveries, notes)


def _seed(model: str, night: Night) -> int:
    return int(fingerprint({"model": model, "night": night})[:8], 16)


def _nights_about(
    workspace: Workspace, model: str, night: Night, version: Candidate, over: Collection[str]
) -> tuple[Night, ...]:
    """List tonight where inputs crossed a threshold, and the newest final nights where labels did."""
    labels = set(over) - {INPUTS_ARM}
    settled = settled_nights(workspace, model, version.night, night, most=SETTLED_NIGHTS) if labels else []
    return tuple(sorted({*settled, *([night] if INPUTS_ARM in over or not settled else [])}))


def _ordinary(
    workspace: Workspace, model: str, night: Night, version: Candidate, begin: Night
) -> tuple[Night, ...]:
    """List the newest nights before a finding on which no arm was over its threshold and no feed looked broken."""
    ended = crossings_before(workspace, model, night)
    strange = {key for key, arms in ended.items() if any(arm["ratio"] > 1 for arm in arms.values())}
    strange |= set_aside(workspace, model, by=night)
    dataset = datasets.features(model, version.plan)
    keys = workspace.store.keys(dataset, after(begin, -OLDEST_NIGHTS), after(begin, -1))
    return tuple([key for key in keys if key not in strange][-REFERENCE_NIGHTS:])


def _as_numbers(
    read: Any, version: Candidate, sides: tuple[Rows, Rows]
) -> tuple[Predict, tuple[Rows, Rows], tuple[str, ...]]:
    """Give a function of a frame that returns a number a row; of classes, that whose share moved most."""
    if version.task != "multiclass":
        return read.predict, sides, ()
    place = _class_that_moved(read.predict, sides)
    name = version.classes[place]

    def chance(frame: Any) -> Numbers:
        found: Numbers = read.predict(frame)[:, place]
        return found

    note = f"Of {len(version.classes)} classes, the chance of {name} is explained: it moved most."
    return chance, (read.of_class(sides[0], name), read.of_class(sides[1], name)), (note,)


def _class_that_moved(predict: Any, sides: tuple[Rows, Rows]) -> int:
    import numpy as np

    if not all(len(side) for side in sides):
        return 0
    past, now = (predict(side.features).mean(axis=0) for side in sides)
    return int(np.argmax(np.abs(now - past)))


def _made_of(plan: FeaturePlan) -> dict[str, set[str]]:
    """Say which columns of the rows each view's text names: Ibis quotes them."""
    return {
        view.name: {name for name in plan.columns if plan.rows in view.sources and f'"{name}"' in view.sql}
        for view in plan.views
    }


def _sources(spec: ModelSpec, plan: FeaturePlan, causes: Sequence[Cause]) -> tuple[str, ...]:
    """Name the tables that the columns of causes are made of; of a relation, that of the labels."""
    found: list[str] = []
    for cause in causes:
        if cause.kind == "relation":
            found.append(spec.label.source)
        elif cause.column in plan.columns:
            found.append(plan.rows)
        else:
            found += [name for view in plan.views if view.name == cause.column for name in view.sources]
    return tuple(dict.fromkeys(found))


def _deliveries(
    workspace: Workspace, model: str, sources: Sequence[str], nights: Sequence[Night]
) -> list[Delivery]:
    spec, found = workspace.spec(model), []
    for source in sources:
        dataset = datasets.table(model, source)
        newest = workspace.store.keys(dataset, last=nights[-1])[-1:]
        for night in newest if datasets.whole(spec.sources[source]) else nights:
            manifest = workspace.store.manifest(dataset, night)
            if manifest is not None:
                sha256 = str(manifest.meta.get("sha256", ""))
                found.append(Delivery(source, night, _place(spec, source, night), sha256, manifest.rows))
    return found


def _place(spec: ModelSpec, source: str, night: Night) -> str:
    declared = spec.sources[source]
    where = (declared.uri or declared.connection or "").replace("{night}", night)
    return f"{where} ({declared.table})" if declared.table else where


def _by_source(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    names = dict.fromkeys(one.source for one in deliveries)
    return [[one for one in deliveries if one.source == name] for name in names]


def _came(delivered: Sequence[Delivery]) -> str:
    last = delivered[-1]
    others = "" if len(delivered) == 1 else f", the last of {len(delivered)} since {delivered[0].night}"
    return (
        f"{last.source} of {last.night} came as {last.place} "
        f"({last.rows:,} rows, SHA-256 {last.sha256[:12]}){others}."
    )
