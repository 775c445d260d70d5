"""May this crossing wake somebody? One budget of false pages for each arm of the monitor.

Detectors read, this decides: it stands between a reading and the finding that pages a person or
triggers a retraining. It asks only for the earlier nights' outcomes, so a replay decides the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pydantic import BaseModel, ConfigDict, Field

from perennial.clock import Night
from perennial.facts.decision import Decision
from perennial.facts.reading import Reading


@dataclass(frozen=True)
class Crossing:
    """How an earlier live night of the same arm ended; nights without a verdict are left out."""

    night: Night
    ratio: float
    """Statistic over threshold, before the governor."""
    fired: bool
    """Whether it paged."""


class PageBudget(BaseModel):
    """Allow ``false_pages`` in ``per_nights`` when nothing is wrong; each page raises the bar for a while.

    The verdict: PASS is a quiet night, FAIL is a page, HOLD is neither: the detector is learning, or the
    night crossed its threshold but not the raised one (a notice, logged, nobody is woken).

    A calibrated threshold keeps the budget on average; nights that come in clusters break it. After every
    page the threshold is multiplied by exp(``eta``), and sinks back over ``per_nights`` nights (quantile
    tracking; Gibbs and Candes 2021). It never mutes: what exceeds the raised threshold still pages.

    >>> from perennial.facts.reading import Reading
    >>> budget = PageBudget()
    >>> tonight = Reading("2013-05-12", "night_shift", "over", "distance moved", 6.0, 4.0)
    >>> budget.decide(tonight, []).verdict.value
    'fail'
    >>> budget.decide(tonight, [Crossing("2013-05-11", 1.2, fired=True)]).verdict.value
    'hold'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_pages: float = Field(1, gt=0, description="False pages that are acceptable, in `per_nights`.")
    per_nights: int = Field(90, ge=7, description="Nights over which `false_pages` are counted.")
    eta: float = Field(
        0.5, ge=0, le=2, description="How far one page raises the bar, in the logarithm of the threshold."
    )

    @property
    def rate(self) -> float:
        """Share of ordinary nights that may page: what a detector's threshold is set for."""
        return min(self.false_pages / self.per_nights, 1.0)

    def raised(self, earlier: Sequence[Crossing]) -> float:
        """Return the factor, at least 1, that earlier pages have put on the threshold."""
        ordered = sorted(earlier, key=lambda crossing: crossing.night)
        height = reduce(lambda g, past: max(g + self.eta * (past.fired - self.rate), 0.0), ordered, 0.0)
        return math.exp(height)

    def decide(self, reading: Reading, earlier: Sequence[Crossing]) -> Decision:
        """Judge tonight's reading, given how the earlier live nights of this arm ended."""
        factor = self.raised([past for past in earlier if past.night < reading.night])
        numbers = {"raised": factor, "ratio": reading.ratio, "rate": self.rate, "reading": reading.as_json()}
        if reading.state == "learning" or reading.ratio is None:
            return Decision.held(reading.reason, outcome="learning", **numbers)
        if reading.state != "over":
            return Decision.passed(reading.reason, outcome="quiet", **numbers)
        if reading.ratio > factor:
            return Decision.failed(reading.reason, outcome="page", **numbers)
        return Decision.held(
            f"{reading.reason} Nobody is paged: recent pages have raised the threshold to {factor:.2f} times "
            f"itself, and tonight reached {reading.ratio:.2f}.",
            outcome="notice",
            **numbers,
        )

    @staticmethod
    def remember(reading: Reading, decision: Decision) -> Crossing | None:
        """Return what later nights need to know of this one; nothing where there was no verdict."""
        if reading.state == "learning" or reading.ratio is None:
            return None
        return Crossing(reading.night, reading.ratio, fired=decision.evidence["outcome"] == "page")
