"""Where a model stands, read from the ledger and the verdicts: for ``perennial status`` and its pages.

Nothing is judged here. A finding is open until it is over (``facts/finding.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, Serving
from perennial.stages import datasets
from perennial.stages.findings import Known, findings
from perennial.stages.freezing import frozen_reason
from perennial.workspace import Workspace

ASKED = ("retrain", "retrain_waits", "retrain_refused")
CONCLUDED = ("passed", "refused", "held")
SHOWN_NIGHTS = 7


@dataclass(frozen=True)
class NightState:
    """How one night ended."""

    night: Night
    state: str
    """``quiet``, ``notice``, ``page``, ``silent``, ``skipped``, ``learning``; ``unwatched`` before its verdict."""
    rows: int | None
    """Rows scored; nothing where none were."""
    version: str | None
    """Version that scored them."""


@dataclass(frozen=True)
class Retraining:
    """What became of the latest request for a new model."""

    asked: Entry
    trained: Entry | None
    gates: tuple[Entry, ...]
    concluded: Entry | None
    deployed: Entry | None
    """The promotion, or the wait for approval."""

    def sentences(self) -> list[str]:
        """Tell it in the ledger's own sentences."""
        found = [self.asked, self.trained, *self.gates, self.concluded, self.deployed]
        return [entry.reason for entry in found if entry is not None]


@dataclass(frozen=True)
class Standing:
    """Where a model stands."""

    model: str
    champion: Serving | None
    nights: tuple[NightState, ...]
    """The latest nights, oldest first."""
    findings: tuple[Known, ...]
    """Open findings, oldest first."""
    retraining: Retraining | None
    layer: str | None = None
    """Who answered the newest scored night, where a nightly layer is declared: the layer or the champion, and why."""
    frozen: str | None = None
    """Until when, by whom and why nothing is trained or promoted."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        renewed = self.retraining
        return {
            "model": self.model,
            "champion": vars(self.champion) if self.champion else None,
            "layer": self.layer,
            "frozen": self.frozen,
            "nights": [vars(one) for one in self.nights],
            "open_findings": [one.as_json() for one in self.findings],
            "last_retraining": {
                "night": renewed.asked.night,
                "asked": renewed.asked.reason,
                "trained": renewed.trained.evidence["version"] if renewed.trained else None,
                "gates": {str(one.evidence["gate"]): one.evidence["verdict"] for one in renewed.gates},
                "conclusion": renewed.concluded.reason if renewed.concluded else None,
                "promoted": renewed.deployed is not None and renewed.deployed.kind == "promoted",
            }
            if renewed
            else None,
        }


def standing(workspace: Workspace, model: str) -> Standing:
    """Read where a model stands now."""
    workspace.folder(model)
    entries = workspace.ledger.entries(model)
    champion = workspace.ledger.champion(model)
    return Standing(
        model,
        champion,
        tuple(_nights(workspace, model)),
        tuple(one for one in findings(workspace, model) if one.finding.ended is None),
        last_retraining(entries),
        layer_said(entries, workspace.store.keys(datasets.predictions(model))),
        _frozen(workspace, model, entries),
    )


def _frozen(workspace: Workspace, model: str, entries: Sequence[Entry]) -> str | None:
    """Say whether it is frozen on the newest night that anything is known of."""
    newest = max((one.night for one in entries), default=None)
    return frozen_reason(workspace, model, newest) if newest else None


def layer_said(entries: Sequence[Entry], scored: Sequence[Night]) -> str | None:
    """Return what the nightly layer said of the newest scored night; nothing where none was asked."""
    newest = scored[-1] if scored else None
    about = [one for one in entries if one.kind == "layer" and one.night == newest]
    return about[-1].reason if about else None


def last_retraining(entries: Sequence[Entry]) -> Retraining | None:
    """Follow the latest request for a new model through training, gates and deployment."""
    asked = next((one for one in reversed(entries) if one.kind in ASKED), None)
    if asked is None:
        return None
    later = [one for one in entries if one.seq > asked.seq]
    trained = next((one for one in later if one.kind == "trained"), None)
    version = trained.evidence["version"] if trained else None
    about = [one for one in later if version in (one.evidence.get("candidate"), one.evidence.get("version"))]
    return Retraining(
        asked,
        trained,
        tuple(one for one in about if one.kind == "gate" and version is not None),
        _newest(about, CONCLUDED) if version else None,
        _newest(about, ("promoted", "awaits_approval")) if version else None,
    )


def _newest(entries: Sequence[Entry], kinds: Sequence[str]) -> Entry | None:
    return next((one for one in reversed(entries) if one.kind in kinds), None)


def _nights(workspace: Workspace, model: str) -> list[NightState]:
    closed = workspace.store.keys(datasets.nights(model))
    judged = workspace.store.keys(datasets.verdicts(model))
    nights = sorted({*closed[-SHOWN_NIGHTS:], *judged[-SHOWN_NIGHTS:]})[-SHOWN_NIGHTS:]
    return [_night(workspace, model, night) for night in nights]


def _night(workspace: Workspace, model: str, night: Night) -> NightState:
    verdict = workspace.store.manifest(datasets.verdicts(model), night)
    scored = workspace.store.manifest(datasets.predictions(model), night)
    return NightState(
        night,
        str(verdict.meta["state"]) if verdict else "unwatched",
        scored.rows if scored else None,
        str(scored.meta["version"]) if scored else None,
    )
