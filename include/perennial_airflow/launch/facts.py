"""What became of a night, read from what the stages left: published partitions and the ledger, nothing else.

The story tells these facts; it computes none, and it writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from perennial.clock import Night, after
from perennial.ledger.base import Entry, Serving
from perennial.stages import datasets
from perennial.stages.evaluate import gates
from perennial.workspace import Workspace

ANSWERS = ("retrain", "retrain_waits", "retrain_refused")
CONCLUSIONS = ("passed", "refused", "held")
OUTCOMES = ("promoted", "awaits_approval")


@dataclass(frozen=True)
class NightFacts:
    """A night as the project recorded it."""

    night: Night
    rows_in: int
    """Rows of the scored source that came, good and bad."""
    quarantined: int
    """Rows set aside, of every source."""
    version: str | None
    """Who scored it; nobody before the first champion."""
    scored: int
    mean: float | None
    """Mean prediction; none for classes."""
    verdict: dict[str, Any]
    """What monitoring concluded; empty before it has."""

    @property
    def state(self) -> str:
        """Say the verdict in one word."""
        return str(self.verdict.get("state", "not judged"))


@dataclass(frozen=True)
class Request:
    """A request for a new model, and what became of it."""

    asked: Entry
    trained: Entry | None
    gates: tuple[Entry, ...]
    concluded: Entry | None
    outcome: Entry | None

    @property
    def in_a_word(self) -> str:
        """Say how it ended."""
        last = self.outcome or self.concluded
        if last is None:
            return "no training" if self.asked.kind != "retrain" else "not finished"
        version = last.evidence.get("version") or last.evidence.get("candidate")
        return f"version {version} {last.kind.replace('_', ' ')}"


def night_facts(workspace: Workspace, model: str, night: Night) -> NightFacts:
    """Read a night's facts."""
    store, spec = workspace.store, workspace.spec(model)
    taken = store.read(datasets.nights(model), night).to_pylist()
    scored = [row for row in taken if row["source"] == spec.rows_source]
    version, rows, mean = _predicted(workspace, model, night)
    return NightFacts(
        night=night,
        rows_in=sum(row["rows"] + row["quarantined"] for row in scored),
        quarantined=sum(row["quarantined"] for row in taken),
        version=version,
        scored=rows,
        mean=mean,
        verdict=_verdict(workspace, model, night),
    )


def request_of(workspace: Workspace, model: str, night: Night) -> Request | None:
    """Read what was asked for on a night, the gates' answers and the outcome; nothing if nobody asked."""
    entries = workspace.ledger.entries(model, first_night=night, last_night=after(night))

    def of(*kinds: str, on: Night = night) -> list[Entry]:
        return [entry for entry in entries if entry.kind in kinds and entry.night == on]

    asked = of(*ANSWERS)
    if not asked:
        return None
    declared = list(gates(workspace, model))
    outcomes = [*of("promoted", on=after(night)), *of("awaits_approval")]
    return Request(
        asked=asked[-1],
        trained=_last(of("trained")),
        gates=tuple(sorted(of("gate"), key=lambda entry: declared.index(str(entry.evidence["gate"])))),
        concluded=_last(of(*CONCLUSIONS)),
        outcome=_last(outcomes),
    )


def reigns(workspace: Workspace, model: str) -> list[Serving]:
    """List who served when."""
    return workspace.ledger.timeline(model)


def _predicted(workspace: Workspace, model: str, night: Night) -> tuple[str | None, int, float | None]:
    from perennial.stages.score import mean_of

    manifest = workspace.store.manifest(datasets.predictions(model), night)
    if manifest is None:
        return None, 0, None
    table = workspace.store.read(datasets.predictions(model), night, ["prediction"])
    return str(manifest.meta["version"]), manifest.rows, mean_of(table)


def _verdict(workspace: Workspace, model: str, night: Night) -> dict[str, Any]:
    if not workspace.store.version(datasets.verdicts(model), night):
        return {}
    found: dict[str, Any] = json.loads(
        workspace.store.read(datasets.verdicts(model), night)["verdict"][0].as_py()
    )
    return found


def _last(entries: list[Entry]) -> Entry | None:
    return entries[-1] if entries else None
