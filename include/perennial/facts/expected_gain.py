"""What the next training may be expected to gain, learned from what this model's earlier trainings brought.

A training is a draw: its challenger is refused and nothing is gained, or it serves and the loss changes. The retrain
stage collects the past, the retraining policy asks for the chance that the next one is worth its cost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perennial.clock import Night, nights_apart
from perennial.facts.evidence import Json

JUDGED_NIGHTS = 28
"""Settled nights after a training over which its gain is measured, and for which it is expected."""

PRIOR_GAIN, PRIOR_SPREAD = 0.01, 0.03
"""Share of the loss that a training which serves is thought to gain before anything is known, and its spread."""
PRIOR_TRAININGS = 1.0
"""Trainings that the prior's gain is worth."""
PRIOR_SHAPE = 1.0
"""Half the degrees of freedom of the prior's spread: it is believed as little as two trainings."""
PRIOR_PROMOTED, PRIOR_REFUSED = 1.0, 1.0
"""Challengers that are thought to have been promoted and refused before anything is known."""
HALF_LIFE_NIGHTS = 365
"""A training so long ago counts half: a model that gained nothing once is tried again in the end."""
LEVEL = 0.9
"""Probability of the interval."""


@dataclass(frozen=True)
class PastTraining:
    """An earlier challenger of this model and what came of it."""

    night: Night
    promoted: bool
    gain: float | None = None
    """Share of the champion's loss that it gained (measured, below zero if it lost); none where nobody knows."""
    cpu_seconds: float | None = None
    """What it cost; none where it was not recorded."""


@dataclass(frozen=True)
class ExpectedGain:
    """What one more training may bring, as a share of the champion's loss over the next 28 settled nights.

    With probability ``promoted`` it serves, and the gain is drawn from a Student t; else it is zero.
    """

    promoted: float
    """Probability that the challenger serves."""
    centre: float
    """Middle of what is gained if it serves."""
    scale: float
    """Scale of that."""
    degrees: float
    """Degrees of freedom of that."""
    trainings: int
    """Earlier challengers that it rests on; with none it is the prior alone."""
    measured: int
    """How many of them served and have a measured gain."""
    served: int
    """How many of them served."""
    cpu_seconds: float | None
    """Cost that is expected: the mean of the recorded ones; none without a record."""

    @property
    def mean(self) -> float:
        """The gain expected, with what a refusal gains: nothing."""
        return self.promoted * self.centre

    def chance_above(self, gain: float) -> float:
        """Return the probability that more than ``gain`` is gained.

        >>> round(expected_gain([], "2013-05-12").chance_above(0.0), 3)
        0.291
        """
        from scipy.special import stdtr

        beyond = float(stdtr(self.degrees, (self.centre - gain) / self.scale))
        return self.promoted * beyond + (1 - self.promoted if gain < 0 else 0.0)

    def quantile(self, share: float) -> float:
        """Return the gain below which this share of trainings lies; many are exactly zero."""
        from scipy.special import stdtr, stdtrit

        below = self.promoted * float(stdtr(self.degrees, -self.centre / self.scale))
        if below <= share <= below + 1 - self.promoted:
            return 0.0
        part = share if share < below else share - (1 - self.promoted)
        return self.centre + self.scale * float(stdtrit(self.degrees, part / self.promoted))

    @property
    def interval(self) -> tuple[float, float]:
        """Where nine of ten trainings end."""
        return self.quantile((1 - LEVEL) / 2), self.quantile((1 + LEVEL) / 2)

    @property
    def sentence(self) -> str:
        """Say it with what it rests on."""
        low, high = self.interval
        rests = f"{self.served} of {self.trainings} earlier challengers served, {self.measured} were measured"
        return (
            f"It may be expected to change the loss of the next {JUDGED_NIGHTS} nights by {-100 * self.mean:+.2g} % "
            f"({-100 * high:+.2g} to {-100 * low:+.2g} %, 9 in 10): "
            f"{rests if self.trainings else 'no earlier challenger is known, so this is the prior'}"
        )

    def as_json(self) -> dict[str, Json]:
        """Write plain values, without the cost: seconds are never the same twice."""
        low, high = self.interval
        own = {name: value for name, value in vars(self).items() if name != "cpu_seconds"}
        return {**own, "mean": self.mean, "low": low, "high": high, "level": LEVEL}


def expected_gain(past: Sequence[PastTraining], night: Night) -> ExpectedGain:
    """Learn from earlier trainings what one tonight may gain; without any, the stated prior answers.

    The chance to serve is a Beta-Bernoulli, the gain of those that served a normal with unknown mean and spread
    (normal-inverse-gamma; Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution", section 3).
    Gains are taken as measured: the error of a measurement widens what is foretold, as what comes will be measured too.

    >>> past = [PastTraining("2013-03-01", True, 0.03), PastTraining("2013-05-01", False)]
    >>> found = expected_gain(past, "2013-06-01")
    >>> round(found.promoted, 2), round(found.mean, 4)
    (0.49, 0.0093)
    """
    seen = [(one, _weight(one, night)) for one in past]
    gains = [(one.gain, weight) for one, weight in seen if one.promoted and _known(one.gain)]
    served = sum(weight for one, weight in seen if one.promoted)
    total = sum(weight for _, weight in seen)
    counted = PRIOR_TRAININGS + sum(weight for _, weight in gains)
    centre = (PRIOR_TRAININGS * PRIOR_GAIN + sum(w * float(g or 0) for g, w in gains)) / counted
    squares = PRIOR_TRAININGS * PRIOR_GAIN**2 + sum(w * float(g or 0) ** 2 for g, w in gains)
    shape = PRIOR_SHAPE + (counted - PRIOR_TRAININGS) / 2
    spread = PRIOR_SHAPE * PRIOR_SPREAD**2 + max(squares - counted * centre**2, 0.0) / 2
    costs = [one.cpu_seconds for one in past if one.cpu_seconds is not None]
    return ExpectedGain(
        promoted=(PRIOR_PROMOTED + served) / (PRIOR_PROMOTED + PRIOR_REFUSED + total),
        centre=centre,
        scale=math.sqrt(spread / shape * (1 + 1 / counted)),
        degrees=2 * shape,
        trainings=len(seen),
        measured=len(gains),
        served=sum(one.promoted for one, _ in seen),
        cpu_seconds=sum(costs) / len(costs) if costs else None,
    )


def _weight(one: PastTraining, night: Night) -> float:
    return float(2.0 ** -(max(nights_apart(one.night, night), 0) / HALF_LIFE_NIGHTS))


def _known(gain: float | None) -> bool:
    return gain is not None and math.isfinite(gain)
