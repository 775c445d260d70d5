"""Causes that show without any comparison of labels and inputs: a broken feed, a broken model, labels gone wrong.

``facts/likely_cause.py`` asks here first: these signs are the surest, and to learn from such nights costs most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from perennial.facts.evidence import Evidence
from perennial.facts.exact_signs import find_exact_signs
from perennial.facts.feed_faults import SHARE_OF_NIGHTS, Fault, find_faults
from perennial.facts.new_values import inputs_of_new_values
from perennial.facts.shared_ground import Ground, Rows
from perennial.facts.situation import LikelyCause, NightScores, Situation

LOST_SPREAD = 0.1
"""An input's spread falls below this share of the usual one only in a broken feed."""
LOST_SCORES = 0.05
"""So small a share of the least usual spread of predictions is a constant output."""
LABELS_FEWER, CONTRADICTED = 0.25, 0.01
FAULTS_NAMED = 3


def plain_cause(known: Situation) -> LikelyCause | None:
    """Name the cause if it shows by itself; the feed first, then the model, then the labels' delivery."""
    found = broken_feed(known) or broken_model(known)
    return found or (broken_labels(known.ground) if known.ground else None)


def broken_feed(known: Situation) -> LikelyCause | None:
    """Look for signs that a column did not come as it should, on half of the nights or more."""
    faults = _faults(known)
    faults = faults or [one for one in _of_rows(known) if (one.sign, one.column) not in known.accepted]
    if not faults:
        return None
    shown = max(fault.nights / fault.of_nights for fault in faults)
    more = f", and {len(faults) - FAULTS_NAMED} more" if len(faults) > FAULTS_NAMED else ""
    said = f"The feed looks broken: {'; '.join(_said(fault) for fault in faults[:FAULTS_NAMED])}{more}."
    columns = dict.fromkeys(name for fault in faults for name in (fault.column, fault.other) if name)
    nights = tuple(sorted({night for fault in faults for night in fault.on}))
    evidence: Evidence = {"faults": [asdict(fault) for fault in faults]}
    return LikelyCause("broken_feed", shown, said, False, tuple(columns), nights, evidence)


def _faults(known: Situation) -> list[Fault]:
    if known.edges is None or not known.reference or not known.recent:
        return []
    asked = known.edges, known.reference, known.recent
    found = [*find_faults(*asked), *find_exact_signs(*asked)]
    return [fault for fault in found if (fault.sign, fault.column) not in known.accepted]


def _of_rows(known: Situation) -> list[Fault]:
    """List what only rows show, of all nights of a finding that has more than one."""
    if known.ground is None or len(known.recent) < 2:  # noqa: PLR2004
        return []
    nights = tuple(sorted(known.recent))
    found = [
        Fault("recoded", name, f"{name} has none of its usual values", nights, len(nights))
        for name, _, _ in inputs_of_new_values(known.ground)
    ]
    lost = _lost_spread(known.ground)
    return (
        [*found, Fault("unit", lost, f"{lost} has lost its spread", nights, len(nights))] if lost else found
    )


def _said(fault: Fault) -> str:
    return f"{fault.said} (on {fault.nights} of {fault.of_nights} nights)"


def _lost_spread(ground: Ground) -> str:
    """Name the first input whose values have drawn together, on their usual scale, as in a unit far smaller."""
    usual, now = (rows.inputs.std(axis=0) for rows in (ground.reference, ground.recent))
    lost = np.flatnonzero((usual > 0) & (now < LOST_SPREAD * usual))
    return ground.reference.columns[lost[0]] if len(lost) else ""


def broken_model(known: Situation) -> LikelyCause | None:
    """Look for predictions that are no numbers, all alike, or others when the same rows are predicted again."""
    signs = [sign for night in known.scores if (sign := _sign(night, known.usual_scores))]
    restless = any(night.apart for night in known.scores)
    if not signs or not (restless or len(signs) >= SHARE_OF_NIGHTS * len(known.scores)):
        return None
    share = len(signs) / len(known.scores)
    said = f"The model's output is broken: {signs[-1]} on {len(signs)} of {len(known.scores)} nights."
    sure = 1.0 if restless else share
    return LikelyCause("model", sure, said, relation_known=False, evidence={"signs": signs})


def _sign(night: NightScores, usual: Sequence[NightScores]) -> str:
    if night.apart:
        return f"{night.apart} of {night.rescored} rows are predicted otherwise from the same inputs"
    before = max((one.not_numbers / one.rows for one in usual if one.rows), default=0.0)
    if night.not_numbers and night.not_numbers / night.rows > 2 * before:
        return f"{night.not_numbers} of {night.rows} predictions are no numbers"
    if night.rows > 1 and usual and night.spread < LOST_SCORES * min(one.spread for one in usual):
        return f"all predictions are within {night.spread:.2g}"
    return ""


def broken_labels(ground: Ground) -> LikelyCause | None:
    """Look for labels that are late, of one class, or contradict the number they were made from."""
    labels, usual = _delivered(ground.recent), _delivered(ground.reference)
    if not len(labels) or not len(usual):
        return None
    share, before = float(np.isfinite(labels).mean()), float(np.isfinite(usual).mean())
    foreign = float((np.isfinite(labels) & ~np.isin(labels, (0, 1))).mean())
    contradicted = _contradicted(ground)
    if foreign:
        said = f"{foreign:.0%} of the labels are neither 0 nor 1."
    elif contradicted > CONTRADICTED:
        said = f"{contradicted:.0%} of the labels contradict the number they were made from until now."
    elif np.nanmax(labels) == np.nanmin(labels) and _two_classes_expected(ground):
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


def _delivered(rows: Rows) -> np.ndarray:
    """Return the labels of nights of which any has come: the newest night's are not late, they are not due."""
    come = np.isin(rows.night, rows.night[np.isfinite(rows.labels)])
    return rows.labels[come]


BY_CHANCE = 0.001
"""Labels all alike are no fault where ordinary rows would be so more often than this."""


def _two_classes_expected(ground: Ground) -> bool:
    """Whether so many rows of one class are no chance: ten labels of rare events are all 0 most of the time."""
    labels, usual = ground.recent.known.labels, ground.reference.known.labels
    alike = float((usual == labels[0]).mean()) if len(labels) else 1.0
    return bool(alike ** len(labels) < BY_CHANCE)


def _contradicted(ground: Ground) -> float:
    """Return the share of labels that the reference's own limit would not have made from their number."""
    old, new = ground.reference.known, ground.recent.known
    if old.measured is None or new.measured is None:
        return 0.0
    old, new = old.where(np.isfinite(old.measured)), new.where(np.isfinite(new.measured))
    if old.measured is None or new.measured is None or not len(new.labels):
        return 0.0
    low, high = old.measured[old.labels == 0], old.measured[old.labels == 1]
    if not len(low) or not len(high) or low.max() >= high.min():
        return 0.0  # no one limit made the reference's labels
    wrong = (new.labels == 1) & (new.measured <= low.max()) | (new.labels == 0) & (new.measured >= high.min())
    return float(wrong.mean())
