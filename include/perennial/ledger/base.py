"""What every ledger keeps: one line a decision, append-only, each line chained to the one before.

Stages append at the end of their work; ``who-served``, pages and policies read. A line answers who
decided what for which night, on what evidence, and it cannot be changed without being seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from typing import Protocol

from perennial.clock import Night, night
from perennial.errors import LedgerEntryError
from perennial.facts.evidence import Evidence, Json, fingerprint

SERVING_KINDS = ("promoted", "rolled_back")
"""Kinds that change who serves; their evidence names the ``version`` that serves from then on."""

_KIND = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class NewEntry:
    """A decision that is to be recorded."""

    model: str
    """Whose decision it is."""
    kind: str
    """What was decided, in lower_snake: ``promoted``, ``refused``, ``finding``, ``gate`` …"""
    key: str
    """Identity of the event among those of its kind: recording it twice leaves one line."""
    night: Night
    """The night from which it holds (``effective_at``)."""
    actor: str
    """Who decided: a stage, or a person by name."""
    reason: str
    """One full sentence with the numbers; page, log and alert show this one."""
    evidence: Evidence = field(default_factory=dict)
    """What the decision rests on; hashed, so it holds no run ids and no wall times."""

    def __post_init__(self) -> None:
        """Refuse what could not be found again: a bad kind or night, no key, no reason, no version."""
        night(self.night)
        if not _KIND.fullmatch(self.kind):
            raise LedgerEntryError(self.model, "kind", self.kind, "lower-case words joined by _")
        for name in ("model", "key", "actor", "reason"):
            if not getattr(self, name).strip():
                raise LedgerEntryError(self.model, name, "", "some text")
        version = self.evidence.get("version")
        if self.kind in SERVING_KINDS and not (isinstance(version, str) and version):
            raise LedgerEntryError(self.model, "evidence.version", version, "the version that serves now")

    @property
    def evidence_hash(self) -> str:
        """Identify what was decided and why; equal for equal inputs, whenever and wherever it ran.

        >>> first = NewEntry("delay", "held", "k", "2013-05-12", "evaluate", "Too few nights.")
        >>> first.evidence_hash[:12]
        'e3f04714123b'
        """
        said = {"kind": self.kind, "model": self.model, "night": self.night, "reason": self.reason}
        return fingerprint({**said, "evidence": self.evidence})


@dataclass(frozen=True)
class Entry:
    """A recorded decision: what was said, and where it stands in the chain."""

    seq: int
    """Its place in the ledger, from 1, without gaps."""
    model: str
    kind: str
    key: str
    night: Night
    recorded_at: str
    """Wall time in UTC, ISO 8601; never part of the evidence."""
    actor: str
    reason: str
    evidence: Evidence
    """The evidence in canonical form: numbers rounded, keys in order."""
    evidence_hash: str
    """Hash of kind, model, night, reason and evidence."""
    previous: str
    """Hash of the line before; zeros for the first."""
    hash: str
    """Hash over every other field of this line."""

    @property
    def id(self) -> str:
        """Name the line wherever it is cited: in MLflow tags, pages and alerts."""
        return self.hash

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for pages and the command line."""
        return {**asdict(self), "id": self.id}


@dataclass(frozen=True)
class Serving:
    """A version's reign, half-open in nights."""

    model: str
    version: str
    """The version that serves, as the registry names it."""
    first_night: Night
    """First night it serves."""
    until: Night | None
    """First night it no longer serves; none while it reigns; its first night if replaced at once."""
    kind: str
    """How it came: ``promoted`` or ``rolled_back``."""
    reason: str
    """Why, in the sentence of the ledger."""
    entry_id: str
    """The line that says so."""


class Ledger(Protocol):
    """A place where decisions are recorded; nothing in it is ever changed or removed."""

    def append(self, new: NewEntry) -> Entry:
        """Record a decision once; the same again returns the recorded line.

        Raises:
            LedgerConflictError: the same event was recorded with other content.
        """

    def entries(
        self,
        model: str | None = None,
        kinds: Collection[str] | None = None,
        *,
        first_night: Night | None = None,
        last_night: Night | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """List lines, oldest first; with ``limit`` the latest so many. Both nights are included."""

    def last(self, model: str, *kinds: str) -> Entry | None:
        """Return the line recorded last, of these kinds if any are named."""

    def get(self, entry_id: str) -> Entry | None:
        """Return the line of that id, or of the only id that begins so (8 characters at least)."""

    def verify(self, known: Iterable[str] = ()) -> list[str]:
        """Name every line that was altered, removed or put in; empty when the chain is whole.

        ``known`` are ids noted elsewhere (MLflow tags, a backup): they betray a chain rewritten whole.
        """

    def champion(self, model: str, night: Night | None = None) -> Serving | None:
        """Say who serves at that night, by default after the latest decision."""

    def timeline(self, model: str) -> list[Serving]:
        """List who served, in order of nights; of one night's decisions the later recorded wins."""
