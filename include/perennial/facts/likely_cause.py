"""Which of the things that can go wrong went wrong? Broken feed, model, labels, relation or inputs, by stated tests.

Pure: from profiles, what predictions looked like, and labelled rows of the finding's nights and of ordinary ones.
The order is that of how certain the signs are and how costly to confuse; ``benchmarks/triage.py`` counts how
often it is right. Developed beside ``policies/triage.py``, which asks detectors' readings instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np

from perennial.clock import Night
from perennial.facts.edges import Edges
from perennial.facts.evidence import Evidence
from perennial.facts.exact_signs import find_exact_signs
from perennial.facts.feed_faults import SHARE_OF_NIGHTS, Fault, find_faults
from perennial.facts.label_pattern import Stories, stories
from perennial.facts.profile import Profile
from perennial.facts.shared_ground import (
    FEWEST_NIGHTS,
    FEWEST_SHARED_ROWS,
    SCORE,
    Ground,
    Moved,
    What,
    input_shifts,
    moved,
)

Cause = Literal[
    "broken_feed", "model", "labels", "concept", "harmful_shift", "harmless_shift", "none", "not_assessable"
]
"""``model``: its output is broken; ``labels``: late, of one class, or corrupted; ``not_assessable``: inputs stayed,
and too few labels to say that the relation did."""

RELATION_P, SLOPES_P = 0.005, 0.01
"""Error of each test of levels and of slopes along the score; error that slopes along inputs share (Bonferroni)."""
FLOORS: dict[What, float] = {"level": 0.3, "spread of levels": 0.15, "slope of levels": 0.15, "slope": 0.02}
"""Less is no change: log odds; for a slope, probability for a standard deviation."""
INPUT_P, INPUT_FLOOR = 0.05, 0.2
"""Error shared by all inputs, and the least move of a mean, in standard deviations."""
HARM = 0.015
"""A rise of the expected log loss a row that is harm."""
LOST_SPREAD = 0.1
"""An input's spread falls below this share of the usual one only in a broken feed."""
LABELS_FEWER, CONTRADICTED = 0.25, 0.01
PATTERN = 3.0
"""Log likelihood by which corrupted labels must be the better story."""


@dataclass(frozen=True)
class NightScores:
    """What one night's predictions looked like."""

    rows: int
    not_numbers: int
    """Rows without a finite prediction."""
    spread: float
    """Standard deviation of the finite predictions."""
    rescored: int = 0
    """Rows that were predicted once more from the stored inputs."""
    apart: int = 0
    """Rows whose second prediction was another one."""


@dataclass(frozen=True)
class Situation:
    """What is known when a finding is triaged."""

    edges: Edges
    reference: Mapping[Night, Profile]
    recent: Mapping[Night, Profile]
    usual_scores: Sequence[NightScores]
    scores: Sequence[NightScores]
    ground: Ground


@dataclass(frozen=True)
class LikelyCause:
    """The cause, how sure, the sentence that says why, and the tests behind it."""

    cause: Cause
    confidence: float
    """How far the deciding statistic was from its threshold, 0 (at it) to 1."""
    reason: str
    relation_known: bool
    """Whether labels could say that the relation moved or stayed."""
    evidence: Evidence = field(default_factory=dict)


def likely_cause(known: Situation) -> LikelyCause:
    """Name the likely cause; the same facts give the same answer."""
    for found in (_feed(known), _model(known), _label_delivery(known.ground)):
        if found:
            return found
    ground, assessable, beyond = known.ground, _assessable(known.ground), 0.0
    if assessable:
        beyond, strongest = _largest(ground.relation())
        if beyond > 1:
            return _relation(ground, beyond, strongest)
    return _inputs(ground, beyond, assessable=assessable)


def _feed(known: Situation) -> LikelyCause | None:
    faults = [
        *find_faults(known.edges, known.reference, known.recent),
        *find_exact_signs(known.edges, known.reference, known.recent),
    ]
    lost = _lost_spread(known.ground)
    if not faults and lost:
        said = f"The feed looks broken: {lost} has lost its spread."
        return LikelyCause("broken_feed", 0.5, said, relation_known=False, evidence={"lost_spread": lost})
    if not faults:
        return None
    shown = max(fault.nights / fault.of_nights for fault in faults)
    said = "; ".join(_said(fault) for fault in faults[:3])
    evidence: Evidence = {"faults": [asdict(fault) for fault in faults]}
    return LikelyCause(
        "broken_feed", shown, f"The feed looks broken: {said}.", relation_known=False, evidence=evidence
    )


