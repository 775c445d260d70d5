"""Who served at any past moment, to whom, and on whose word: read from the ledger, which verifies itself first.

A decision that was recorded during the very night from which it holds, holds from that moment on; one recorded
before, or looking back, from the beginning of its night. The store says which version's predictions are published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from perennial.clock import Night, end_of, moment, start_of
from perennial.errors import NothingServedError
from perennial.facts.canary import in_canary
from perennial.facts.evidence import Json
from perennial.ledger.base import SERVING_KINDS, Entry, Serving
from perennial.ledger.reigns import serving_at
from perennial.stages import datasets
from perennial.stages.standing import layer_said
from perennial.workspace import Workspace

CANARY = ("canary_started", "canary_ended")
LETS_THROUGH = ("passed", "approved", "forced", "adopted")
"""Kinds of lines without which nothing serves; each names its version as ``candidate`` or ``version``."""


@dataclass(frozen=True)
class Canary:
    """A second version that answered for a share of the entities at that moment."""

    version: str
    share: float
    salt: str
    entry: Entry
    """The line that began it."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {"version": self.version, "share": self.share, "salt": self.salt, "entry_id": self.entry.id}


@dataclass(frozen=True)
class ServedAt:
    """What is known of one moment."""

    asked: str
    """The moment, as it was asked for."""
    night: Night
    """The night it lies in."""
    serving: Serving
    """The version that reigned."""
    let_through: tuple[Entry, ...]
    """The lines on whose word it serves: gates, approval, force, adoption, or the rollback itself."""
    canary: Canary | None
    entity: str | None
    """Whom it is asked for; none for everybody."""
    version: str
    """The version that answered: for the entity, or for all whom no canary served."""
    scored: dict[str, Json] | None
    """Version and rows of the predictions that are published for the night."""
    layer: str | None
    """What the nightly layer said of the night."""
    problems: tuple[str, ...]
    """What was done to the ledger; empty where every line is as it was written."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {
            **vars(self.serving),
            "at": self.asked,
            "night": self.night,
            "entity": self.entity,
            "answered_by": self.version,
            "canary": self.canary.as_json() if self.canary else None,
            "let_through": [one.as_json() for one in self.let_through],
            "forced": any(one.kind == "forced" for one in self.let_through),
            "scored": self.scored,
            "layer": self.layer,
            "ledger": {"whole": not self.problems, "problems": list(self.problems)},
        }


def served_at(workspace: Workspace, model: str, at: str, entity: str | None = None) -> ServedAt:
    """Say who served at a moment: a night, ``2013-05-12``, or a time, ``2013-05-12T14:30`` in the model's time zone.

    Raises:
        NotAMomentError: it is neither.
        NothingServedError: nothing was in production then.
    """
    timezone = workspace.spec(model).timezone
    night, instant = moment(at, timezone)
    said = workspace.ledger.entries(model, (*SERVING_KINDS, *CANARY), last_night=night)
    held = [one for one in said if _holds(one, night, instant, timezone)]
    reign = serving_at([one for one in held if one.kind in SERVING_KINDS], None)
    if reign is None:
        raise NothingServedError(model, at)
    canary = _canary(held)
    asked = canary is not None and entity is not None and in_canary(entity, canary.salt, canary.share)
    return ServedAt(
        asked=at,
        night=night,
        serving=_with_its_end(workspace, reign),
        let_through=_let_through(workspace, reign),
        canary=canary,
        entity=entity,
        version=canary.version if canary and asked else reign.version,
        scored=_scored(workspace, model, night),
        layer=layer_said(
            workspace.ledger.entries(model, {"layer"}, first_night=night, last_night=night), [night]
        ),
        problems=tuple(workspace.ledger.verify()),
    )


def _holds(entry: Entry, night: Night, instant: datetime | None, timezone: str) -> bool:
    """Whether a decision of that night or an earlier one holds at the moment."""
    if instant is None or entry.night != night:
        return True
    recorded = datetime.fromisoformat(entry.recorded_at)
    meanwhile = start_of(night, timezone) < recorded < end_of(night, timezone)
    return not meanwhile or recorded <= instant


def _canary(held: Sequence[Entry]) -> Canary | None:
    """Return the canary that stands: begun, not ended, and no other decision about who serves after it."""
    begun = [one for one in held if one.kind == "canary_started"]
    if not begun or any(one.seq > begun[-1].seq for one in held if one.kind != "canary_started"):
        return None
    told = begun[-1].evidence
    return Canary(str(told["version"]), float(str(told["share"])), str(told["salt"]), begun[-1])


def _with_its_end(workspace: Workspace, reign: Serving) -> Serving:
    """Return the reign with the night on which it ended, which was not known at the moment."""
    known = workspace.ledger.timeline(reign.model)
    return next((one for one in known if one.entry_id == reign.entry_id), reign)


def _let_through(workspace: Workspace, reign: Serving) -> tuple[Entry, ...]:
    """List the lines that stand behind a reign; for a rollback also those of the version's first promotion."""
    serves = workspace.ledger.get(reign.entry_id)
    if serves is None:
        return ()
    said = workspace.ledger.entries(reign.model, LETS_THROUGH)
    about = [
        one
        for one in said
        if one.seq < serves.seq
        and reign.version in (one.evidence.get("version"), one.evidence.get("candidate"))
    ]
    latest = {one.kind: one for one in about}
    if serves.kind == "rolled_back":
        return (*sorted(latest.values(), key=lambda one: one.seq), serves)
    return tuple(sorted(latest.values(), key=lambda one: one.seq))


def _scored(workspace: Workspace, model: str, night: Night) -> dict[str, Json] | None:
    found = workspace.store.manifest(datasets.predictions(model), night)
    return {"version": str(found.meta["version"]), "rows": found.rows} if found else None
