"""What a champion got wrong, night by night: on nights it had never seen, and on the nights it served.

Training writes the reference (forward folds and holdout), scoring and labels add the live nights;
the slow arm of the monitor compares the two. A reference from nights the model was fitted on would
look far too calm: on the flights its nights vary by .05 in sample and by .14 out of sample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from perennial.clock import Night


@dataclass(frozen=True)
class NightResidual:
    """How far labels and predictions of one matured night lay apart, on average over its rows."""

    night: Night

    rows: int
    """Labelled rows."""

    mean: float
    """Mean of label minus prediction: probability for a class, the label's own unit for a regression."""


@dataclass(frozen=True)
class Residuals:
    """One champion's residual nights, as known on a night."""

    night: Night
    """The night that is judged; the youngest matured night is older by the label delay."""

    reference: tuple[NightResidual, ...]
    """Nights the model that predicted them had not seen: forward folds, then the holdout."""

    live: tuple[NightResidual, ...]
    """Matured nights that this champion served, since it went live."""

    scale: float = 1.0
    """What counts as one: 1 for classes; for a regression the standard deviation of the reference labels."""

    def __post_init__(self) -> None:
        """Refuse what would compare a night with itself, or divide by nothing."""
        shared = {past.night for past in self.reference} & {past.night for past in self.live}
        if shared:
            raise ValueError(f"{min(shared)} is both a reference and a live night")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"the scale of residuals must be a positive number, not {self.scale}")

    @cached_property
    def reference_means(self) -> tuple[float, ...]:
        """Return the reference nights' means over the scale, oldest first."""
        return self._scaled(self.reference)

    @cached_property
    def live_means(self) -> tuple[float, ...]:
        """Return the live nights' means over the scale, oldest first."""
        return self._scaled(self.live)

    def not_numbers(self) -> Sequence[Night]:
        """List nights whose residual is not a finite number: with them nothing can be concluded."""
        return [past.night for past in (*self.reference, *self.live) if not math.isfinite(past.mean)]

    def _scaled(self, nights: tuple[NightResidual, ...]) -> tuple[float, ...]:
        seen = sorted((past for past in nights if past.rows > 0), key=lambda past: past.night)
        return tuple(past.mean / self.scale for past in seen)
