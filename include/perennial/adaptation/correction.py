"""Three ways to correct an old champion from the nights it has not seen: by segment, by input, by the twin.

Each is a ridge around "no correction", so that with little evidence it says what the champion says. Fitted
every night on matured nights after the champion's last one, older nights counting less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perennial.adaptation.rows import Column, Numbers, Sample
from perennial.adaptation.scale import Scale
from perennial.adaptation.settings import Adaptation, Member

NEWTON_STEPS = 4
LONGEST_STEP = 2.0
"""A coefficient moves at most this far in one Newton step."""
FURTHEST_SLOPE = 4.0
"""The slope sees the champion's score within these bounds, so that one sure row does not decide it."""
INTERCEPT_NIGHTS, COEFFICIENT_NIGHTS, INPUT_NIGHTS = 1.0, 5.0, 20.0
"""Nights of evidence that a coefficient of zero is worth, beside the intercept: 5; with inputs: 20."""
ROW_VARIANCE = {"binary": 0.2, "regression": 1.0}
"""Information of one row on the scale of the layer: p (1 - p) of a class, 1 of a standardised number."""


@dataclass(frozen=True)
class Correction:
    """What one member adds to the champion's score, on the scale of the layer; by default nothing."""

    intercept: float = 0.0
    slope: float = 0.0
    segments: Mapping[str, float] = field(default_factory=dict)
    inputs: tuple[float, ...] = ()
    blend: float = 0.0
    """Share of the way from the champion to the twin."""

    def link(self, champion: Numbers, twin: Numbers, inputs: Numbers, segments: Column) -> Numbers:
        """Return the corrected scores; a segment that was never seen gets none of its own."""
        moved = champion + self.intercept + self.slope * _clipped(champion) + self.blend * (twin - champion)
        if self.segments:
            names, place = np.unique(segments, return_inverse=True)
            moved = moved + np.array([self.segments.get(str(name), 0.0) for name in names])[place]
        if self.inputs:
            moved = moved + inputs @ np.array(self.inputs)
        return np.asarray(moved)

    def as_json(self) -> dict[str, Any]:
        """Write the coefficients as plain values."""
        segments, inputs = dict(self.segments), list(self.inputs)
        return {"intercept": self.intercept, "slope": self.slope, "blend": self.blend} | {
            "segments": segments,
            "inputs": inputs,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Correction:
        """Read what ``as_json`` wrote."""
        return cls(told["intercept"], told["slope"], told["segments"], tuple(told["inputs"]), told["blend"])


def fit_correction(
    member: Member, unseen: Sample, scale: Scale, settings: Adaptation, newest: int
) -> Correction:
    """Fit one member on the nights its champion has not seen; ``newest`` is the night that counts in full."""
    if not len(unseen):
        return Correction()
    half_life = settings.blend_half_life_nights if member == "blend" else settings.segment_half_life_nights
    weight = np.exp2(-(newest - unseen["night"]) / half_life)
    design, nights, names = _design(member, unseen, scale)
    per_night = len(unseen) / len(np.unique(unseen["night"]))
    ridge = nights * per_night * ROW_VARIANCE[scale.task]
    found = _solve(design, weight, ridge, unseen, scale)
    return _as_correction(member, found, names)


def _design(member: Member, rows: Sample, scale: Scale) -> tuple[Numbers, Numbers, list[str]]:
    """Return the columns, how many nights each zero is worth, and the names of the segments."""
    columns: list[Numbers] = [np.ones((len(rows), 1)), _clipped(rows["champion"])[:, None]]
    names: list[str] = []
    if member == "blend":
        columns.append((rows["twin"] - rows["champion"])[:, None])
    else:
        known, place = np.unique(rows["segment"], return_inverse=True)
        names = [str(name) for name in known] if len(known) > 1 else []
        columns += [np.eye(len(known))[place]] if names else []
        columns += [scale.standardised(rows["features"])] if member == "features" else []
    design = np.column_stack(columns)
    nights = np.full(design.shape[1], INPUT_NIGHTS if member == "features" else COEFFICIENT_NIGHTS)
    nights[0] = INTERCEPT_NIGHTS
    return design, nights, names


def _solve(design: Numbers, weight: Numbers, ridge: Numbers, rows: Sample, scale: Scale) -> Numbers:
    """Minimise weighted loss plus ridge: one solve for squared loss, damped Newton for log loss."""
    target, offset = scale.target(rows["label"]), rows["champion"]
    found = np.zeros(design.shape[1])
    for _ in range(1 if scale.task == "regression" else NEWTON_STEPS):
        said = offset + design @ found
        if scale.task == "regression":
            error, information = said - target, weight
        else:
            said = scale.score(said)
            error, information = said - target, weight * said * (1 - said)
        gradient = design.T @ (weight * error) + ridge * found
        curvature = design.T @ (design * information[:, None]) + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        if scale.task != "regression":
            step = np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        found = found - step
    return np.asarray(found)


def _as_correction(member: Member, found: Numbers, names: list[str]) -> Correction:
    values = [float(value) for value in found]
    if not np.isfinite(found).all():
        return Correction()
    if member == "blend":
        return Correction(values[0], values[1], blend=values[2])
    segments = dict(zip(names, values[2 : 2 + len(names)], strict=True))
    return Correction(values[0], values[1], segments, tuple(values[2 + len(names) :]))


def _clipped(scores: Numbers) -> Numbers:
    return np.clip(scores, -FURTHEST_SLOPE, FURTHEST_SLOPE)
