"""Put an earlier version back into production, at once, by a person's word.

Only the ledger decides who serves; the registry's alias follows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from perennial.clock import Night, after, nights_apart
from perennial.errors import NeverServedError, NothingToRollBackToError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry, Serving
from perennial.stages.candidates import Predictor, candidate, mirror_champion
from perennial.stages.recording import record
from perennial.workspace import Workspace

PROVEN_NIGHTS = 14


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
    current = reigns[-1].version if reigns else None
    earlier = [version for version in _that_served_well(reigns)[0] if version != current]
    if not earlier:
        raise NothingToRollBackToError(model, current)
    return earlier[-1]


def proven_live(reigns: Sequence[Serving], version: str) -> str | None:
    """Name the version that ``version`` would be rolled back to: the last that served well for a fortnight.

    Where none has served that long, the last that served well; nothing where there is none.
    """
    earlier = [name for name in _that_served_well(reigns)[0] if name != version]
    proven = [name for name in earlier if _nights_served(reigns, name) >= PROVEN_NIGHTS]
    return next(iter([*proven[-1:], *earlier[-1:]]), None)


def left_by_rollback(reigns: Sequence[Serving]) -> set[str]:
    """Name the versions that were left for an earlier one, and that nobody has returned to since."""
    return _that_served_well(reigns)[1]


def _that_served_well(reigns: Sequence[Serving]) -> tuple[list[str], set[str]]:
    good: list[str] = []
    left: set[str] = set()
    for reign in reigns:
        if reign.kind == "rolled_back" and reign.version in good:
            left |= {*good[good.index(reign.version) :]}
            del good[good.index(reign.version) :]
        if _served(reign):
            good.append(reign.version)
    return good, left - {*good, *(reign.version for reign in reigns[-1:])}


def _nights_served(reigns: Sequence[Serving], version: str) -> int:
    last = reigns[-1].first_night
    own = [reign for reign in reigns if reign.version == version]
    return sum(nights_apart(reign.first_night, reign.until or last) for reign in own)


def _refuse_untried(model: str, reigns: list[Serving], target: str) -> None:
    served = list(dict.fromkeys(reign.version for reign in reigns if _served(reign)))
    if target not in served:
        raise NeverServedError(model, target, served)


def _served(reign: Serving) -> bool:
    """Whether it served for a night; one that was replaced before its first night did not."""
    return reign.until is None or reign.until > reign.first_night
