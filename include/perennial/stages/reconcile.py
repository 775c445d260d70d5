"""Find what people changed by hand in MLflow, and undo it or adopt it as declared: a line and an alert for each.

Runs every few minutes for all models. Nothing depends on it for who serves: scoring goes by the ledger and by the
hash of the bytes. What is adopted goes through the gates like any other candidate.
"""

from __future__ import annotations

import fcntl

from perennial.clock import Night, wall_clock
from perennial.errors import PerennialError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.registry.mirror import Mirror
from perennial.spec.load import model_folders
from perennial.stages import datasets
from perennial.stages.adopt_alias import adopt_alias
from perennial.stages.candidates import candidate, mirror_champion
from perennial.stages.differences import Difference, expected_tags, of_alias, of_versions
from perennial.stages.keeping import content
from perennial.stages.policy_changes import record_policies
from perennial.stages.recording import record
from perennial.workspace import Workspace

ACTOR = "reconcile"
KIND, DAMAGED = "reconciled", "registry_damaged"
SETTLED = ("left", "cannot")
"""Outcomes after which the difference stands on; told once."""


def reconcile(workspace: Workspace, model: str) -> list[Entry]:
    """Put right what is otherwise than the ledger says, or adopt it, and return what was recorded of it."""
    mirror = Mirror(workspace.tracking_uri)
    done = [
        entry
        for difference in of_versions(workspace, mirror, model)
        if (entry := _put_right(workspace, mirror, model, difference)) is not None
    ]
    # Afterwards: an alias goes with the version that it pointed at, and comes back with it.
    for difference in of_alias(workspace, mirror, model, patient=not done):
        entry = _alias(workspace, mirror, model, difference)
        if entry is not None:
            done.append(entry)
    if workspace.ledger.champion(model) is not None:  # before, the first verdict of the gates tells them
        record_policies(workspace, model, _night(workspace, model))
    return done


def reconcile_all(workspace: Workspace) -> tuple[dict[str, list[Entry]], dict[str, str]]:
    """Reconcile every model; return what was recorded, and why a model could not be looked at: none stops another."""
    from mlflow.exceptions import MlflowException

    done: dict[str, list[Entry]] = {}
    failed: dict[str, str] = {}
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / "reconcile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would bring a version back twice
        for folder in model_folders(workspace.models):
            if workspace.ledger.last(folder.name, "registered") is None:
                continue
            try:
                done[folder.name] = reconcile(workspace, folder.name)
            except (PerennialError, MlflowException) as problem:
                failed[folder.name] = str(problem)
    return done, failed


def _put_right(workspace: Workspace, mirror: Mirror, model: str, difference: Difference) -> Entry | None:
    """Undo a change of a version; bytes and tags follow from the ledger, so there is nothing in them to adopt."""
    if difference.what == "stranger":
        return _say(
            workspace,
            model,
            difference,
            "left",
            "Nothing vouches for it, so it cannot serve. It is left there.",
        )
    told = candidate(workspace, model, difference.subject)
    if difference.what == "tags":
        mirror.put_tags(model, difference.number, expected_tags(workspace, told))
        return _say(workspace, model, difference, "reverted", "They were set back.")
    found = content(workspace, mirror, told)
    if found is None:
        return _say(
            workspace,
            model,
            difference,
            "cannot",
            f"No file with the SHA-256 {told.sha256} is left to restore.",
        )
    if difference.number:
        mirror.drop(model, difference.number)
    tags = {"perennial.run_key": f"restored-{told.sha256[:16]}"} | expected_tags(workspace, told)
    number = mirror.bring_back(model, told.version, found, tags)
    under = "" if number == told.version else f", as version {number} of MLflow"
    return _say(workspace, model, difference, "reverted", f"It was brought back from its bytes{under}.")


def _alias(workspace: Workspace, mirror: Mirror, model: str, difference: Difference) -> Entry | None:
    """Set the alias back, or let the version that it points at take the road into production first."""
    why = "It was set back."
    if workspace.spec(model).registry == "adopt" and difference.number:
        adopted, why = adopt_alias(
            workspace, model, difference.number, difference.found, _night(workspace, model), actor=ACTOR
        )
        if adopted:
            return _say(workspace, model, difference, "adopted", why)
    if difference.expected == "nothing":
        mirror.drop_alias(model, difference.subject)
    elif difference.expected in {one.version for one in mirror.seen(model)}:
        mirror_champion(workspace, model)
    else:
        return _say(workspace, model, difference, "cannot", "The version that serves is not in the registry.")
    return _say(workspace, model, difference, "reverted", why)


_NAMED = {
    "version gone": "Version {subject} of {model} is gone from the registry.",
    "artefact": "Version {subject} of {model} has other bytes than were trained: {found}, not {expected}.",
    "tags": "Version {subject} of {model} has other tags: {found}; by the ledger {expected}.",
    "stranger": "Version {subject} of {model} has no line in the ledger: registered by hand, or by a run cut off.",
    "alias": "The alias {subject} of {model} points at {found}; by the ledger it is {expected}.",
}


def _say(workspace: Workspace, model: str, difference: Difference, done: str, sentence: str) -> Entry | None:
    """Record what was found and done; a difference that stands on is told once."""
    about = f"{difference.what.replace(' ', '_')}-{difference.subject}"
    before = [
        one for one in workspace.ledger.entries(model, {KIND, DAMAGED}) if one.key.rpartition("-")[0] == about
    ]
    evidence: dict[str, Json] = {
        "what": difference.what,
        "subject": difference.subject,
        "found": difference.found,
        "expected": difference.expected,
        "done": done,
    }
    if done in SETTLED and before and before[-1].evidence == evidence:
        return None
    named = _NAMED[difference.what].format(model=model, **evidence)
    return record(
        workspace,
        NewEntry(
            model=model,
            kind=DAMAGED if done == "cannot" else KIND,
            key=f"{about}-{len(before) + 1}",
            night=_night(workspace, model),
            actor=ACTOR,
            reason=f"{named} {sentence}",
            evidence=evidence,
        ),
    )


def _night(workspace: Workspace, model: str) -> Night:
    """Return the newest night that is closed; where there are none, today's date."""
    closed = workspace.store.keys(datasets.nights(model))
    return closed[-1] if closed else wall_clock().date().isoformat()
