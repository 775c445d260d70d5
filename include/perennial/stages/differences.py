"""What stands otherwise in MLflow than the ledger says: the versions, their tags and bytes, and the alias.

Asked by the reconciler every few minutes, so it reads little: the list of versions, the aliases, and the bytes of
those that serve or could be returned to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from perennial.clock import wall_clock
from perennial.errors import PerennialError
from perennial.ledger.base import Serving
from perennial.registry.mirror import Mirror, Seen
from perennial.registry.server import RUN_KEY
from perennial.stages.candidates import Candidate, trainings
from perennial.stages.keeping import keep
from perennial.stages.usage import run_of
from perennial.workspace import Workspace

What = Literal["version gone", "artefact", "tags", "stranger", "alias"]
CHAMPION = "champion"
GUARDED_VERSIONS = 3
"""Versions whose bytes are looked at each time: the champion and those that it could be left for."""
UNDER_WAY = timedelta(hours=1)
"""A version is registered before the ledger names it; one that is older than this was registered by hand."""
MIRRORED_WITHIN = timedelta(minutes=2)
"""The alias follows the ledger's line; within this time it is on its way."""


@dataclass(frozen=True)
class Difference:
    """One thing in MLflow that is not as the ledger says."""

    what: What
    subject: str
    """The version, by the ledger's number, or the alias."""
    found: str
    expected: str
    number: str = ""
    """The version's number in MLflow, where it is there."""


def of_versions(workspace: Workspace, mirror: Mirror, model: str) -> list[Difference]:
    """List what is otherwise about versions: gone, other bytes, other tags, or registered by hand."""
    known = {one.version: one for one in trainings(workspace, model)}
    seen = {one.version: one for one in mirror.seen(model)}
    guarded = _guarded(workspace, mirror, model)
    found: list[Difference] = []
    for version, told in known.items():
        if version not in seen:
            found.append(Difference("version gone", version, "no such version", told.sha256))
            continue
        found += _of_tags(workspace, told, seen[version])
        if version in guarded:
            found += _of_bytes(workspace, mirror, told, seen[version])
    return found + _strangers(known, list(seen.values()))


def of_alias(workspace: Workspace, mirror: Mirror, model: str, *, patient: bool = True) -> list[Difference]:
    """Say whether the alias of the champion points elsewhere than the ledger; at nothing, counts as well.

    Where ``patient``, an alias that may only not have followed yet is no difference.
    """
    reigning = workspace.ledger.champion(model)
    number = mirror.aliases(model).get(CHAMPION)
    by_number = {one.number: one.version for one in mirror.seen(model)}
    found = by_number.get(number, number) if number is not None else None
    expected = reigning.version if reigning else None
    if found == expected or (patient and _on_its_way(workspace, reigning, found)):
        return []
    return [Difference("alias", CHAMPION, found or "nothing", expected or "nothing", number or "")]


def expected_tags(workspace: Workspace, told: Candidate) -> dict[str, str]:
    """Return the tags of a version that follow from the ledger."""
    run = run_of(workspace, told.model, told.version) or _adopted_run(workspace, told)
    tags = {
        "perennial.model": told.model,
        "perennial.estimator": told.estimator,
        "perennial.sha256": told.sha256,
        "perennial.behaviour": told.behaviour,
    }
    return {**tags, RUN_KEY: run} if run else tags


def _adopted_run(workspace: Workspace, told: Candidate) -> str | None:
    """Return the key of the run in which an adopted version was registered, where it serves or served."""
    served = workspace.ledger.entries(told.model, {"promoted"})
    sources = [one.evidence.get("artefact") for one in served if one.evidence["version"] == told.version]
    return f"adopted-{str(sources[-1])[:16]}" if sources and sources[-1] else None


def _of_tags(workspace: Workspace, told: Candidate, seen: Seen) -> list[Difference]:
    wanted = expected_tags(workspace, told)
    wrong = {name: value for name, value in wanted.items() if seen.tags.get(name) != value}
    if not wrong:
        return []
    found = ", ".join(f"{name} is {seen.tags.get(name, 'gone')}" for name in wrong)
    expected = ", ".join(f"{name} is {value}" for name, value in wrong.items())
    return [Difference("tags", told.version, found, expected, seen.number)]


def _of_bytes(workspace: Workspace, mirror: Mirror, told: Candidate, seen: Seen) -> list[Difference]:
    try:
        artefact = mirror.artefact(told.model, told.version)
    except PerennialError as problem:
        return [Difference("artefact", told.version, f"unreadable: {problem}", told.sha256, seen.number)]
    if artefact.sha256 != told.sha256:
        return [Difference("artefact", told.version, artefact.sha256, told.sha256, seen.number)]
    keep(workspace, mirror, told, artefact.data)
    return []


def _guarded(workspace: Workspace, mirror: Mirror, model: str) -> list[str]:
    """Name the versions whose bytes are looked at; where each look is a download, the champion alone."""
    served = [reign.version for reign in reversed(workspace.ledger.timeline(model))]
    return list(dict.fromkeys(served))[: GUARDED_VERSIONS if mirror.is_local else 1]


def _strangers(known: Mapping[str, Candidate], seen: Sequence[Seen]) -> list[Difference]:
    now = wall_clock()
    return [
        Difference("stranger", one.version, f"version {one.number}", "no line of the ledger", one.number)
        for one in seen
        if one.version not in known and now - one.made > UNDER_WAY
    ]


def _on_its_way(workspace: Workspace, reigning: Serving | None, found: str | None) -> bool:
    """Whether the ledger's line is so new that the alias may still be where the last reign had left it."""
    entry = workspace.ledger.get(reigning.entry_id) if reigning else None
    if entry is None or wall_clock() - datetime.fromisoformat(entry.recorded_at) > MIRRORED_WITHIN:
        return False
    earlier = [one.version for one in workspace.ledger.timeline(entry.model) if one.entry_id != entry.id]
    return found == (earlier[-1] if earlier else None)
