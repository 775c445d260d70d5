"""The part of ``watch-test`` that changes labels: what the arms that read labels would page for, and when.

Live nights whose labels are in are copied, their labels changed from one of them on, and handed to the detectors as
they would have become known: after the label's delay, and for the watch by score once they are final.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night
from perennial.facts.injected_shifts import CONCEPTS, Column
from perennial.facts.operating import Detection
from perennial.facts.reading import Reading
from perennial.facts.residuals import NightResidual, Residuals
from perennial.facts.streams import NightStreams, Watch
from perennial.policies.paging import Crossing, PageBudget
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.performance import nights_until_final
from perennial.stages.profiling import holidays
from perennial.stages.residual_nights import residuals
from perennial.stages.residual_shape import FEWEST_BINS, Bins
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 28
"""Changed nights at most."""
LEAST = 14
"""Live nights with labels that the shortest window of the slow arm needs."""
WITHIN = (1, 7, 28)

Concept = Callable[[Column, Column, np.random.Generator], Column]


def concept_changes(
    workspace: Workspace, model: str, night: Night, version: Candidate, *, seed: int, trials: int
) -> tuple[list[Detection], list[str]]:
    """Try every change of the relation; say why where none can be."""
    if version.task == "multiclass":
        return [], ["labels: the watch over labels reads numbers and yes-or-no labels only"]
    if not workspace.store.version(datasets.reference(model), f"{version.version}-nights"):
        return [], [f"labels: no night of version {version.version} has been judged yet"]
    known = residuals(workspace, model, night, version)
    live = known.live if known else ()
    if known is None or len(live) < LEAST:
        return [], [
            f"labels: {len(live)} nights of version {version.version} have labels, {LEAST} are needed"
        ]
    stand = _Labels(workspace, model, night, version, known)
    found = []
    for place, (name, change) in enumerate(CONCEPTS.items()):
        draws = [np.random.default_rng([seed, 100 + place, trial]) for trial in range(trials)]
        found.append(_counted(name, [stand.waited(change, draw) for draw in draws]))
    return found, []


def _counted(name: str, waited: Sequence[tuple[int, str] | None]) -> Detection:
    within = {str(most): sum(one is not None and one[0] <= most for one in waited) for most in WITHIN}
    arms = sorted({one[1] for one in waited if one is not None})
    return Detection(name, "labels", len(waited), within, ", ".join(arms))


@dataclass(frozen=True)
class _Labels:
    """What is known of labels on a night, to be changed from some night on."""

    workspace: Workspace
    model: str
    night: Night
    version: Candidate
    known: Residuals

    def waited(self, change: Concept, draw: np.random.Generator) -> tuple[int, str] | None:
        """Change the labels of the newest nights, and return the nights until a page and the arm that paged."""
        nights = [one.night for one in self.known.live]
        begin = len(nights) - min(LONGEST, len(nights)) + int(draw.integers(3))
        rows = {key: self._changed(key, change, draw) for key in nights[begin:]}
        paged = [one for one in (self._drift(begin, rows), self._shape(nights[begin:], rows)) if one]
        return min(paged, default=None)

    def _changed(self, key: Night, change: Concept, draw: np.random.Generator) -> tuple[Column, Column]:
        rows = self._settled(key)
        labels, said = (np.asarray(rows[name].to_numpy(), float) for name in ("label", "prediction"))
        return change(labels, said, draw), said

    def _settled(self, key: Night) -> pa.Table:
        import pyarrow.compute as pc

        rows = self.workspace.store.read(datasets.performance(self.model), key)
        return rows.filter(pc.equal(rows["version"], self.version.version)).select(["label", "prediction"])

    def _drift(self, begin: int, rows: dict[Night, tuple[Column, Column]]) -> tuple[int, str] | None:
        """Ask the slow arm night by night, each as soon as its labels are there."""
        spec = self.workspace.spec(self.model)
        slow = spec.monitoring.residual_drift

        def readings() -> Iterator[Reading]:
            live = list(self.known.live[:begin])
            for key, (labels, said) in rows.items():
                live.append(NightResidual(key, len(labels), float((labels - said).mean())))
                yield slow.read(replace(self.known, night=key, live=tuple(live)))

        return _first_page(readings(), slow, spec.label.delay_days, "residual_drift")

    def _shape(
        self, nights: Sequence[Night], rows: dict[Night, tuple[Column, Column]]
    ) -> tuple[int, str] | None:
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

        return _first_page(readings(), shape, nights_until_final(spec), "residual_shape")

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
        return [bins.measure(key, rows) for key, rows in parts if rows.num_rows]


class Pager:
    """A page budget over the nights of one trial, which begins with none used."""

    def __init__(self, budget: PageBudget) -> None:
        """Begin with an empty record."""
        self.budget = budget
        self.earlier: list[Crossing] = []

    def pages(self, reading: Reading) -> bool:
        """Say whether a reading pages, and remember how it ended."""
        decision = self.budget.decide(reading, self.earlier)
        ended = PageBudget.remember(reading, decision)
        self.earlier += [ended] if ended else []
        return decision.evidence["outcome"] == "page"


def _first_page(readings: Iterator[Reading], arm: Any, delay: int, name: str) -> tuple[int, str] | None:
    """Return the nights from the change to the first page: a night's labels come ``delay`` nights after it."""
    pager = Pager(PageBudget(false_pages=arm.false_pages, per_nights=arm.per_nights))
    for place, reading in enumerate(readings):
        if pager.pages(reading):
            return place + 1 + delay, name
    return None


def _table(labels: Column, said: Column) -> pa.Table:
    import pyarrow as pa

    return pa.table({"label": labels, "prediction": said})
