"""Judge what was decided about training by what happened, and tell every decision beside it.

Asked whenever a retraining is, and by the nightly watch: each decision is judged once, as soon as 28 nights after it
have settled. What was foretold stands beside what came, so that a policy which promises too much is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from perennial.clock import Night, nights_apart
from perennial.facts.evidence import Json
from perennial.facts.expected_gain import JUDGED_NIGHTS
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.candidates import trainings
from perennial.stages.hindsight import Change, beside, fared, nights_after
from perennial.stages.past_trainings import JUDGED, Attempt, attempts, cost
from perennial.stages.recording import record
from perennial.workspace import Workspace

WAITED = "waiting_judged"
NO = ("retrain_waits", "retrain_refused")
ASKED = ("retrain", *NO)


def judge_past(workspace: Workspace, model: str, night: Night) -> list[Entry]:
    """Record what came of every decision that 28 settled nights have followed; a second time finds nothing to do."""
    return [*_judged_trainings(workspace, model, night), *_judged_waiting(workspace, model, night)]


def _judged_trainings(workspace: Workspace, model: str, night: Night) -> Iterator[Entry]:
    said = {one.key for one in workspace.ledger.entries(model, kinds={JUDGED})}
    open_ones = [
        one
        for one in attempts(workspace, model, night)
        if one.version.version not in said and _over(workspace, model, one.version.night, night)
    ]
    known = {each.version: each for each in trainings(workspace, model)} if open_ones else {}
    for one in open_ones:
        change = beside(workspace, one.version, known[one.met], night)
        if change is not None:
            yield _record(workspace, model, JUDGED, one.version.version, night, *_of_training(one, change))


def _of_training(one: Attempt, change: Change) -> tuple[str, dict[str, Json]]:
    expected: Any = one.asked.evidence.get("expected") if one.asked and one.promoted else None
    brought = "brought" if one.promoted else "was refused and would have brought"
    sentence = (
        f"Version {one.version.version}, trained on {one.version.night}, {brought} {change.loss} beside version "
        f"{one.met}{_held_beside(change, expected)}."
    )
    about: dict[str, Json] = {
        "version": one.version.version,
        "met": one.met,
        "trained": one.version.night,
        "trigger": one.trigger,
        "promoted": one.promoted,
        "expected": expected,
    }
    return sentence, about | change.as_json()


def _held_beside(change: Change, expected: Mapping[str, Any] | None) -> str:
    if not expected:
        return ""
    low, high = float(expected["low"]), float(expected["high"])
    word = "more than" if change.gain > high else "less than" if change.gain < low else "within"
    return f", {word} what was foretold ({-100 * high:+.2g} to {-100 * low:+.2g} %)"


def _judged_waiting(workspace: Workspace, model: str, night: Night) -> Iterator[Entry]:
    """Judge the first "no" of every 28 nights: those after it are about the same nights."""
    said = {one.key for one in workspace.ledger.entries(model, kinds={WAITED})}
    last: Night | None = None
    for entry in workspace.ledger.entries(model, kinds=NO, last_night=night):
        if last is not None and nights_apart(last, entry.night) < JUDGED_NIGHTS:
            continue
        last = entry.night
        if entry.night in said or not _over(workspace, model, entry.night, night):
            continue
        change = fared(workspace, model, entry.night, night)
        if change is not None:
            sentence = (
                f"After the no of {entry.night} what was served had {change.loss}, beside the nights before."
            )
            about: dict[str, Json] = {"decided": entry.night, "trigger": str(entry.evidence["trigger"])}
            yield _record(workspace, model, WAITED, entry.night, night, sentence, about | change.as_json())


def _over(workspace: Workspace, model: str, decided: Night, night: Night) -> bool:
    if nights_apart(decided, night) < JUDGED_NIGHTS:
        return False
    return len(nights_after(workspace, model, decided, night)) == JUDGED_NIGHTS


def _record(
    workspace: Workspace,
    model: str,
    kind: str,
    key: str,
    night: Night,
    reason: str,
    evidence: Mapping[str, Json],
) -> Entry:
    new = NewEntry(model, kind, key, night, "hindsight", reason, evidence)
    return record(workspace, new)


@dataclass(frozen=True)
class Decided:
    """One decision about training, and what came of it as far as it is known."""

    asked: Entry
    version: str | None
    """The challenger that was trained; none after a no."""
    promoted: bool
    cpu_seconds: float | None
    """What it cost; none after a no, or where it was not recorded."""
    came: str
    """What the nights after it said, or why nothing is said yet."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        own: dict[str, Json] = {
            name: getattr(self, name) for name in ("version", "promoted", "cpu_seconds", "came")
        }
        asked = self.asked
        return {
            "night": asked.night,
            "answer": asked.kind,
            "trigger": str(asked.evidence["trigger"]),
            "reason": asked.reason,
            "expected": asked.evidence.get("expected"),
            **own,
        }


def decisions(workspace: Workspace, model: str, night: Night) -> list[Decided]:
    """List every request for a training up to a night with its answer, cost and what came; nothing is written."""
    tried = {one.asked.id: one for one in attempts(workspace, model, night) if one.asked}
    waited = {str(one.key): one for one in workspace.ledger.entries(model, kinds={WAITED})}
    asked = workspace.ledger.entries(model, kinds=ASKED, last_night=night)
    return [_decided(workspace, model, one, tried.get(one.id), waited, night) for one in asked]


def _decided(
    workspace: Workspace,
    model: str,
    asked: Entry,
    one: Attempt | None,
    waited: Mapping[str, Entry],
    night: Night,
) -> Decided:
    if one is None:
        said = waited.get(asked.night) if asked.kind in NO else None
        first = asked.kind == "retrain" and workspace.ledger.champion(model, asked.night) is None
        silent = "Nothing to judge: it met no champion." if first else _not_yet(asked, night)
        return Decided(asked, None, False, None, said.reason if said else silent)
    spent = cost(workspace, model, one.version.version)
    if one.judged is not None:
        return Decided(asked, one.version.version, one.promoted, spent, one.judged.reason)
    known = {each.version: each for each in trainings(workspace, model)}
    change = beside(workspace, one.version, known[one.met], night, build=False)
    so_far = f"So far: {_of_training(one, change)[0]}" if change else _not_yet(asked, night)
    return Decided(asked, one.version.version, one.promoted, spent, so_far)


def _not_yet(asked: Entry, night: Night) -> str:
    if nights_apart(asked.night, night) >= 2 * JUDGED_NIGHTS:
        return "Not judged: too few nights after it have settled, or it stands for another no close by."
    return f"Not judged yet: {JUDGED_NIGHTS} nights after it must have settled."
