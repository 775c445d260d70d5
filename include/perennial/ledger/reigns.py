"""Who served when: reigns read off the promotions and rollbacks of a ledger.

Pure, so that every back end gives the same answer to ``who-served``.
"""

from __future__ import annotations

from collections.abc import Sequence

from perennial.clock import Night
from perennial.ledger.base import Entry, Serving


def reigns(decisions: Sequence[Entry]) -> list[Serving]:
    """List the reigns in order of nights; of one night's decisions the one recorded later wins."""
    ordered = sorted(decisions, key=lambda entry: (entry.night, entry.seq))
    ends = [*(later.night for later in ordered[1:]), None]
    return [_reign(entry, until) for entry, until in zip(ordered, ends, strict=False)]


def serving_at(decisions: Sequence[Entry], night: Night | None) -> Serving | None:
    """Return the reign that holds at that night, by default the one that has no end."""
    for reign in reversed(reigns(decisions)):
        if night is None or reign.first_night <= night:
            return reign
    return None


def _reign(entry: Entry, until: Night | None) -> Serving:
    return Serving(
        model=entry.model,
        version=str(entry.evidence["version"]),
        first_night=entry.night,
        until=until,
        kind=entry.kind,
        reason=entry.reason,
        entry_id=entry.id,
    )
