"""The sentences of an attribution, made once so that page, log and ledger show the same.

``facts/attribution.py`` asks for them; every number that stands in one stands in its values as well.
"""

from __future__ import annotations

import numpy as np

from perennial.facts.attributed_inputs import InputShare
from perennial.facts.attributed_loss import Part, Split
from perennial.facts.attributed_relation import RelationShare
from perennial.facts.attributed_rows import Numbers

NOT_FINITE = (
    "Not assessable: the model gives predictions that are not finite numbers; look at the model first."
)
NO_LABELS = (
    "There are too few labels, so only the change of predictions is explained; "
    "whether the relation of inputs and labels changed is not assessable."
)
ONE_NIGHT = "One side is a single night: its intervals cover chance among rows, not how nights differ."
NO_PLAIN_CAUSE = "No cause is plain; `perennial explain` lists the candidates."
NOTHING = "No column changed its values, and no relation moved beyond what nights do by themselves."


def too_few(reference: int, recent: int, fewest: int) -> str:
    """Say that there are too few rows.

    >>> too_few(4000, 12, 50)
    'Not assessable: 4,000 reference and 12 recent rows; at least 50 of each are needed.'
    """
    return (
        f"Not assessable: {reference:,} reference and {recent:,} recent rows; "
        f"at least {fewest} of each are needed."
    )


def one_sided(columns: tuple[str, ...]) -> str:
    """Say which columns cannot be compared.

    >>> one_sided(("gate",))
    'Only one side has gate: not compared.'
    """
    return f"Only one side has {', '.join(columns)}: not compared."


def moved(scores: tuple[Numbers, Numbers]) -> str:
    """Say how the mean prediction changed.

    >>> moved((np.array([.2, .2]), np.array([.3, .2])))
    'The mean prediction rose from 0.2 to 0.25.'
    """
    before, after = (float(np.mean(side)) for side in scores)
    return f"The mean prediction {'rose' if after >= before else 'fell'} from {before:.3g} to {after:.3g}."


def split(parts: Split) -> str:
    """Say what the change in loss is made of."""
    nights = "" if parts.by_nights else ", over rows as nights are too few"
    return (
        f"The mean loss changed by {_part(parts.total)}: {_part(parts.inputs)} from changed inputs and "
        f"{_part(parts.relation)} from a changed relation (90 % intervals{nights}; both sides have "
        f"{parts.overlap:.0%} of their inputs in common)."
    )


def no_overlap(overlap: float) -> str:
    """Say that the split cannot be made."""
    return (
        f"Both sides have {overlap:.0%} of their inputs in common: too little to tell a changed relation "
        "from changed inputs, so the change in loss is not split."
    )


def inputs(one: InputShare) -> str:
    """Say what a column's changed values did."""
    where = f", which changed at {one.segment} alone," if one.segment else ""
    change = f"the mean prediction by {one.change:+.3g} ({one.change_low:+.3g} to {one.change_high:+.3g})"
    values = f"its values lie {one.distance:.2f} from the reference's, usually up to {one.usual:.2f}"
    if not one.is_unusual:
        return f"{one.column}{where} moved {change}, not unusually or by a trifle: {values}."
    lost = ""
    if one.loss is not None:
        lost = f" and the mean loss by {one.loss:+.2g} ({one.loss_low:+.2g} to {one.loss_high:+.2g})"
    return (
        f"{one.share:.0%} of the unusual movement of predictions ({one.share_low:.0%} to {one.share_high:.0%}) "
        f"came from {one.column}{where}: it moved {change}{lost}, and {values}."
    )


def headline(short: str, *, is_sure: bool) -> str:
    """Say the first cause in an alert, where it is plain: who is woken needs no candidates.

    >>> headline("the values of load", is_sure=False)
    'No cause is plain; `perennial explain` lists the candidates.'
    """
    return f"Most of it: {short}." if is_sure else NO_PLAIN_CAUSE


def short_inputs(one: InputShare) -> str:
    """Name a column and what it did, for an alert."""
    where = f" at {one.segment}" if one.segment else ""
    return f"the values of {one.column}{where}, which made {one.share:.0%} of the unusual movement of predictions"


def relation(one: RelationShare) -> str:
    """Say where labels follow otherwise.

    >>> said = RelationShare(
    ...     "origin", "origin = JFK", effect=0.12, low=0.09, high=0.15, z=6.1, usual=0.05, explains=0.001, matches=6.0, p=0.0001
    ... )
    >>> relation(said).partition(" (")[0]
    'Labels follow otherwise at origin = JFK: labels less predictions moved there by +0.12 beside the rest'
    """
    interval = f"({one.low:+.3g} to {one.high:+.3g}; {abs(one.z):.1f} standard errors of nights, p {one.p:.2g} over all places looked at)"
    if one.segment:
        where = f"at {one.segment}: labels less predictions moved there by {one.effect:+.3g} beside the rest"
    elif one.column:
        where = f"with {one.column}: labels less predictions moved by {one.effect:+.3g} from its lowest to its highest values"
    else:
        where = f"everywhere: labels less predictions moved by {one.effect:+.3g}"
    return f"Labels follow otherwise {where} {interval}."


def short_relation(one: RelationShare) -> str:
    """Name where labels follow otherwise, for an alert."""
    where = f"at {one.segment}" if one.segment else f"with {one.column}" if one.column else "everywhere"
    return f"labels follow otherwise {where}, by {one.effect:+.2g} beside what is predicted"


def _part(part: Part) -> str:
    return f"{part.value:+.3g} ({part.low:+.3g} to {part.high:+.3g})"
