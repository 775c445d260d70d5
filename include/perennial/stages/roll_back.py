"""Put an earlier version back into production, at once, by a person's word.

Only the ledger decides who serves; the registry's alias follows it.
"""

from __future__ import annotations

from perennial.clock import Night, after
from perennial.errors import NothingToRollBackToError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.candidates import Predictor, candidate
from perennial.stages.recording import record
from perennial.workspace import Workspace


def roll_back(
    workspace: Workspace, model: str, night: Night, *, reason: str, actor: str, version: str | None = None
) -> Entry:
    """Return to ``version``, by default the one that served before, from the night after ``night``.

    The bytes are loaded and verified before anything changes. Asking again for the version that
    serves already changes nothing.
    """
    now = workspace.ledger.champion(model)
    target = version or _before(workspace, model)
    Predictor(workspace, candidate(workspace, model, target))
    leaving = now.version if now else None
    evidence: dict[str, Json] = {"version": target, "from": leaving, "said": reason}
    entry = record(
        workspace,
        NewEntry(
            model=model,
            kind="rolled_back",
            key=f"{night}-{leaving}-{target}",
            night=after(night),
            actor=actor,
            reason=f"{actor} returned {model} from version {leaving} to version {target}: {reason}",
            evidence=evidence,
        ),
    )
    workspace.registry.set_alias(model, "champion", target)
    return entry


def _before(workspace: Workspace, model: str) -> str:
    reigns = workspace.ledger.timeline(model)
    current = reigns[-1].version if reigns else None
    earlier = [reign.version for reign in reigns if reign.version != current]
    if not earlier:
        raise NothingToRollBackToError(model, current)
    return earlier[-1]
