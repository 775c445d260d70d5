"""The findings of a model, followed from night to night: what is open, what is over, and what people hear of it.

Ends the monitor's work: a night's arms become signs, kept with its verdict; the signs of a bounded window of nights
become findings, whose openings, worsenings and ends are lines of the ledger, of which each is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from perennial.clock import Night, after
from perennial.facts.evidence import Evidence, Json
from perennial.facts.finding import DELIVERY, GRAVITY, RELATION, Finding, Followed, Sign
from perennial.ledger.base import Entry, NewEntry
from perennial.stages import datasets
from perennial.stages.recording import REVISION, record_again
from perennial.stages.verdict import Arm, Watched
from perennial.workspace import Workspace

WINDOW_NIGHTS = 35
"""Nights whose signs are read again every night: what is judged late within them counts as if it were not. What
was open before them is taken from the verdict that stood then."""
COLUMNS_KEPT = 5
LABEL_ARMS = ("residual_drift", "residual_shape")
WITHDRAWN = "finding_withdrawn"
KINDS = ("finding_opened", "finding_goes_on", "finding_graver", "finding_recovered", WITHDRAWN)
ASKED = "a training was asked for"


def signs_of(
    workspace: Workspace, model: str, watched: Watched, arms: Sequence[Arm], version: str | None
) -> list[Sign]:
    """Say in short what each arm said of the night; nothing of a night that a person skipped."""
    if watched.state == "skipped":
        return []
    if watched.state == "silent":
        rows = datasets.table(model, workspace.spec(model).rows_source)
        partial = workspace.store.version(rows, watched.night) > 0
        return [Sign("delivery", "silent", "partial_night" if partial else watched.cause)]
    return [Sign("delivery", "quiet"), _guards(watched), *(_sign(arm, watched, version) for arm in arms)]


def _guards(watched: Watched) -> Sign:
    """Say what stood guard without a reference; it is quiet wherever it saw nothing broken."""
    found: Any = watched.arms.get("guards")
    if found is None:
        return Sign("guards", "quiet")
    columns = tuple(found["evidence"]["columns"])[:COLUMNS_KEPT]
    return Sign("guards", found["outcome"], "broken_feed", columns=columns)


def _sign(arm: Arm, watched: Watched, version: str | None) -> Sign:
    labels = arm.name in LABEL_ARMS
    cause = None if watched.cause == "concept" and not labels else watched.cause
    found = Sign(
        arm.name,
        arm.outcome,  # type: ignore[arg-type]  # no arm is silent or skipped
        version=version if labels else None,
        done=ASKED if labels and watched.asks == "drift" else None,
    )
    if not found.loud:
        return found
    columns = dict.fromkeys(moved.column for moved in arm.reading.columns if moved.column)
    return replace(found, cause=cause, columns=tuple(columns)[:COLUMNS_KEPT])


def follow(workspace: Workspace, model: str, night: Night, signs: Sequence[Sign]) -> Followed:
    """Return the findings as they stand after tonight, from the nights before it and tonight's signs."""
    dataset, begin = datasets.verdicts(model), after(night, -WINDOW_NIGHTS)
    earlier = workspace.store.keys(dataset, last=after(begin, -1))
    stood = _kept(workspace, model, earlier[-1], "findings") if earlier else []
    before = Followed(model, tuple(Finding.from_json(one) for one in stood))
    nights = workspace.store.keys(dataset, begin, after(night, -1))
    return before.through((key, _signs(workspace, model, key)) for key in nights).after(night, signs)


def _signs(workspace: Workspace, model: str, night: Night) -> list[Sign]:
    return [Sign.from_json(one) for one in _kept(workspace, model, night, "signs")]


def _kept(workspace: Workspace, model: str, night: Night, what: str) -> Sequence[Mapping[str, Any]]:
    """Read what the verdict of a night keeps beside its sentence; nothing of a verdict from before there was such."""
    manifest = workspace.store.manifest(datasets.verdicts(model), night)
    kept: Any = manifest.meta.get(what) if manifest else None
    return kept or []


def named(watched: Watched, followed: Followed) -> Watched:
    """Put the findings into the verdict; the one that asks, else the gravest, is the night's own."""
    seen = [one for one in followed.findings if one.last_night == watched.night]
    asks = watched.asks == "drift"
    seen.sort(key=lambda one: (asks and one.problem == RELATION, GRAVITY.index(one.gravest)))
    lives = [{**one.as_json(), "life": one.life(watched.night)} for one in followed.findings]
    own = seen[-1].id if seen and (asks or watched.state in ("page", "silent")) else None
    return replace(watched, finding=own, findings=lives)


