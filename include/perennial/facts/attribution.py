"""What made predictions and loss change between reference and recent rows: which column, segment, relation?

Asked once a finding stands, never to decide whether there is one; what to do about a cause is triage's to
say (``policies/triage.py``). Needs numpy and pandas, so nothing read at parse time imports it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from perennial.facts import cause_sentences as say
from perennial.facts.attributed_inputs import (
    InputShare,
    Loss,
    Predict,
    Walked,
    shares,
    squared_error,
    walk,
)
from perennial.facts.attributed_loss import Split, split
from perennial.facts.attributed_relation import RelationShare, moved_residuals, places
from perennial.facts.attributed_rows import Mask, Numbers, Pair, Rows
from perennial.facts.attributed_segments import SegmentShare, segment_shares
from perennial.facts.evidence import Json, canonical, fingerprint

MOST_REFERENCE_ROWS, MOST_RECENT_ROWS = 20_000, 8_000
FEWEST_ROWS = 50
MOVED, LIKELY = 0.05, 0.2
"""A relation moved where its Holm-adjusted p is below this, with inputs as they are and restored, and it
moved further than between stretches of the reference."""
LEADS = 4.5
"""A place where a change accounts for all that moved, in so many standard errors, comes before those that moved for
certain, which may be its shadows, and before unusual values."""
OUTWEIGHED = 0.5
"""Odd values that moved predictions by less than this part of what a moved relation made of residuals come after it."""


@dataclass(frozen=True)
class Cause:
    """One candidate."""

    kind: Literal["inputs", "relation"]
    column: str
    """Empty for everywhere, and for a declared segment."""
    segment: str
    """Empty where the cause is not a segment's own."""
    said: str
    """A full sentence with the numbers."""
    short: str
    """What an alert says of it."""
    is_sure: bool
    """Whether it is plainly beyond what ordinary nights show; else it is a candidate and no more."""


@dataclass(frozen=True)
class Attribution:
    """What changed and why, as far as rows can say."""

    state: Literal["assessed", "not_assessable"]
    sentences: tuple[str, ...]
    """What a page shows: the change, its split, the first causes, and what could not be said."""
    causes: tuple[Cause, ...] = ()
    """Most likely first."""
    inputs: tuple[InputShare, ...] = ()
    relations: tuple[RelationShare, ...] = ()
    """Where the relation moved, most certain first; empty without labels."""
    split: Split | None = None
    """None without labels, and where the sides have too few inputs in common."""
    prediction_segments: tuple[SegmentShare, ...] = ()
    loss_segments: tuple[SegmentShare, ...] = ()
    seed: int = 0
    rows: tuple[int, int] = (0, 0)
    """Rows looked at: reference, recent."""
    nights: tuple[int, int] = (0, 0)
    one_sided: tuple[str, ...] = ()
    """Columns that only one side has."""

    @property
    def headline(self) -> str:
        """One sentence for an alert: the first cause, and whether ordinary nights may show the like."""
        if self.state == "not_assessable":
            return self.sentences[0]
        return (
            say.headline(self.causes[0].short, is_sure=self.causes[0].is_sure) if self.causes else say.NOTHING
        )

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for Airflow."""
        return {key: canonical(value) for key, value in asdict(self).items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was concluded; equal for equal inputs."""
        return fingerprint(self.as_json())


def attribute(
    reference: Rows,
    recent: Rows,
    predict: Predict,
    *,
    categorical: Sequence[str] = (),
    made_of: Mapping[str, Collection[str]] = MappingProxyType({}),
    loss: Loss = squared_error,
    seed: int = 0,
) -> Attribution:
    """Rank what changed between two sides by what it did to predictions and loss.

    Args:
        reference: Ordinary nights, best those just before the recent ones.
        recent: The nights the finding is about.
        predict: Gives a number for each row of a frame of features: the chance of a class, or the value.
        categorical: Numeric columns to read as categories; text and booleans are anyway. Each frequent
            level is a segment of its own, beside those that ``Rows.segments`` declares.
        made_of: Columns that a column is computed from; where both are wrong, what it is made of comes first.
        loss: Of labels and predictions, row by row.
        seed: Of the sample (at most 20,000 and 8,000 rows), of orders, folds and resamples.
    """
    if min(len(reference), len(recent)) < FEWEST_ROWS:
        return Attribution(
            "not_assessable", (say.too_few(len(reference), len(recent), FEWEST_ROWS),), seed=seed
        )
    draw = np.random.default_rng([seed, 0])
    sides = reference.sample(MOST_REFERENCE_ROWS, draw), recent.sample(MOST_RECENT_ROWS, draw)
    pair = Pair.of(*sides, categorical)
    scores = predict(pair.reference.features), predict(pair.recent.features)
    if not all(np.isfinite(side).all() for side in scores):
        return Attribution("not_assessable", (say.NOT_FINITE,), seed=seed)
    walked = walk(pair, predict, seed, loss)
    made = _of_inputs(pair, scores, walked, seed)
    return _told(_with_labels(made, pair, scores, _restored(walked, made.inputs), loss), made_of)


