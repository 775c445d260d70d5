"""Does a page of the inputs have consequences? What a model ignores, or a person tolerates, is recorded instead.

Stands between the page budget and the verdict. It reads the same night once more without the streams that were set
aside (``facts/tolerance.py``): a page that would not have been made without them is lowered to a notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perennial.facts.decision import Decision, Verdict
from perennial.facts.evidence import Evidence
from perennial.facts.reading import Reading
from perennial.facts.tolerance import Tolerated

PREDICTIONS_RATE = 1 / 20
"""Share of ordinary nights on which predictions count as moved, when a page of an ignored column is weighed: far
more than may page, because a consequence is not to be missed."""
COLUMNS_NAMED = 3


class Tolerance(BaseModel):
    """Say of one input column which moves are worth nobody's sleep: they are recorded, and page nobody.

    >>> Tolerance(worse_when="up", tolerated=5).as_fact()
    Tolerated(worse_when='up', level=5.0, share=0.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worse_when: Literal["up", "down", "both"] = Field(
        "both", description="Direction of its mean that does harm; a move the other way pages nobody."
    )
    tolerated: float = Field(
        0.0, ge=0, description="Change of its mean that pages nobody, in the column's own units."
    )
    tolerated_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Change that pages nobody of the share of one of its categories, or of its missing values.",
    )

    def as_fact(self) -> Tolerated:
        """Return it as the plain value that streams are compared with."""
        return Tolerated(self.worse_when, self.tolerated, self.tolerated_share)


@dataclass(frozen=True)
class Consequences:
    """What is known of a page's consequences; every part is of the night that paged."""

    declared: Decision | None
    """What the budget decides without the moves that were declared harmless or tolerated; none where there are none."""
    used: Decision | None
    """The same, without the columns that the model ignores as well; none where it ignores none."""
    predictions: Reading | None
    """Predictions alone, at a rate at which little is missed; none without a version that serves."""
    loss_moved: bool
    """Whether labels, or an estimate of the loss, are over a threshold tonight."""
    harmless: Mapping[str, str]
    """Columns set aside, and why in words."""

    @property
    def predictions_moved(self) -> bool:
        """Whether predictions moved; what cannot be said counts as moved."""
        return self.predictions is None or self.predictions.state != "quiet"


def weigh(decision: Decision, found: Consequences) -> Decision:
    """Lower a page that has no consequences to a notice; every other decision stays as it is.

    >>> page = Decision.failed("distance moved.", outcome="page", ratio=1.4)
    >>> quiet = Decision.passed("The rest is as before.", outcome="quiet")
    >>> calm = Reading("2013-05-12", "night_shift", "quiet", "Predictions stayed.")
    >>> lowered = weigh(page, Consequences(None, quiet, calm, False, {"distance": "the model ignores it"}))
    >>> lowered.evidence["outcome"], lowered.reason
    ('notice', 'distance moved. Nobody is paged: distance (the model ignores it); without it the night is no page.')
    >>> weigh(page, Consequences(None, quiet, calm, True, {"distance": "the model ignores it"})) == page
    True
    """
    if decision.verdict is not Verdict.FAIL:
        return decision
    declared = _no_page(found.declared)
    ignored = _no_page(found.used) and not found.predictions_moved and not found.loss_moved
    if not declared and not ignored:
        return decision
    named = list(found.harmless.items())
    said = ", ".join(f"{column} ({why})" for column, why in named[:COLUMNS_NAMED])
    more = f" and {len(named) - COLUMNS_NAMED} more" if len(named) > COLUMNS_NAMED else ""
    it = "it" if len(named) == 1 else "them"
    reason = f"{decision.reason} Nobody is paged: {said}{more}; without {it} the night is no page."
    return Decision.held(reason, **{**decision.evidence, "outcome": "notice", "set_aside": _evidence(found)})


def _no_page(decision: Decision | None) -> bool:
    return decision is not None and decision.evidence["outcome"] in ("quiet", "notice")


def _evidence(found: Consequences) -> Evidence:
    rest = found.used or found.declared
    return {
        "columns": dict(found.harmless),
        "rest": {key: rest.evidence.get(key) for key in ("ratio", "outcome")} if rest else None,
        "predictions": {"statistic": found.predictions.statistic, "threshold": found.predictions.threshold}
        if found.predictions
        else None,
    }