def _lost_spread(ground: Ground) -> str:
    """Name the first input whose values have drawn together, on their usual scale, as in a unit far smaller."""
    usual, now = (rows.inputs.std(axis=0) for rows in (ground.reference, ground.recent))
    lost = np.flatnonzero((usual > 0) & (now < LOST_SPREAD * usual))
    return ground.reference.columns[lost[0]] if len(lost) else ""


def _said(fault: Fault) -> str:
    return f"{fault.said} (on {fault.nights} of {fault.of_nights} nights)"


def _model(known: Situation) -> LikelyCause | None:
    signs = [sign for night in known.scores if (sign := _sign(night, known.usual_scores))]
    if not signs or len(signs) < SHARE_OF_NIGHTS * len(known.scores):
        return None
    share = len(signs) / len(known.scores)
    said = f"The model's output is broken: {signs[-1]} on {len(signs)} of {len(known.scores)} nights."
    return LikelyCause("model", share, said, relation_known=False, evidence={"signs": signs})


def _sign(night: NightScores, usual: Sequence[NightScores]) -> str:
    if night.apart:
        return f"{night.apart} of {night.rescored} rows are predicted otherwise from the same inputs"
    if night.not_numbers and night.not_numbers / night.rows > 2 * max(
        one.not_numbers / one.rows for one in usual
    ):
        return f"{night.not_numbers} of {night.rows} predictions are no numbers"
    if night.spread < 0.05 * min(one.spread for one in usual):
        return f"all predictions are within {night.spread:.2g}"
    return ""


def _label_delivery(ground: Ground) -> LikelyCause | None:
    labels, usual = ground.recent.labels, ground.reference.labels
    share, before = float(np.isfinite(labels).mean()), float(np.isfinite(usual).mean())
    if not share:
        return None
    foreign = float((np.isfinite(labels) & ~np.isin(labels, (0, 1))).mean())
    contradicted = _contradicted(ground)
    if foreign:
        said = f"{foreign:.0%} of the labels are neither 0 nor 1."
    elif contradicted > CONTRADICTED:
        said = f"{contradicted:.0%} of the labels contradict the number they were made from until now."
    elif np.nanmax(labels) == np.nanmin(labels):
        said = f"All labels are {np.nanmax(labels):g}."
    elif share < before - LABELS_FEWER:
        said = f"Labels are late: {share:.0%} of the rows have one, usually {before:.0%}."
    else:
        return None
    evidence: Evidence = {
        "labelled": share,
        "usually": before,
        "foreign": foreign,
        "contradicted": contradicted,
    }
    return LikelyCause("labels", 1.0, said, relation_known=False, evidence=evidence)


def _contradicted(ground: Ground) -> float:
    """Return the share of labels that the reference's own limit would not have made from their number."""
    old, new = ground.reference.known, ground.recent.known
    if old.measured is None or new.measured is None or not len(new.labels):
        return 0.0
    low, high = old.measured[old.labels == 0], old.measured[old.labels == 1]
    if not len(low) or not len(high) or low.max() >= high.min():
        return 0.0  # no one limit made the reference's labels
    wrong = (new.labels == 1) & (new.measured <= low.max()) | (new.labels == 0) & (new.measured >= high.min())
    return float(wrong.mean())


def _assessable(ground: Ground) -> bool:
    nights = len(np.unique(ground.recent.known.night))
    return nights >= FEWEST_NIGHTS and ground.shared_rows >= FEWEST_SHARED_ROWS


def _largest(found: Sequence[Moved]) -> tuple[float, Moved]:
    """Return how far the strongest test is beyond its threshold, above 1 it moved, and which it is."""
    return max(((_beyond(one, len(found)), one) for one in found), key=lambda pair: pair[0])


