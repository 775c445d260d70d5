"""Which of the things that can go wrong went wrong? Broken feed, model, labels, relation or inputs, by stated tests.

Pure: from profiles, what predictions looked like, and labelled rows of the finding's nights and of ordinary ones.
The order is that of how certain the signs are and how costly to confuse; ``benchmarks/triage.py`` counts how
often it is right. What shows by itself is asked first, in ``facts/plain_causes.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from perennial.facts.evidence import Evidence
from perennial.facts.exact_signs import nearly_a_unit
from perennial.facts.label_pattern import Stories, stories
from perennial.facts.plain_causes import plain_cause
from perennial.facts.reading import Reading
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
from perennial.facts.situation import Cause, LikelyCause, Situation

FAMILY_P = 0.05
"""Error of all signs of a finding together: so often, at most, ordinary nights are called something else (Bonferroni)."""
RELATION_P: dict[What, float] = {
    "level": 0.24 * FAMILY_P,
    "slope": 0.24 * FAMILY_P,
    "spread of levels": 0.02 * FAMILY_P,
    "slope of levels": 0.02 * FAMILY_P,
}
"""Error of each test of levels and of slopes along the score: most for those that find most, as the other two rarely
see what these do not."""
SLOPES_P, INPUT_P = 0.28 * FAMILY_P, 0.2 * FAMILY_P
"""Errors that slopes along inputs share, and means of inputs."""
FLOORS: dict[What, float] = {"level": 0.3, "spread of levels": 0.15, "slope of levels": 0.15, "slope": 0.02}
"""Less is no change: log odds; for a slope, probability for a standard deviation."""
INPUT_FLOOR = 0.2
"""The least move of an input's mean, in standard deviations."""
HARM, OWN_ERROR = 0.0125, 0.015
"""A rise of the expected log loss a row that is harm, and by how much the expectation itself is usually off."""
STEADY = 1.28
"""Standard errors by which corrupted labels must be the better story night after night (one-sided, .10)."""


FEWEST_USUAL_NIGHTS = 14
"""With fewer ordinary nights with labels, what they let one expect is too uncertain to say that it moved."""


def likely_cause(known: Situation) -> LikelyCause:
    """Name the likely cause; the same facts give the same answer.

    A detector that stands over its threshold is believed: its budget is simulated. What is asked here is what
    the finding means, by tests that see more than its one statistic.
    """
    found = plain_cause(known) or _compared(known)
    if found.cause not in ("concept", "harmful_shift") or known.edges is None or not known.reference:
        return found
    suspect = nearly_a_unit(known.edges, known.reference, known.recent)
    said = f"{found.reason} But {suspect} may have come in another unit." if suspect else found.reason
    return replace(found, suspect=suspect, reason=said)


def _compared(known: Situation) -> LikelyCause:
    """Compare labels and inputs with those of ordinary nights."""
    if known.ground is None:
        return _by_readings(known)
    ground, assessable, beyond = known.ground, _assessable(known.ground), 0.0
    if assessable:
        beyond, strongest = _largest(ground.relation())
        if beyond > 1:
            return _relation(ground, beyond, strongest)
    inputs = _inputs(ground, beyond, known.inputs, assessable=assessable)
    explained = assessable and inputs.cause == "harmful_shift"
    return _as_read(known.residuals, inputs) if _is_over(known.residuals) and not explained else inputs


def _is_over(reading: Reading | None) -> bool:
    return reading is not None and reading.state == "over"


def _as_read(residuals: Reading | None, inputs: LikelyCause) -> LikelyCause:
    """Believe the watch of labels where the rows of its nights are too few, or too alike, to say more."""
    told = residuals.reason if residuals else ""
    also = " Inputs moved as well." if inputs.cause in ("harmful_shift", "harmless_shift") else ""
    said = f"Labels no longer follow from the inputs as they did. {told}{also}"
    return LikelyCause("concept", 0.5, said, True, inputs.columns, evidence=inputs.evidence)


def _by_readings(known: Situation) -> LikelyCause:
    """Say what detectors let one say, where predictions are no probabilities or no version serves yet."""
    inputs, residuals = known.inputs, known.residuals
    labelled = residuals is not None and residuals.state != "learning"
    columns = _columns(inputs)
    few = "too few labels" if residuals is not None else "no labels"
    unknown = f"There are {few} yet, so whether the relation moved is not assessable"
    if _is_over(residuals):
        moved_too = _is_over(inputs)
        plain = LikelyCause("harmless_shift" if moved_too else "none", 0.5, "", True, columns)
        return _as_read(residuals, plain)
    if inputs is not None and _is_over(inputs):
        if labelled:
            said = f"Inputs moved and labels still follow from them: {inputs.reason}"
            return LikelyCause("harmless_shift", 0.5, said, True, columns)
        said = f"{unknown}; inputs did: {inputs.reason}"
        return LikelyCause("not_assessable", 0.5, said, False, columns)
    if labelled:
        return LikelyCause("none", 0.5, "Nothing is over its threshold.", relation_known=True)
    return LikelyCause("not_assessable", 0.5, f"{unknown}; no input moved.", relation_known=False)