def record_findings(
    workspace: Workspace,
    model: str,
    watched: Watched,
    followed: Followed,
    arms: Sequence[Arm],
    signs: Sequence[Sign],
) -> None:
    """Write down what opened, went on, got graver or is over tonight, and take back what stands no more."""
    night, told = watched.night, set()
    for one in followed.findings:
        life = one.life(night)
        if life == "waits":
            continue
        told.add(f"{night}.{one.id}")
        loud = [sign for sign in signs if sign.loud and sign.problem == one.problem]
        outcome = max((sign.outcome for sign in loud), key=GRAVITY.index, default=None)
        reason = _sentence(one, night, _reason(watched, arms, loud))
        evidence: Evidence = {"finding": one.as_json(), "outcome": outcome}
        entry = _entry(model, night, f"finding_{life}", one.id, reason, evidence)
        record_again(workspace, entry, among=KINDS, to_do=watched.action if loud else None)
    for entry in _no_longer(workspace, model, night, told):
        record_again(workspace, entry, among=KINDS)


def _entry(model: str, night: Night, kind: str, identity: str, reason: str, evidence: Evidence) -> NewEntry:
    return NewEntry(model, kind, f"{night}.{identity}", night, "monitor", reason, evidence)


def _no_longer(workspace: Workspace, model: str, night: Night, told: set[str]) -> list[NewEntry]:
    """Take back what was said of this night when it was judged before, where it is not said now."""
    said = workspace.ledger.entries(model, KINDS, first_night=night, last_night=night)
    last = {entry.key.partition(REVISION)[0]: entry for entry in said}
    return [
        _entry(model, night, WITHDRAWN, key.partition(".")[2], _taken_back(entry), entry.evidence)
        for key, entry in last.items()
        if key not in told and entry.kind != WITHDRAWN
    ]


def _taken_back(entry: Entry) -> str:
    finding: Any = entry.evidence["finding"]
    if finding["problem"] == DELIVERY:
        return f"What was missing for {entry.night} came late, and the night was judged after all."
    return f"{entry.night} was judged again, and no longer shows what was found on it ({finding['problem']})."


def _reason(watched: Watched, arms: Sequence[Arm], loud: Sequence[Sign]) -> str:
    """Say what was seen tonight: the night's own sentence, or that of the arms that saw this problem."""
    seen = [arm for arm in arms if arm.name in {sign.arm for sign in loud}]
    if not seen or any(arm.outcome == watched.state for arm in seen):
        return watched.reason
    return " ".join(arm.decision.reason for arm in seen)


def _sentence(one: Finding, night: Night, reason: str) -> str:
    life = one.life(night)
    if life == "goes_on":
        return f"Going on since {one.first_night}, seen on {one.nights} nights: {reason}"
    if life == "graver":
        return f"Graver than before, first seen on {one.first_night}: {reason}"
    if life == "recovered":
        return (
            f"Over on {night}: {one.how}. What was found ({one.problem}: {', '.join(one.causes) or 'no cause named'}) "
            f"was first seen on {one.first_night}, last on {one.last_night}, on {one.nights} nights."
        )
    return reason


@dataclass(frozen=True)
class Known:
    """A finding and the sentence that opened it."""

    finding: Finding
    reason: str

    @property
    def night(self) -> Night:
        """Its first night."""
        return self.finding.first_night

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {"night": self.night, "reason": self.reason, **self.finding.as_json()}


def findings(workspace: Workspace, model: str) -> list[Known]:
    """List every finding from the first verdict on, oldest first, whatever order the nights were judged in."""
    known: dict[str, Finding] = {}
    followed = Followed(model)
    for night in workspace.store.keys(datasets.verdicts(model)):
        followed = followed.after(night, _signs(workspace, model, night))
        known |= {one.id: one for one in followed.findings}
    reasons: dict[str, str] = {}
    for entry in workspace.ledger.entries(model, KINDS):
        finding: Any = entry.evidence["finding"]
        reasons.setdefault(finding["id"], entry.reason)
    return [Known(one, reasons.get(one.id, "")) for one in known.values()]
