"""Signs that a training set knows what a prediction could not: what was found, by which rule, and who answers for it.

``stages/leaks.py`` finds them before a training counts; the gate ``leaks`` decides on them. A rule about the data's
structure blocks; a rule about how well a column predicts can be wrong, so a person may answer for the column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

STRUCTURAL = frozenset({"known_later", "label_later", "same_rows", "twin_rows"})
"""Rules whose signs block: what they find is a fact about times and rows, not a guess."""
RULES = ("skill", "jump", "missing", "giveaway", "identifier", "order", *sorted(STRUCTURAL))
"""Every rule, by the name under which it is acknowledged."""


@dataclass(frozen=True)
class LeakSign:
    """One sign of a leak."""

    rule: str
    """Name of the rule that found it."""
    columns: tuple[str, ...]
    """The columns it is about; none where it is about the rows."""
    measured: float
    """What was measured, in the rule's own unit."""
    found: str
    """What was found, as a clause that begins with the columns' names."""
    acknowledged: str = ""
    """Why a person says that it is no leak; empty when nobody has."""

    @property
    def blocks(self) -> bool:
        """Whether it refuses the candidate, whatever anybody says."""
        return self.rule in STRUCTURAL

    @property
    def holds(self) -> bool:
        """Whether it keeps the candidate waiting for a person's word."""
        return not self.blocks and not self.acknowledged


def answered(sign: LeakSign, acknowledged: Mapping[str, str]) -> LeakSign:
    """Attach the reason that model.yaml gives for a rule, or for every column of a sign; a structural one has none.

    >>> sign = LeakSign("skill", ("fare",), 0.93, "fare alone predicts the label")
    >>> answered(sign, {"fare": "known when the ticket is sold"}).holds
    False
    """
    if sign.blocks:
        return sign
    reason = acknowledged.get(sign.rule, "")
    if not reason and sign.columns and all(name in acknowledged for name in sign.columns):
        reason = "; ".join(dict.fromkeys(acknowledged[name] for name in sign.columns))
    return replace(sign, acknowledged=reason)
