"""A small model of the latest nights alone: it serves nobody, and shows when the past has become misleading.

Learned every night beside the layer from as many rows as the twin, and judged with it on nights that matured
(``restart.py``). After an abrupt change it is the only one that knows nothing of what was true before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from perennial.adaptation.restart import DATED_NIGHTS
from perennial.adaptation.rows import NOTHING, MatureNight, Sample, of_night
from perennial.adaptation.scale import Scale
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.twin import Twin, fit_twin
from perennial.clock import Night

LATEST_NIGHTS = 14


@dataclass(frozen=True)
class NightLosses:
    """Mean losses of a matured night: as it was served, of the twin, and of the model of the latest nights."""

    night: Night
    rows: int
    served: float
    twin: float
    latest: float


@dataclass(frozen=True)
class Latest:
    """Rows of the latest nights, and what was lost on those that the model of them has answered."""

    rows: Sample = NOTHING
    losses: tuple[NightLosses, ...] = ()

    def with_nights(
        self, nights: Iterable[MatureNight], losses: Iterable[NightLosses], settings: Adaptation
    ) -> Latest:
        """Take in nights that matured, oldest first; each gives as many rows as any other may."""
        rows = self.rows
        for night in nights:
            if night.certified and night.known.any():
                few = of_night(night, settings.seed).smallest(settings.twin_rows // LATEST_NIGHTS)
                rows = rows.joined(
                    Sample({name: few[name] for name in ("hash", "features", "label", "night")})
                )
        if len(rows):
            rows = rows.where(rows["night"] >= np.unique(rows["night"])[-LATEST_NIGHTS:][0])
        return Latest(rows, (*self.losses, *losses)[-DATED_NIGHTS:])

    def fit(self, scale: Scale, settings: Adaptation) -> Twin | None:
        """Train tonight's model; nothing when the rows are too few or all of one class."""
        return fit_twin(self.rows.smallest(settings.twin_rows), scale, settings) if len(self.rows) else None
