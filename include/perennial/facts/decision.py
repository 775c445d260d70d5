"""What a gate or policy concluded, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from perennial.facts.evidence import Evidence, Json, canonical, fingerprint


class Verdict(Enum):
    """The three answers a gate may give."""

    PASS = "pass"
    """The evidence meets the bar."""

    FAIL = "fail"
    """The evidence misses the bar."""

    HOLD = "hold"
    """There is too little evidence to say; nothing may move on a HOLD."""


@dataclass(frozen=True)
class Decision:
    """A verdict, the one sentence that every page, log, ledger entry and alert shows, and its numbers."""

    verdict: Verdict
    reason: str
    evidence: Evidence = field(default_factory=dict)

    @classmethod
    def passed(cls, reason: str, **evidence: Json) -> Decision:
        """Conclude that the evidence meets the bar."""
        return cls(Verdict.PASS, reason, evidence)

    @classmethod
    def failed(cls, reason: str, **evidence: Json) -> Decision:
        """Conclude that the evidence misses the bar."""
        return cls(Verdict.FAIL, reason, evidence)

    @classmethod
    def held(cls, reason: str, **evidence: Json) -> Decision:
        """Conclude that there is too little evidence to say."""
        return cls(Verdict.HOLD, reason, evidence)

    def as_json(self) -> dict[str, Json]:
        """Write the decision as plain values, for the ledger and for Airflow."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "evidence": canonical(self.evidence),
            "evidence_hash": self.evidence_hash,
        }

    @property
    def evidence_hash(self) -> str:
        """Identify what was concluded and why; equal for equal inputs."""
        return fingerprint({"verdict": self.verdict.value, "evidence": self.evidence})
