"""Put an earlier version back into production, at once, by a person's word.

Only the ledger decides who serves; the registry's alias follows it.
"""

from __future__ import annotations

from perennial.clock import Night, after
from perennial.errors import NeverServedError, NothingToRollBackToError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry, Serving
from perennial.stages.candidates import Predictor, candidate, mirror_champion
from perennial.stages.recording import record
from perennial.workspace import Workspace


def roll_back(
    workspace: Workspace, model: str, night: Night, *, reason: str, actor: str, version: str | None = None
) -> Entry:
    """Return to ``version``, by default the one that last served well, from the night after ``night``.

    The bytes are loaded and verified before anything changes. The same request again, or one for the version
    that serves already, changes nothing.

    Raises:
        NothingToRollBackToError: no other version has served well.
        NeverServedError: the version was never in production; only the gates lead there.
    """
    reigns = workspace.ledger.timeline(model)
    now = reigns[-1] if reigns else None
    done = _done(workspace, now, night, reason, actor, version)
    if done is None:
        target = version or _last_that_served_well(model, reigns)
        _refuse_untried(model, reigns, target)
        Predictor(workspace, candidate(workspace, model, target))
        done = record(workspace, _decision(model, night, now, target, reason, actor))
    mirror_champion(workspace, model)
    return done


def _decision(
    model: str, night: Night, now: Serving | None, target: str, reason: str, actor: str
) -> NewEntry:
    leaving = now.version if now else None
    evidence: dict[str, Json] = {"version": target, "from": leaving, "said": reason}
    return NewEntry(
        model=model,
        kind="rolled_back",
        key=f"{now.entry_id[:12] if now else night}-{target}",
        # Never before the reign that it ends: asked on an old night, it still holds at once.
        night=max(after(night), now.first_night) if now else after(night),
        actor=actor,
        reason=f"{actor} returned {model} from version {leaving} to version {target}: {reason}",
        evidence=evidence,
    )


def _done(
    workspace: Workspace, now: Serving | None, night: Night, reason: str, actor: str, version: str | None
) -> Entry | None:
    """Return the line that already says what is asked for."""
    entry = workspace.ledger.get(now.entry_id) if now else None
    if entry is None:
        return None
    this = (entry.kind, entry.actor, entry.evidence.get("said")) == ("rolled_back", actor, reason)
    same_request = version is None and this and entry.night >= after(night)
    return entry if same_request or entry.evidence["version"] == version else None


def _last_that_served_well(model: str, reigns: list[Serving]) -> str:
    """Name the version before the present one, without those that were ever left for an earlier one."""
    good: list[str] = []
    for reign in reigns:
        if reign.kind == "rolled_back" and reign.version in good:
            del good[good.index(reign.version) :]
        if _served(reign):
            good.append(reign.version)
    current = reigns[-1].version if reigns else None
    earlier = [version for version in good if version != current]
    if not earlier:
        raise NothingToRollBackToError(model, current)
    return earlier[-1]


def _refuse_untried(model: str, reigns: list[Serving], target: str) -> None:
    served = list(dict.fromkeys(reign.version for reign in reigns if _served(reign)))
    if target not in served:
        raise NeverServedError(model, target, served)


def _served(reign: Serving) -> bool:
    """Whether it served for a night; one that was replaced before its first night did not."""
    return reign.until is None or reign.until > reign.first_night