def _columns(reading: Reading | None) -> tuple[str, ...]:
    """Name the columns of a reading that is over, strangest first."""
    if reading is None or not _is_over(reading):
        return ()
    return tuple(dict.fromkeys(one.column for one in reading.columns if one.column))


def _assessable(ground: Ground) -> bool:
    usual, nights = (len(np.unique(rows.known.night)) for rows in (ground.reference, ground.recent))
    enough = usual >= FEWEST_USUAL_NIGHTS and nights >= FEWEST_NIGHTS
    return enough and ground.shared_rows >= FEWEST_SHARED_ROWS


def _largest(found: Sequence[Moved]) -> tuple[float, Moved]:
    """Return how far the strongest test is beyond its threshold, above 1 it moved, and which it is."""
    return max(((_beyond(one, len(found)), one) for one in found), key=lambda pair: pair[0])


def _beyond(one: Moved, tests: int) -> float:
    own = one.of in ("", SCORE)
    allowed = RELATION_P[one.what] if own else SLOPES_P / (tests - len(RELATION_P))
    return float(min(abs(one.shift) / FLOORS[one.what], np.log(max(one.p, 1e-300)) / np.log(allowed)))


def _relation(ground: Ground, beyond: float, strongest: Moved) -> LikelyCause:
    """Labels do not follow as they did: are they wrong, or is the relation another one?"""
    if _turned(ground):
        said = "Labels are coded the other way round: turned, they follow from the inputs as they did."
        return LikelyCause("labels", 1.0, said, relation_known=True)
    rows = ground.recent.known
    told = stories(rows.night, rows.described, ground.expected(rows), rows.labels)
    evidence: Evidence = {"strongest": asdict(strongest), "beyond": beyond, "stories": asdict(told)}
    if told.steady > STEADY:
        sure = _sure(told.steady, STEADY)
        return LikelyCause("labels", sure, _corrupted(told), relation_known=True, evidence=evidence)
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


def _inputs(ground: Ground, relation: float, reading: Reading | None, *, assessable: bool) -> LikelyCause:
    """Labels follow, or cannot tell: did inputs move, and does it hurt?"""
    found = input_shifts(ground.reference, ground.recent)
    beyond, strongest = max(((_shifted(one, len(found)), one) for one in found), key=lambda pair: pair[0])
    loss = _loss(ground, assessable=assessable)
    evidence: Evidence = {"strongest": asdict(strongest), "beyond": beyond, "expected_loss": asdict(loss)}
    unknown = "" if assessable else " There are too few labels: whether the relation moved is not assessable."
    if beyond > 1 or _is_over(reading):
        told = reading.reason if reading and beyond <= 1 else f"{_sentence(strongest)}."
        columns = _columns(reading) or ((strongest.of,) if strongest.of != SCORE else ())
        return _shift(told, loss, unknown, columns, evidence)
    if not assessable:
        return LikelyCause(
            "not_assessable", 0.5, f"Inputs stayed.{unknown}", relation_known=False, evidence=evidence
        )
    said = "Inputs stayed, and labels follow from them as they did."
    return LikelyCause(
        "none", _sure(1 / max(beyond, relation), 1.0), said, relation_known=True, evidence=evidence
    )


def _loss(ground: Ground, *, assessable: bool) -> Moved:
    """Return how far the loss that inputs let one expect moved, corrected by what labels showed of it.

    What is expected errs where the reference had few such rows; what was realised errs by luck. Each counts by how
    little it is off (James and Stein 1961), the first by ``OWN_ERROR``, the second by the spread of its nights.
    """
    usual, told = ground.expected_loss(ground.reference), ground.expected_loss(ground.recent)
    expected = moved("expected loss", "", usual, told)
    if not assessable:
        return expected
    of_labelled = moved("expected loss", "", usual, ground.expected_loss(ground.recent.known))
    losses = (ground.realised_loss(ground.reference), ground.realised_loss(ground.recent))
    realised = moved("expected loss", "", *losses)
    luck = (realised.high - realised.low) / 4
    by = OWN_ERROR**2 / (OWN_ERROR**2 + luck**2) * (realised.shift - of_labelled.shift)
    return replace(expected, shift=expected.shift + by, low=expected.low + by, high=expected.high + by)


def _shift(told: str, loss: Moved, unknown: str, columns: tuple[str, ...], evidence: Evidence) -> LikelyCause:
    """Say whether inputs that moved do harm; of few nights, only where no luck of nights explains the loss."""
    harm = loss.shift > HARM and (loss.nights[1] >= FEWEST_NIGHTS or loss.low > 0)
    said = (
        f"Inputs moved: {told} The expected loss moved by {loss.shift:+.3f} a row "
        f"({loss.low:+.3f} to {loss.high:+.3f}), which is {'' if harm else 'no '}harm.{unknown}"
    )
    sure = 0.5 if unknown else _sure(1 + abs(loss.shift - HARM) / HARM, 1.0)
    cause: Cause = "harmful_shift" if harm else "harmless_shift"
    return LikelyCause(cause, sure, said, not unknown, columns, evidence=evidence)


def _shifted(one: Moved, tests: int) -> float:
    return float(min(abs(one.shift) / INPUT_FLOOR, np.log(max(one.p, 1e-300)) / np.log(INPUT_P / tests)))
