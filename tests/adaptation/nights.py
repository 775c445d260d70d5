"""Made-up nights with a known truth, and the loop that serves them and learns from what matured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from perennial.adaptation.layer import Served
from perennial.adaptation.rows import MatureNight
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.state import Champion, State, begin, learn
from perennial.clock import after

FIRST = "2020-01-01"
PAST = 60
"""Nights the champion was trained on."""
SLOPES = np.array([1.0, -0.7, 0.4, 0.0])
AIRPORTS = np.array(["EWR", "JFK", "LGA"])
SETTINGS = Adaptation(label_delay_nights=1)

Shift = Callable[[int], float]
Model = Callable[[np.ndarray], np.ndarray]


def logistic(linked: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities."""
    return 1 / (1 + np.exp(-linked))


def truth(features: np.ndarray) -> np.ndarray:
    """Say what a champion says that knew the world before it moved."""
    return logistic(features @ SLOPES)


@dataclass(frozen=True)
class World:
    """How rows come about: the logit moves by ``shift(night)``, the relation turns by ``turn(night)``."""

    rows: int = 200
    shift: Shift = lambda _: 0.0
    turn: Shift = lambda _: 1.0
    regression: bool = False
    seed: int = 0

    def night(self, number: int) -> MatureNight:
        """Draw one night; the same number gives the same night."""
        draw = np.random.default_rng((self.seed, number))
        features = draw.normal(size=(self.rows, len(SLOPES)))
        linked = self.turn(number) * (features @ SLOPES) + self.shift(number)
        noisy = linked + draw.normal(size=self.rows)
        labels = noisy if self.regression else (draw.random(self.rows) < logistic(linked)).astype(float)
        keys = [f"{number}-{row}" for row in range(self.rows)]
        segments = [str(name) for name in AIRPORTS[draw.integers(0, 3, self.rows)]]
        return MatureNight(after(FIRST, number), keys, features, labels, segments=segments)


@dataclass(frozen=True)
class Passed:
    """One served night, with the state that served it."""

    state: State
    served: Served
    night: MatureNight

    def losses(self) -> tuple[float, float]:
        """Return the layer's loss and the champion's."""
        scale = self.state.layer.scale
        both = (self.served.scores, self.served.members["raw"])
        layer, raw = (scale.loss(scores, self.night.labels) for scores in both)
        return layer, raw


def pass_nights(
    nights: Sequence[MatureNight], model: Model = truth, settings: Adaptation = SETTINGS, past: int = PAST
) -> list[Passed]:
    """Serve the nights after ``past``, one after the other, each with what had matured by then."""
    lag = settings.label_delay_nights
    champion = Champion("1", nights[past - 1].night)
    task = "binary" if set(np.unique(nights[0].labels)) <= {0.0, 1.0} else "regression"
    state = begin(champion, nights[:past], after(nights[past - 1].night, lag), task, settings)
    passed: list[Passed] = []
    for number in range(past, len(nights)):
        mature = passed[: max(len(passed) - lag + 1, 0)] if lag else passed
        known = [p for p in mature if p.night.night <= after(nights[number].night, -lag)]
        told = [replace(p.night, champion=p.served.members["raw"], served=p.served.members) for p in known]
        state = learn(state, told, nights[number].night)
        night = nights[number]
        served = state.layer.serve(model(night.features), night.features, night.segments)
        passed.append(Passed(state, served, night))
    return passed


def mean_losses(passed: Sequence[Passed]) -> tuple[float, float]:
    """Return the mean loss of the layer and of the champion."""
    layer, raw = np.mean([one.losses() for one in passed], axis=0)
    return float(layer), float(raw)
