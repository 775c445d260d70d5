"""Where a rollout stands, read from the ledger and nowhere else: it survives restarts, and spans nights without a task.

``deploy`` and ``rollout`` write its lines, scoring asks which versions predict beside the champion. A line holds from
the night it names, so that an old night looked at again sees what stood then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perennial.clock import Night, after
from perennial.facts.evidence import Evidence
from perennial.ledger.base import Entry, NewEntry
from perennial.policies.rollout import Step
from perennial.stages.recording import record
from perennial.workspace import Workspace

STEP_OF: dict[str, Step] = {"shadow_started": "shadow", "canary_started": "canary"}
STEPS_ENDED = ("shadow_ended", "canary_ended")
WATCH_STARTED, WATCH_ENDED = "watch_started", "watch_ended"
KINDS = (*STEP_OF, *STEPS_ENDED, WATCH_STARTED, WATCH_ENDED)


@dataclass(frozen=True)
class Rolling:
    """A challenger on its way to production."""

    step: Step
    version: str
    champion: str
    """The version it is compared with."""
    change: str
    """Kind of change: refresh, recipe or simplify."""
    judged: Night
    """The night on which its gates passed it."""
    begun: Night
    """First night of its first step."""
    since: Night
    """First night of this step."""
    share: float
    """Share of entities that a canary answers; 0 in shadow."""
    salt: str

    def evidence(self) -> Evidence:
        """Write what the ledger keeps of it."""
        return {
            "version": self.version,
            "champion": self.champion,
            "change": self.change,
            "judged": self.judged,
            "begun": self.begun,
            "share": self.share,
            "salt": self.salt,
        }


@dataclass(frozen=True)
class Watch:
    """A version that was promoted, and the one that goes on scoring beside it."""

    version: str
    against: str
    """The version that would serve again."""
    begun: Night
    nights: int
    """Mature nights after which it is over."""


@dataclass(frozen=True)
class Standing:
    """What stands on a night."""

    rolling: Rolling | None = None
    watch: Watch | None = None

    @property
    def beside(self) -> tuple[str, ...]:
        """Versions that score beside the champion."""
        found = [self.rolling.version] if self.rolling else []
        return tuple(dict.fromkeys([*found, *([self.watch.against] if self.watch else [])]))


def standing(workspace: Workspace, model: str, night: Night) -> Standing:
    """Say what stands on a night."""
    said = workspace.ledger.entries(model, KINDS, last_night=night)
    return Standing(_rolling(said), _watch(said)) if said else Standing()


def _rolling(said: Sequence[Entry]) -> Rolling | None:
    found: Rolling | None = None
    for entry in said:
        if entry.kind in STEP_OF:
            kept: Any = {name: value for name, value in entry.evidence.items() if name != "evidence"}
            found = Rolling(STEP_OF[entry.kind], since=entry.night, **kept)
        elif found and entry.kind == f"{found.step}_ended" and entry.evidence["version"] == found.version:
            found = None
    return found


def _watch(said: Sequence[Entry]) -> Watch | None:
    found: Watch | None = None
    for entry in said:
        told: Any = entry.evidence
        if entry.kind == WATCH_STARTED:
            found = Watch(told["version"], told["against"], entry.night, told["nights"])
        elif found and entry.kind == WATCH_ENDED and told["version"] == found.version:
            found = None
    return found


def start_step(workspace: Workspace, model: str, step: Rolling, night: Night, reason: str) -> Entry:
    """Let a step begin on the night after ``night``."""
    key = f"{step.judged}-{step.version}-{night}"
    new = NewEntry(model, f"{step.step}_started", key, after(night), "rollout", reason, step.evidence())
    return record(workspace, new)


def end_step(
    workspace: Workspace, model: str, step: Rolling, night: Night, reason: str, about: Evidence
) -> Entry:
    """Let a step end with ``night``; ``about`` says with which outcome, and why."""
    evidence = {"version": step.version, "champion": step.champion, **about}
    key = f"{step.judged}-{step.version}-{night}"
    return record(
        workspace, NewEntry(model, f"{step.step}_ended", key, after(night), "rollout", reason, evidence)
    )


def start_watch(workspace: Workspace, promoted: Entry, against: str | None) -> Entry | None:
    """Let a version that has just been promoted be watched where that is declared; nothing without one before it."""
    nights = workspace.spec(promoted.model).rollout.watch_nights
    version = str(promoted.evidence["version"])
    if not nights or against is None or against == version:
        return None
    reason = (
        f"Version {version} of {promoted.model} is watched for {nights} nights: version {against} goes on scoring "
        f"beside it from {promoted.night} and serves again if version {version} turns out worse."
    )
    evidence: Evidence = {"version": version, "against": against, "nights": nights}
    new = NewEntry(promoted.model, WATCH_STARTED, promoted.key, promoted.night, "rollout", reason, evidence)
    return record(workspace, new)


def end_watch(
    workspace: Workspace, model: str, watch: Watch, night: Night, reason: str, about: Evidence
) -> Entry:
    """Let a watch end with ``night``."""
    evidence = {"version": watch.version, "against": watch.against, **about}
    key = f"{watch.begun}-{watch.version}"
    return record(workspace, NewEntry(model, WATCH_ENDED, key, after(night), "rollout", reason, evidence))