def _beyond(one: Moved, tests: int) -> float:
    own = one.of in ("", SCORE)
    allowed = RELATION_P if own else SLOPES_P / (tests - 4)
    return float(min(abs(one.shift) / FLOORS[one.what], np.log(max(one.p, 1e-300)) / np.log(allowed)))


def _relation(ground: Ground, beyond: float, strongest: Moved) -> LikelyCause:
    """Labels do not follow as they did: are they wrong, or is the relation another one?"""
    if _turned(ground):
        said = "Labels are coded the other way round: turned, they follow from the inputs as they did."
        return LikelyCause("labels", 1.0, said, relation_known=True)
    rows = ground.recent.known
    told = stories(rows.night, rows.described, ground.expected(rows), rows.labels)
    evidence: Evidence = {"strongest": asdict(strongest), "beyond": beyond, "stories": asdict(told)}
    apart = told.corrupted - max(told.changed, told.level)
    if apart > PATTERN:
        return LikelyCause(
            "labels", _sure(apart, PATTERN), _corrupted(told), relation_known=True, evidence=evidence
        )
    said = f"Labels no longer follow from the inputs as they did: {_sentence(strongest)}."
    if told.level >= told.changed:
        said += " All rows moved alike, which another rule of the labels would look like as well."
        return LikelyCause("concept", 0.5, said, relation_known=True, evidence=evidence)
    return LikelyCause("concept", _sure(beyond, 1.0), said, relation_known=True, evidence=evidence)


def _turned(ground: Ground) -> bool:
    """Whether labels follow as they did once 0 and 1 change places."""
    turned = replace(ground.recent, labels=1 - ground.recent.labels)
    return _largest(Ground(ground.reference, turned).relation())[0] <= 1


def _corrupted(told: Stories) -> str:
    return (
        f"Labels look corrupted: about {told.to_true:.0%} of the rows of class 0 and {told.to_false:.0%} of class 1 "
        "come as the other, whatever their inputs."
    )


def _sentence(one: Moved) -> str:
    along = f" {'of' if one.what == 'mean' else 'along'} {one.of}" if one.of else ""
    return (
        f"the {one.what}{along} moved by {one.shift:+.3f} ({one.low:+.3f} to {one.high:+.3f}, p {one.p:.1g})"
    )


def _sure(statistic: float, threshold: float) -> float:
    """Return confidence: a half at the threshold, near one at twice it."""
    return float(np.clip(1 - 0.5 * (threshold / max(statistic, threshold)) ** 3, 0.5, 1.0))


def _inputs(ground: Ground, relation: float, *, assessable: bool) -> LikelyCause:
    """Labels follow, or cannot tell: did inputs move, and does it hurt?"""
    found = input_shifts(ground.reference, ground.recent)
    beyond, strongest = max(((_shifted(one, len(found)), one) for one in found), key=lambda pair: pair[0])
    loss = moved(
        "expected loss", "", ground.expected_loss(ground.reference), ground.expected_loss(ground.recent)
    )
    evidence: Evidence = {"strongest": asdict(strongest), "beyond": beyond, "expected_loss": asdict(loss)}
    unknown = "" if assessable else " There are too few labels: whether the relation moved is not assessable."
    if beyond > 1:
        harm = loss.shift > HARM
        said = (
            f"Inputs moved ({_sentence(strongest)}) and the expected loss by {loss.shift:+.3f} a row "
            f"({loss.low:+.3f} to {loss.high:+.3f}), which is {'' if harm else 'no '}harm.{unknown}"
        )
        sure = _sure(1 + abs(loss.shift - HARM) / HARM, 1.0) if assessable else 0.5
        cause: Cause = "harmful_shift" if harm else "harmless_shift"
        return LikelyCause(cause, sure, said, relation_known=assessable, evidence=evidence)
    if not assessable:
        return LikelyCause(
            "not_assessable", 0.5, f"Inputs stayed.{unknown}", relation_known=False, evidence=evidence
        )
    said = "Inputs stayed, and labels follow from them as they did."
    return LikelyCause(
        "none", _sure(1 / max(beyond, relation), 1.0), said, relation_known=True, evidence=evidence
    )


def _shifted(one: Moved, tests: int) -> float:
    return float(min(abs(one.shift) / INPUT_FLOOR, np.log(max(one.p, 1e-300)) / np.log(INPUT_P / tests)))
