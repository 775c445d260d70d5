"""A request for a training and what is known on the night it is made: the stage collects it, the policy judges it.

Everything is in night time, so a replay of old nights decides as the nights did; only where seconds are declared to
decide (a budget, a worth) do measured seconds enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.facts.expected_gain import ExpectedGain

Trigger = Literal["drift", "performance", "age", "growth", "code", "restart", "manual"]
"""Who asks: a finding, a realised loss, the calendar, the number of rows, a changed recipe, the nightly layer after a
change that made the past misleading, a person."""

BUDGET_NIGHTS = 28
"""Nights over which trainings are counted."""


@dataclass(frozen=True)
class RetrainingFacts:
    """What is known on the night somebody asks for a training."""

    night: Night
    """The night that is judged."""

    trigger: Trigger
    """Who asks."""

    cause: str | None = None
    """The likely cause that triage found, such as ``concept`` or ``broken_feed``."""

    last_training_night: Night | None = None
    """The night of the last training; none before the first."""

    new_labelled_rows: int = 0
    """Labelled rows that the last training did not have."""

    new_labelled_nights: int | None = None
    """Nights those rows cover; none when the data have no time, and then not asked."""

    rows_at_last_training: int = 0
    """Rows of the last training."""

    under_way: bool = False
    """Whether a training, or the rollout of its result, has not ended."""

    trainings_last_28_nights: int = 0
    """Trainings of the last 28 nights, for the budget."""

    frozen_reason: str | None = None
    """Why training is forbidden at present; none when it is not."""

    recipe_untried: bool = False
    """Whether the folder declares a training, features or code that no version was made by."""

    excess_chance: float | None = None
    """How often luck alone makes the version lose so much more than promised; none where nobody asks, or can tell."""

    answered_excess: int = 0
    """Trainings that such a loss asked for since this version serves, none of which took its place."""

    layered: bool = False
    """Whether a nightly layer is declared over the champion."""

    learn_from: Night | None = None
    """The first night that a restart would learn from; none where the past does not mislead."""

    unserved: bool = False
    """Whether nothing serves, because no candidate has passed its gates."""

    expected: ExpectedGain | None = None
    """What a training may gain, by this model's own past; none before the first version."""

    cpu_seconds_last_28_nights: float | None = None
    """CPU seconds of the trainings of the last 28 nights; none where nobody asks for them."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values; seconds only where they were asked for, since they are never the same twice."""
        plain: dict[str, Json] = dict(vars(self))
        for asked in ("cpu_seconds_last_28_nights", "excess_chance", "learn_from"):
            if plain[asked] is None:
                del plain[asked]
        for rare in ("answered_excess", "unserved", "layered"):
            if not plain[rare]:
                del plain[rare]
        return {**plain, "expected": self.expected.as_json() if self.expected else None}
