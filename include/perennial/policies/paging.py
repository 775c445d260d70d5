"""May this crossing wake somebody? One budget of false pages for each arm of the monitor.

Detectors read, this decides: it stands between a reading and the finding that pages a person or
triggers a retraining. It asks only for the earlier nights' outcomes, so a replay decides the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from perennial.clock import Night
from perennial.facts.decision import Decision
from perennial.facts.reading import Reading

WILD = 0.3
"""Tail of nights that vary as Student's t with 3 degrees of freedom: taken where a reading tells none."""


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

    A calibrated threshold keeps the budget on average; nights that come in clusters, or with heavy tails, break
    it. After a page the threshold is what ordinary nights exceed ``rarer`` times less often, by the tail of
    their own past: little higher where nights are normal, far higher where they are wild. There it stays for
    ``held_nights``, and then sinks back over ``per_nights``. It never mutes: what exceeds the raised threshold
    still pages. How far and how long is chosen by simulation (``benchmarks/false_alarms.py``), so that more
    than one false page in ``per_nights`` is rare even where nights have the tails of Student's t with 3
    degrees of freedom.

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
    rarer: float = Field(
        50,
        ge=1,
        description="How many times rarer than a first a second page is made, while the bar is raised.",
    )
    held_nights: int = Field(
        60, ge=0, le=365, description="Nights for which a raised bar stays before it begins to sink."
    )

    @property
    def rate(self) -> float:
        """Share of ordinary nights that may page: what a detector's threshold is set for."""
        return min(self.false_pages / self.per_nights, 1.0)

    def raised(self, earlier: Sequence[Crossing], tail: float | None = None) -> float:
        """Return the factor, at least 1, that earlier pages have put on the threshold.

        Args:
            earlier: How the arm's earlier nights ended, in any order.
            tail: Heaviness of the arm's ordinary nights (``Reading.tail``); that of wild nights if unknown.
        """
        top, since = 0.0, 0
        for past in sorted(earlier, key=lambda crossing: crossing.night):
            top, since = (self.left(top, since) + 1, 1) if past.fired else (top, since + 1)
        return float(self.rarer ** (self.left(top, since) * (WILD if tail is None else tail)))

    def left(self, pages: float, since: int) -> float:
        """Return how many pages' worth still raises the bar, so many nights after the last of them."""
        return pages * min(max(1 - (since - self.held_nights) / self.per_nights, 0.0), 1.0)

    def decide(self, reading: Reading, earlier: Sequence[Crossing]) -> Decision:
        """Judge tonight's reading, given how the earlier live nights of this arm ended."""
        factor = self.raised([past for past in earlier if past.night < reading.night], reading.tail)
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
