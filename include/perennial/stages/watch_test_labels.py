"""The part of ``watch-test`` that changes labels: what the arms that read labels would page for, and when.

Live nights whose labels are in are copied, their labels changed from one of them on, and handed to the detectors as
they would have become known: after the declared delay and after others, for the watch by score once they are final.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after
from perennial.facts.evidence import fingerprint
from perennial.facts.injected_shifts import CONCEPTS, Column
from perennial.facts.operating import AFTER, Detection, Trial, counted
from perennial.facts.reading import Reading
from perennial.facts.residuals import NightResidual, Residuals
from perennial.facts.streams import NightStreams, Watch
from perennial.policies.paging import PageBudget
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.performance import PATIENCE_NIGHTS
from perennial.stages.profiling import holidays
from perennial.stages.residual_nights import residuals
from perennial.stages.residual_shape import FEWEST_BINS, Bins
from perennial.stages.set_aside import set_aside
from perennial.stages.trial_pages import Pager
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 28
"""Changed nights at most."""
LEAST = 14
"""Live nights with labels that the shortest window of the slow arm needs."""
DELAYS = (1, 7, 30)
"""Nights until labels are known that are tried, besides those that are declared."""
WITHIN = (1, 7, 28, 60)

Concept = Callable[[Column, Column, np.random.Generator], Column]
Rows = dict[Night, tuple[Column, Column]]


def labels_to_change(
    workspace: Workspace, model: str, night: Night, version: Candidate
) -> tuple[Labels | None, list[str]]:
    """Return what is known of labels, to be changed; say why where nothing can be."""
    if version.task == "multiclass":
        return None, ["labels: the watch over labels reads numbers and yes-or-no labels only"]
    if not workspace.store.version(datasets.reference(model), f"{version.version}-nights"):
        return None, [f"labels: no night of version {version.version} has been judged yet"]
    known = residuals(workspace, model, night, version)
    live = known.live if known else ()
    if known is None or len(live) < LEAST:
        return None, [
            f"labels: {len(live)} nights of version {version.version} have labels, {LEAST} are needed"
        ]
    return Labels(workspace, model, night, version, known), []


@dataclass(frozen=True)
class Labels:
    """What is known of labels on a night, to be changed from some night on."""

    workspace: Workspace
    model: str
    night: Night
    version: Candidate
    known: Residuals

    @property
    def identity(self) -> str:
        """Identify the labels that are changed, and how long they take."""
        dataset = datasets.performance(self.model)
        settled = [self.workspace.store.manifest(dataset, one.night) for one in self.known.live]
        return fingerprint(
            {
                "rows": [one.content for one in settled if one],
                "unseen": [[one.night, repr(one.mean)] for one in self.known.reference],
                "delay_days": self.workspace.spec(self.model).label.delay_days,
            }
        )

    def tried(self, name: str, draws: Sequence[np.random.Generator]) -> list[Detection]:
        """Change the labels of the newest nights in one way, and say what is found of it for each delay.

        A night's labels are read beside those of earlier nights only, so a delay puts off each reading and changes
        none: the nights are changed and read once.
        """
        declared = self.workspace.spec(self.model).label.delay_days
        read = [self._read(CONCEPTS[name], draw) for draw in draws]
        found = []
        for delay in sorted({declared, *DELAYS}):
            said = f"{name}{AFTER}{delay} night{'s' * (delay != 1)}"
            where = "labels, as declared" if delay == declared else "labels"
            found.append(counted(said, where, [_first(one, delay) for one in read], WITHIN))
        return found

    def _read(self, change: Concept, draw: np.random.Generator) -> list[tuple[int, str]]:
        """Return, for each arm that pages, the nights whose labels it needs and waits for beyond the delay."""
        nights = [one.night for one in self.known.live]
        begin = len(nights) - min(LONGEST, len(nights)) + int(draw.integers(3))
        rows = {key: self._changed(key, change, draw) for key in nights[begin:]}
        return [one for one in (self._drift(begin, rows), self._shape(nights[begin:], rows)) if one]

    def _changed(self, key: Night, change: Concept, draw: np.random.Generator) -> tuple[Column, Column]:
        rows = self._settled(key)
        labels, said = (np.asarray(rows[name].to_numpy(), float) for name in ("label", "prediction"))
        return change(labels, said, draw), said

    def _settled(self, key: Night) -> pa.Table:
        import pyarrow.compute as pc

        rows = self.workspace.store.read(datasets.performance(self.model), key)
        return rows.filter(pc.equal(rows["version"], self.version.version)).select(["label", "prediction"])

    def _drift(self, begin: int, rows: Rows) -> tuple[int, str] | None:
        """Ask the slow arm night by night, each as soon as its labels are there."""
        spec = self.workspace.spec(self.model)
        slow = spec.monitoring.residual_drift

        def readings() -> Iterator[Reading]:
            live = list(self.known.live[:begin])
            for key, (labels, said) in rows.items():
                live.append(NightResidual(key, len(labels), float((labels - said).mean())))
                yield slow.read(replace(self.known, night=key, live=tuple(live)))

        return _first_page(readings(), slow, 0, "residual_drift")

    def _shape(self, nights: Sequence[Night], rows: Rows) -> tuple[int, str] | None:
        """Ask the watch by score, each night once its labels are final."""
        spec = self.workspace.spec(self.model)
        shape, bins = spec.monitoring.residual_shape, self._bins
        if bins is None:
            return None

        def readings() -> Iterator[Reading]:
            streams = [one for one in self._usual if one.night < nights[0]]
            for key, (labels, said) in rows.items():
                streams.append(bins.measure(key, _table(labels, said)))
                yield shape.read(Watch.of(key, streams, shape.rate, holidays(spec, key)))

        return _first_page(readings(), shape, PATIENCE_NIGHTS, "residual_shape")

    @cached_property
    def _reference(self) -> pa.Table:
        wanted = ["night", "label", "prediction"]
        return self.workspace.store.read(datasets.reference(self.model), self.version.version, wanted)

    @cached_property
    def _bins(self) -> Bins | None:
        if self.version.task != "binary":
            return None
        found = Bins.of(self._reference)
        return found if len(found.edges) + 1 >= FEWEST_BINS else None

    @cached_property
    def _usual(self) -> list[NightStreams]:
        """Measure the nights as they were: unseen ones first, then those that were served."""
        import pyarrow.compute as pc

        bins = self._bins
        if bins is None:
            return []
        whole = self._reference
        parts: list[tuple[Night, pa.Table]] = [
            (key, whole.filter(pc.equal(whole["night"], key)))
            for key in sorted(pc.unique(whole["night"]).to_pylist())
        ]
        parts += [(one.night, self._settled(one.night)) for one in self.known.live]
        bad = set_aside(self.workspace, self.model, by=after(self.night, -1))
        return [bins.measure(key, rows) for key, rows in parts if rows.num_rows and key not in bad]


def _first_page(readings: Iterator[Reading], arm: Any, patience: int, name: str) -> tuple[int, str] | None:
    """Return the nights from the change to the first page if labels came at once, and the arm."""
    pager = Pager(PageBudget(false_pages=arm.false_pages, per_nights=arm.per_nights))
    for place, reading in enumerate(readings):
        if pager.ended(reading) == "page":
            return place + 1 + patience, name
    return None


def _first(pages: Sequence[tuple[int, str]], delay: int) -> Trial:
    nights, arm = min(pages, default=(None, ""))
    waited = None if nights is None else nights + delay
    return Trial(waited, waited, arm)


def _table(labels: Column, said: Column) -> pa.Table:
    import pyarrow as pa

    return pa.table({"label": labels, "prediction": said})
