"""What one night's scores let one expect, and what its labels said: sums, so that no row is read again.

Scoring writes the one half and settling the other; realised and estimated performance are made of many of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perennial.clock import Night
from perennial.facts.estimated_loss import Window
from perennial.facts.evidence import Json

ALL = ""
"""Name of the group that all rows belong to; declared slices have names of their own."""


@dataclass(frozen=True)
class GroupLoss:
    """The rows of a night, or of one declared slice of it."""

    rows: int
    """Scored rows."""
    expected: Mapping[str, float] = field(default_factory=dict)
    """Mean loss that each calibration expected on that night, before any of its labels."""
    labelled: int = 0
    """Rows whose label is known."""
    loss: float = 0.0
    """Sum of their losses, in the primary metric's unit."""
    audited: float = 0.0
    """The same as estimates count it: sure predictions taken to be a little less sure."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values; numbers as text, for those of a manifest keep ten digits."""
        plain: dict[str, Json] = {"rows": self.rows, "labelled": self.labelled}
        plain |= {"loss": repr(self.loss), "audited": repr(self.audited)}
        return plain | {"expected": {name: repr(value) for name, value in self.expected.items()}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> GroupLoss:
        """Read what ``as_json`` wrote."""
        expected = {name: float(value) for name, value in kept["expected"].items()}
        return cls(kept["rows"], expected, kept["labelled"], float(kept["loss"]), float(kept["audited"]))


@dataclass(frozen=True)
class NightLoss:
    """A scored night as known on some later one."""

    night: Night
    version: str
    """The version that scored it."""
    groups: Mapping[str, GroupLoss]
    """All rows, and those of each declared slice."""
    delivered: int = 0
    """Rows whose outcome was delivered, with or without a label."""
    delay: float = math.nan
    """Nights from the end of the night to the outcomes, on average."""
    delay_sd: float = math.nan
    matured: Night | None = None
    """The night on which it counted as settled; none while labels are awaited."""

    @property
    def whole(self) -> GroupLoss:
        """All its rows."""
        return self.groups[ALL]

    def window(self, group: str) -> Window:
        """Return what the audit of estimates asks of it."""
        one = self.groups.get(group, GroupLoss(0))
        if self.matured is None or not one.labelled:
            return Window(self.night, one.rows, one.expected)
        return Window(self.night, one.rows, one.expected, one.audited / one.labelled, self.matured)

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {
            "night": self.night,
            "version": self.version,
            "groups": {name: one.as_json() for name, one in self.groups.items()},
            "delivered": self.delivered,
            "delay": repr(self.delay),
            "delay_sd": repr(self.delay_sd),
            "matured": self.matured,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> NightLoss:
        """Read what ``as_json`` wrote."""
        groups = {name: GroupLoss.from_json(one) for name, one in kept["groups"].items()}
        numbers = float(kept["delay"]), float(kept["delay_sd"])
        return cls(
            kept["night"], kept["version"], groups, kept["delivered"], *numbers, matured=kept["matured"]
        )
