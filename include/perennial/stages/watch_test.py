"""Put changes into copies of a model's own recent nights, and see which of them its watch would page for, how soon.

Asked by hand. Rows, profiles and verdicts are read as the monitor reads them, and the model's detectors and page
budgets are asked as they are declared. Nothing is written but the result, change by change: a test that was stopped
goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from perennial.clock import Night, after
from perennial.facts.evidence import Json, as_text, canonical, fingerprint
from perennial.facts.injected_shifts import CONCEPTS, SHIFTS
from perennial.facts.operating import Detection, PastPages, WatchTest, counted, past_pages, told
from perennial.facts.streams import LONGEST_WATCH
from perennial.policies.paging import PageBudget
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.watch_test_inputs import Stand
from perennial.stages.watch_test_labels import Labels, labels_to_change
from perennial.workspace import Workspace

NIGHTS = 28
"""Recent nights from which beginnings are drawn."""
TRIALS = 4
"""Beginnings for each change."""
WITHIN = (1, 7)
"""Nights within which a page is counted where inputs or predictions changed."""

NO_PAIR = (
    "a changed link between two columns: model.yaml declares no `pairs` below `monitoring`, so it is not watched, and a "
    "permuted column shows in predictions or not at all"
)

Step = tuple[str, Callable[[], list[Detection]]]
"""A change by its name, and what trying it comes to."""
Through = Callable[[Sequence[Step]], Iterable[Step]]


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know."""

    nights: int = NIGHTS
    seed: int = 0
    trials: int = TRIALS


def watch_test(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate,
    asked: Asked = Asked(),
    through: Through = iter,
) -> WatchTest:
    """Try the watch as it stands at ``night``, and publish what it came to.

    Args:
        workspace: Where the model lives.
        model: Its name.
        night: Night at whose end the watch stands.
        version: The version that serves.
        asked: From how many nights, how often, and with which seed.
        through: Goes through the changes, for example with a bar.
    """
    stand = Stand(workspace, model, night, version)
    steps, why = _steps_of_inputs(stand, asked)
    labels, not_there = labels_to_change(workspace, model, night, version)
    steps += _steps_of_labels(labels, asked) if labels else []
    past = (stand.walked() if "inputs" in stand.edges else None, *_past(workspace, model, night))
    about = {"version": version.version, **asdict(asked)}
    of = fingerprint(about | {"inputs": stand.identity(asked.nights), "labels": labels and labels.identity})
    bare = WatchTest(night, **about, reason="", past=tuple(filter(None, past)), not_tried=(*why, *not_there))
    record = _Record(workspace, model, bare, of)
    for name, make in through(steps):
        record.add(name, make)
    return record.publish(whole=True)


@dataclass
class _Record:
    """What has been tried so far, published after each change."""

    workspace: Workspace
    model: str
    bare: WatchTest
    of: str
    """Identity of nights, settings and seed: what was tried of another is not taken over."""
    done: dict[str, list[Detection]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take over what was tried before."""
        store, dataset, key = self.workspace.store, datasets.watch_tests(self.model), self.bare.night
        manifest = store.manifest(dataset, key)
        if manifest is not None and manifest.meta.get("of") == self.of:
            kept = json.loads(store.read(dataset, key, ["tried"])["tried"][0].as_py())
            self.done = {name: [Detection(**one) for one in found] for name, found in kept}

    def add(self, name: str, make: Callable[[], list[Detection]]) -> None:
        """Try a change unless it was tried."""
        if name not in self.done:
            self.done[name] = make()
            self.publish(whole=False)

    def publish(self, *, whole: bool) -> WatchTest:
        """Publish what there is."""
        import pyarrow as pa

        made = replace(self.bare, found=tuple(one for found in self.done.values() for one in found))
        made = replace(made, reason=told(made) if whole else f"Not finished. {told(made)}")
        tried: list[Any] = [[name, [asdict(one) for one in found]] for name, found in self.done.items()]
        table = pa.table({"watch_test": [as_text(made.as_json())], "tried": [json.dumps(canonical(tried))]})
        meta: dict[str, Json] = {"of": self.of, "whole": whole}
        dataset = datasets.watch_tests(self.model)
        self.workspace.store.publish(dataset, self.bare.night, table, meta=meta)
        return made


def _steps_of_inputs(stand: Stand, asked: Asked) -> tuple[list[Step], list[str]]:
    """List every change of inputs and predictions; say why where none can be tried."""
    if "inputs" not in stand.edges:
        return [], ["inputs and predictions: fewer than 28 nights have been profiled"]
    starts = stand.starts(asked.nights)
    if not starts:
        return [], [
            f"inputs and predictions: no week of nights with rows lies within the last {asked.nights} nights"
        ]
    detector = stand.workspace.spec(stand.model).monitoring.night_shift
    if detector.read(stand.with_nights([], starts[0])).state == "learning":
        return [], ["inputs and predictions: the watch is still learning what is usual"]

    def step(name: str) -> Step:
        return name, lambda: [_tried(stand, name, starts, asked)]

    there = [name for name, shift in SHIFTS.items() if stand.wanted(shift)]
    missing = [f"{name}: no such column is watched" for name in SHIFTS if name not in there]
    missing += [] if stand.pairs else [NO_PAIR]
    return [step(name) for name in there], missing


def _tried(stand: Stand, name: str, starts: Sequence[Night], asked: Asked) -> Detection:
    shift, draw = SHIFTS[name], np.random.default_rng([asked.seed, list(SHIFTS).index(name)])
    wanted = stand.wanted(shift)
    trials = [
        stand.trial(shift, wanted[trial % len(wanted)], starts[int(draw.integers(len(starts)))], draw)
        for trial in range(asked.trials)
    ]
    where = ", ".join(one for one in wanted[: asked.trials] if one) or "predictions"
    return counted(name, where, trials, WITHIN)


def _steps_of_labels(labels: Labels, asked: Asked) -> list[Step]:
    """List every change of the relation; one comes to as many answers as there are delays."""

    def step(place: int, name: str) -> Step:
        draws = [np.random.default_rng([asked.seed, 100 + place, trial]) for trial in range(asked.trials)]
        return name, lambda: labels.tried(name, draws)

    return [step(place, name) for place, name in enumerate(CONCEPTS)]


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
