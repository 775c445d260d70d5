"""Whom to believe: members weighed by what each lost lately, as served, old nights counting less.

Exponentially weighted averaging with discounted losses (Vovk 1990; Littlestone and Warmuth 1994; discounting
as in Herbster and Warmuth 1998). The record of losses outlives champions: it is about roles, not versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perennial.adaptation.settings import Adaptation


@dataclass(frozen=True)
class Record:
    """What each member lost on matured nights, as it was served then."""

    costs: Mapping[str, float] = field(default_factory=dict)
    """Discounted sums, as of night ``last``."""

    recent: tuple[Mapping[str, float], ...] = ()
    """The last nights' losses, oldest first."""

    last: int = 0
    """The day's number of the last night in it."""

    def with_night(self, night: int, losses: Mapping[str, float], settings: Adaptation) -> Record:
        """Add one matured night's mean losses; nights come in order."""
        faded = np.exp2(-(night - self.last) / settings.half_life_nights) if self.costs else 0.0
        costs = {member: float(faded * self.costs.get(member, 0.0) + loss) for member, loss in losses.items()}
        return Record(costs, (*self.recent, dict(losses))[-settings.loss_nights :], night)

    def weights(self, settings: Adaptation) -> dict[str, float]:
        """Return one weight per member, together 1; before any loss is known, the prior.

        The unit of loss is the mean of the recently best member, so that a weight depends on how many
        per cent a member is worse, not on how hard the problem is.
        """
        prior = np.array([settings.raw_prior if name == "raw" else 1.0 for name in settings.members])
        costs = np.array([self.costs.get(name, 0.0) for name in settings.members])
        if self.recent:
            means = np.mean([[night[name] for name in settings.members] for night in self.recent], axis=0)
            unit = max(float(means.min()), np.finfo(float).tiny)
            prior = prior * np.exp(-settings.learning_rate * (costs - costs.min()) / unit)
        shares = prior / prior.sum()
        return dict(zip(settings.members, map(float, shares), strict=True))

    def as_json(self) -> dict[str, Any]:
        """Write the record as plain values."""
        return {
            "costs": dict(self.costs),
            "recent": [dict(night) for night in self.recent],
            "last": self.last,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Record:
        """Read what ``as_json`` wrote."""
        return cls(told["costs"], tuple(told["recent"]), told["last"])
