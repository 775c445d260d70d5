"""What a set of gates did with broken models: the kill matrix, and what it says of the gates.

Made by ``stages/selftest.py``; recorded in the ledger under the hash of the gates, so that a change of a gate is seen to
need another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from perennial.facts.decision import Decision, Verdict
from perennial.facts.evidence import Json, canonical, fingerprint
from perennial.facts.mutants import Fate

POWER_REACH = 0.8416
"""Normal quantile of the power, .80, with which the smallest visible harm is told."""
Outcome = tuple[Decision, Mapping[str, Decision]]


@dataclass(frozen=True)
class SelfTest:
    """The fates of all mutants, and of two models that nothing is wrong with."""

    version: str
    gates: str
    """Hash of the gates and their parameters."""
    fates: tuple[Fate, ...]
    itself: str
    """What the gate said of the version beside itself: never `better`."""
    again: str
    """Verdict on the recipe trained again with another seed: a good model should pass."""
    smallest_harm: float | None
    """Loss a row that this holdout shows with a power of .80; none where it cannot tell."""

    @classmethod
    def of(
        cls,
        version: str,
        gates: Sequence[BaseModel],
        fates: tuple[Fate, ...],
        itself: Outcome,
        again: Outcome,
    ) -> SelfTest:
        """Put fates and neutral models together."""
        beside = itself[1].get("against_champion")
        return cls(
            version,
            hash_of(gates),
            fates,
            str(beside.evidence.get("outcome", "unassessable")) if beside else "not asked",
            again[0].verdict.value,
            _smallest_harm(again[1].get("against_champion")),
        )

    @property
    def made(self) -> tuple[Fate, ...]:
        """Mutants that could be made of this model."""
        return tuple(fate for fate in self.fates if fate.killed is not None)

    @property
    def survivors(self) -> tuple[Fate, ...]:
        """Mutants that the gates would have promoted."""
        return tuple(fate for fate in self.made if not fate.killed)

    @property
    def killed_share(self) -> float:
        """Share of the mutants that were stopped."""
        return 1 - len(self.survivors) / max(len(self.made), 1)

    @property
    def proven(self) -> bool:
        """Whether every catastrophe was stopped, and the version was not called better than itself."""
        return not any(fate.catastrophic for fate in self.survivors) and self.itself != "better"

    @property
    def telling(self) -> bool:
        """Whether a good model would go on: gates that let nothing through stop broken ones for no merit."""
        return self.again == Verdict.PASS.value

    @property
    def alone(self) -> dict[str, list[str]]:
        """Return for each gate the mutants that it alone stopped: without any, it is not needed for these."""
        found: dict[str, list[str]] = {}
        for fate in self.made:
            if len(fate.by) == 1:
                found.setdefault(fate.by[0], []).append(fate.mutant)
        return found

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and the command line."""
        plain: dict[str, Any] = {
            **asdict(self),
            "fates": [fate.as_json() for fate in self.fates],
            "killed_share": self.killed_share,
            "proven": self.proven,
            "telling": self.telling,
            "alone": self.alone,
        }
        return {name: canonical(value) for name, value in plain.items()}

    def sentence(self) -> str:
        """Say what became of the mutants."""
        kept = ", ".join(fate.mutant for fate in self.survivors)
        said = f"The gates stopped {len(self.made) - len(self.survivors)} of {len(self.made)} broken models"
        survived = f"; {kept} would have been promoted" if kept else ""
        harm = (
            f"; a loss under {self.smallest_harm:.4g} a row is too small for this holdout"
            if self.smallest_harm is not None
            else ""
        )
        grave = (
            ""
            if self.proven
            else " A catastrophe got through, or a version counts as better than itself: do not trust these gates."
        )
        idle = (
            "" if self.telling else " The same recipe trained again would not go on either: that says little."
        )
        return f"{said}{survived}{harm}.{idle}{grave}"


def hash_of(gates: Sequence[BaseModel]) -> str:
    """Identify gates with their parameters.

    >>> hash_of([]) == hash_of(())
    True
    """
    told: list[Json] = [
        {"gate": type(gate).__module__, "parameters": gate.model_dump(mode="json")} for gate in gates
    ]
    return fingerprint({"gates": told})[:16]


def _smallest_harm(compared: Decision | None) -> float | None:
    """Return what the interval of a good model beside itself can resolve (Cohen 1988)."""
    gain: Any = compared.evidence.get("gain") if compared else None
    if not gain or compared is None or compared.verdict is Verdict.HOLD:
        return None
    from scipy.special import stdtrit

    return float((stdtrit(gain["degrees"], 0.95) + POWER_REACH) * gain["standard_error"])
