"""What serves tonight: twin, corrections and weights, without the rows they were learned from.

Small enough to be stored with every night's predictions, so that a night can be replayed to the byte.
Where anything is amiss, a row gets the champion's own score, untouched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.adaptation.correction import Correction
from perennial.adaptation.rows import Column, Numbers
from perennial.adaptation.scale import Scale
from perennial.adaptation.settings import CORRECTIONS, Adaptation
from perennial.adaptation.twin import Twin
from perennial.clock import Night


@dataclass(frozen=True)
class Served:
    """One night's answers, and what to keep beside them: the members' scores are learned from later."""

    scores: Numbers
    members: Mapping[str, Numbers]
    weights: Mapping[str, float]

    fallen_back_rows: int
    """Rows that got the champion's score because the layer's was not a number or too far away."""

    overtaken: bool
    """Whether the twin outweighs all others: the champion is worth a retraining."""


@dataclass(frozen=True)
class Layer:
    """One night's layer over one champion."""

    settings: Adaptation
    scale: Scale
    champion: str
    learned_through: Night | None
    """The youngest night whose labels it has seen; none before the first."""

    twin: Twin | None
    corrections: Mapping[str, Correction]
    weights: Mapping[str, float]

    @property
    def identity(self) -> str:
        """Name this version of the layer: equal for equal content."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def overtaken(self) -> bool:
        """Whether the twin outweighs all others."""
        return self.weights.get("twin", 0.0) > self.settings.overtaken_weight

    def serve(self, champion: Numbers, features: Numbers, segments: Sequence[str] | None = None) -> Served:
        """Mix one night: probabilities of a class are mixed as probabilities, predictions as predictions."""
        names = np.zeros(len(champion), str) if segments is None else np.asarray(segments, str)
        members = self._members(np.asarray(champion, float), np.asarray(features, float), names)
        if self.weights == {"raw": 1.0}:
            return Served(members["raw"], members, self.weights, 0, overtaken=False)
        with np.errstate(invalid="ignore", over="ignore"):
            mixed = np.sum([weight * members[name] for name, weight in self.weights.items()], axis=0)
            believed = self._believed(mixed, members["raw"])
        scores = np.where(believed, mixed, members["raw"])
        return Served(scores, members, self.weights, int((~believed).sum()), self.overtaken)

    def _believed(self, mixed: Numbers, raw: Numbers) -> NDArray[np.bool_]:
        """Say for which rows the layer is neither broken nor wild.

        A probability that is itself not extreme is never wild, however far the champion is: on electricity
        prices an old champion that is sure and wrong was otherwise kept in exactly the rows that cost most.
        """
        linked = self.scale.link(mixed)
        near = np.abs(linked - self.scale.link(raw)) <= self.settings.furthest
        if self.scale.task == "binary":
            near |= np.abs(linked) <= self.settings.furthest
        return np.asarray(np.isfinite(mixed) & near)

    def _members(self, champion: Numbers, features: Numbers, segments: Column) -> dict[str, Numbers]:
        """Let every member speak; one that cannot says what the champion says."""
        linked = self.scale.link(champion)
        twin = linked if self.twin is None else self.twin.link(features)
        inputs = self.scale.standardised(features)
        said = {"raw": champion, "twin": champion if self.twin is None else self.scale.score(twin)}
        for name in CORRECTIONS:
            correction = self.corrections.get(name, Correction())
            same = correction == Correction()
            said[name] = (
                champion if same else self.scale.score(correction.link(linked, twin, inputs, segments))
            )
        return {name: said[name] for name in self.settings.members}

    def as_json(self) -> dict[str, Any]:
        """Write the layer as plain values."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "scale": self.scale.as_json(),
            "champion": self.champion,
            "learned_through": self.learned_through,
            "twin": self.twin and self.twin.as_json(),
            "corrections": {name: one.as_json() for name, one in self.corrections.items()},
            "weights": dict(self.weights),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Layer:
        """Read what ``as_json`` wrote."""
        return cls(
            settings=Adaptation.model_validate(told["settings"]),
            scale=Scale.from_json(told["scale"]),
            champion=told["champion"],
            learned_through=told["learned_through"],
            twin=Twin.from_json(told["twin"]) if told["twin"] else None,
            corrections={name: Correction.from_json(one) for name, one in told["corrections"].items()},
            weights=told["weights"],
        )
