"""What counts as one: logits for a class, standard deviations of the label for a number, z-scores for inputs.

Set once, from the first nights, so that a coefficient means the same all year. Every member speaks on this
scale; only what is served goes back to probabilities or the label's own unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from perennial.adaptation.rows import Numbers, Sample, written

Task = Literal["binary", "regression"]

LEAST_PROBABILITY = 1e-6
FURTHEST_INPUT = 3.0
"""Standardised inputs are kept within this many standard deviations."""


@dataclass(frozen=True)
class Scale:
    """The units of one model's layer."""

    task: Task

    label_sd: float
    """Standard deviation of the first nights' labels; 1 for classes."""

    means: Numbers
    sds: Numbers
    """Of each input in the first nights; an input that did not vary has 1."""

    def link(self, scores: Numbers) -> Numbers:
        """Take probabilities to logits, predictions to standard deviations of the label."""
        if self.task == "regression":
            return np.asarray(scores, float) / self.label_sd
        p = np.clip(scores, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return np.asarray(np.log(p) - np.log1p(-p))

    def score(self, linked: Numbers) -> Numbers:
        """Go back: logits to probabilities, standard deviations to the label's unit."""
        if self.task == "regression":
            return linked * self.label_sd
        return np.asarray(1 / (1 + np.exp(-np.clip(linked, -40, 40))))

    def target(self, labels: Numbers) -> Numbers:
        """Put labels on the scale that corrections and twin are fitted on."""
        return labels / self.label_sd

    def standardised(self, features: Numbers) -> Numbers:
        """Return inputs as clipped z-scores; what is missing counts as average."""
        z = (np.where(np.isfinite(features), features, np.nan) - self.means) / self.sds
        return np.clip(np.nan_to_num(z, nan=0.0), -FURTHEST_INPUT, FURTHEST_INPUT)

    def loss(self, scores: Numbers, labels: Numbers) -> float:
        """Return the mean log loss, or the mean squared error in squared standard deviations."""
        if self.task == "regression":
            return float(np.mean(((scores - labels) / self.label_sd) ** 2))
        p = np.clip(scores, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log1p(-p)))

    def as_json(self) -> dict[str, Any]:
        """Write the scale as plain values."""
        return {
            "task": self.task,
            "label_sd": self.label_sd,
            "means": written(self.means),
            "sds": written(self.sds),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Scale:
        """Read what ``as_json`` wrote."""
        return cls(
            told["task"], told["label_sd"], np.array(told["means"], float), np.array(told["sds"], float)
        )


def scale_of(rows: Sample, task: Task) -> Scale:
    """Measure the first nights."""
    features = np.where(np.isfinite(rows["features"]), rows["features"], np.nan)
    known = np.isfinite(features).sum(axis=0)
    total = np.maximum(known, 1)
    means = np.nansum(features, axis=0) / total
    sds = np.sqrt(np.nansum((features - means) ** 2, axis=0) / total)
    label_sd = float(rows["label"].std()) if task == "regression" else 1.0
    return Scale(task, label_sd or 1.0, means, np.where(sds > 0, sds, 1.0))
