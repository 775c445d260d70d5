"""The page budget over the nights of one trial of ``watch-test``, which begins with no page used.

Both parts of the trial, inputs and labels, hand it a reading a night and are told how that night would have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from perennial.facts.reading import Reading
from perennial.policies.paging import Crossing, PageBudget
from perennial.stages.verdict import Arm

Weigh: TypeAlias = Callable[[Arm, Sequence[Crossing]], Arm]
"""Lowers a page that has no consequences; given the nights before."""


class Pager:
    """A page budget, and how the nights of the trial ended so far."""

    def __init__(self, budget: PageBudget) -> None:
        """Begin with an empty record."""
        self.budget = budget
        self.earlier: list[Crossing] = []

    def ended(self, reading: Reading, weigh: Weigh | None = None) -> str:
        """Say how a night ends (``learning``, ``quiet``, ``notice`` or ``page``), and remember it."""
        decision = self.budget.decide(reading, self.earlier)
        outcome: Any = decision.evidence["outcome"]
        arm = Arm(reading.arm, outcome, reading, decision, PageBudget.remember(reading, decision))
        if weigh is not None:
            arm = weigh(arm, self.earlier)
        if arm.crossing is not None:
            self.earlier.append(arm.crossing)
        return arm.outcome
