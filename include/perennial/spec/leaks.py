"""What a person answers for when a training set shows signs of a leak: ``training.leaks`` of a model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from perennial.spec.strict import Strict


class LeaksSpec(Strict):
    """Columns that look as if they knew the label, and why they may be used all the same."""

    acknowledged: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    """Reasons, by column or by rule: `{hour: the hour of departure is in the schedule}`."""