def _of_inputs(pair: Pair, scores: tuple[Numbers, Numbers], walked: Walked, seed: int) -> Attribution:
    sides = pair.reference, pair.recent
    return Attribution(
        "assessed",
        (say.moved(scores),),
        inputs=shares(pair, walked, seed),
        prediction_segments=segment_shares(pair, scores, seed),
        seed=seed,
        rows=(len(sides[0]), len(sides[1])),
        nights=(len(np.unique(sides[0].nights)), len(np.unique(sides[1].nights))),
        one_sided=tuple(sorted({*sides[0].features} ^ {*sides[1].features})),
    )


def _restored(walked: Walked, inputs: Sequence[InputShare]) -> Numbers:
    """Return predictions with every unusual column restored."""
    unusual = {one.column for one in inputs if one.is_unusual}
    steps = [walked.steps[k] for k, one in enumerate(walked.columns) if one.column in unusual]
    found: Numbers = walked.after - np.sum(steps, axis=0) if steps else walked.after
    return found


def _with_labels(
    made: Attribution, pair: Pair, scores: tuple[Numbers, Numbers], restored: Numbers, loss: Loss
) -> Attribution:
    known = _known(pair.reference), _known(pair.recent)
    if min(side.sum() for side in known) < FEWEST_ROWS:
        return replace(made, sentences=(*made.sentences, say.NO_LABELS))
    labelled = pair.keep(*known)
    past, now = labelled.reference.labels, labelled.recent.labels
    if past is None or now is None:  # not reached: rows without labels are not known
        return made
    said = scores[0][known[0]], scores[1][known[1]]
    losses = loss(past, said[0]), loss(now, said[1])
    parts, overlap = split(labelled, losses, made.seed)
    looked = places(labelled, said)
    as_is = moved_residuals(labelled, looked, (past - said[0], now - said[1]), made.seed)
    mended = moved_residuals(labelled, looked, (past - said[0], now - restored[known[1]]), made.seed)
    return replace(
        made,
        split=parts,
        relations=_agreed(as_is, mended),
        loss_segments=segment_shares(labelled, losses, made.seed),
        sentences=(*made.sentences, say.split(parts) if parts else say.no_overlap(overlap)),
    )


def _known(rows: Rows) -> Mask:
    return np.zeros(len(rows), bool) if rows.labels is None else ~np.isnan(rows.labels)


def _agreed(as_is: Sequence[RelationShare], mended: Sequence[RelationShare]) -> tuple[RelationShare, ...]:
    """Believe of two looks the weaker: what restoring the inputs explains, or only it makes, is no relation."""
    weaker = [
        replace(
            min(two, key=lambda one: abs(one.z)),
            p=max(one.p for one in two),
            matches=min(one.matches for one in two),
            explains=min(one.explains for one in two),
        )
        for two in zip(as_is, mended, strict=True)
    ]
    return tuple(sorted(weaker, key=lambda one: (-one.order, -abs(one.z))))


def _told(made: Attribution, made_of: Mapping[str, Collection[str]]) -> Attribution:
    """Rank in the order of triage: plainly wrong values, moved relations, unusual values, then what may be."""
    plain = _sources_first([one for one in made.inputs if one.is_plain], made_of)
    moved = [one for one in made.relations if one.p < MOVED and abs(one.effect) > one.usual]
    after = [one for one in plain if moved and _is_outweighed(one, moved[0])]
    leads = [one for one in made.relations[:1] if one not in moved and one.matches >= LEADS and one.explains]
    unusual = [one for one in made.inputs if one.is_unusual and not one.is_plain]
    likely = [one for one in made.relations if one not in (*leads, *moved) and one.p < LIKELY]
    causes = (
        *(_input(one, is_sure=True) for one in plain if one not in after),
        *(_relation(one, is_sure=bool(moved)) for one in leads),
        *(_relation(one, is_sure=True) for one in moved),
        *(_input(one, is_sure=True) for one in after),
        *(_input(one, is_sure=False) for one in unusual),
        *(_relation(one, is_sure=False) for one in likely),
        *(_input(one, is_sure=False) for one in made.inputs if not one.is_unusual),
    )
    notes = () if min(made.nights) > 1 else (say.ONE_NIGHT,)
    notes = (*notes, *((say.one_sided(made.one_sided),) if made.one_sided else ()))
    first = [cause.said for cause in causes[:3]] or [say.NOTHING]
    return replace(made, causes=causes, sentences=(*made.sentences, *first, *notes))


def _sources_first(found: Sequence[InputShare], made_of: Mapping[str, Collection[str]]) -> list[InputShare]:
    names = {one.column for one in found}
    return sorted(found, key=lambda one: bool(names.intersection(made_of.get(one.column, ()))))


def _is_outweighed(one: InputShare, moved: RelationShare) -> bool:
    """Whether values that a changed world may still explain did little beside what labels show."""
    return not one.is_far and one.moved < OUTWEIGHED * math.sqrt(moved.explains)


def _relation(one: RelationShare, *, is_sure: bool) -> Cause:
    return Cause("relation", one.column, one.segment, say.relation(one), say.short_relation(one), is_sure)


def _input(one: InputShare, *, is_sure: bool) -> Cause:
    return Cause("inputs", one.column, one.segment, say.inputs(one), say.short_inputs(one), is_sure)
