"""Causes, injected into fourteen nights on which nothing was wrong: what each does to rows, labels or predictions.

A shift is harmful if the model's expected loss under the truth rises by ``HARMFUL`` and harmless if it rises by
less than ``HARMLESS``; draws between the two are neither, and drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.triage_worlds import LEARNT, NIGHTS, ORDINARY, RECENT, World, expected_loss, night_scores
from perennial.facts.logistic import expit, logit
from perennial.facts.shared_ground import Ground
from perennial.facts.situation import Situation

Numbers = NDArray[np.float64]
Draw = np.random.Generator

HARMLESS, HARMFUL = 0.0075, 0.03
TRIES, VISIBLE = 40, 0.4
CHANGED = 0.1
"""A relation that changed moves a row's chance by more than this, on average."""


@dataclass(frozen=True)
class Nights:
    """Fourteen nights as they arrive."""

    frame: pd.DataFrame
    """Inputs as delivered, with ``night``."""
    labels: Numbers
    scores: Numbers | None = None
    """What the model said, where that is not what it says of these inputs."""
    again: Numbers | None = None
    measured: Numbers | None = None
    """Numbers the labels were made from, where they no longer fit; else they follow from the labels."""


Injection = Callable[[World, Nights, Draw], Nights | None]


def situation(world: World, nights: Nights) -> Situation:
    """Put together what triage is told."""
    scores = world.model(nights.frame) if nights.scores is None else nights.scores
    rows = world.rows(nights.frame, scores, nights.labels, _measured(world, nights))
    told = night_scores(rows.night, scores, nights.again)
    recent = world.profiles(nights.frame)
    return Situation(
        world.edges, world.reference, recent, world.usual_scores, told, Ground(world.usual, rows)
    )


def _measured(world: World, nights: Nights) -> Numbers | None:
    """Return numbers that fit the labels: a row's own, or another one's where its label was changed."""
    if not world.delivers_number:
        return None
    if nights.measured is not None:
        return nights.measured
    draw, found = np.random.default_rng(len(nights.labels)), nights.frame["raw"].to_numpy(float).copy()
    known = world.ordinary["raw"].to_numpy(float)
    for label in (0, 1):
        wrong = (nights.labels == label) & ((found > world.rule) != label)
        found[wrong] = draw.choice(known[(known > world.rule) == label], int(wrong.sum()))
    return found


def drawn(world: World, draw: Draw, nights: int = RECENT) -> Nights:
    """Draw fourteen of the spare nights, or more."""
    spare = draw.permutation(np.arange(LEARNT + ORDINARY, NIGHTS))[:nights]
    frame = world.nights(np.sort(spare))
    return Nights(frame, frame["y"].to_numpy(float))


def nothing(world: World, nights: Nights, draw: Draw) -> Nights:
    """Leave all as it is."""
    del world, draw
    return nights


# Broken feeds


def _column(change: Callable[[pd.Series, Draw], object], world: World, nights: Nights, draw: Draw) -> Nights:
    """Break one column; where that leaves every value as it was, such as a multiple of no rain, another one."""
    frame = nights.frame.copy()
    while frame.equals(nights.frame):
        name = str(draw.choice(world.numbers))
        frame[name] = change(nights.frame[name], draw)
    return replace(nights, frame=frame)


def _times(factor: float, column: pd.Series, draw: Draw) -> pd.Series:
    del draw
    return column * factor


def _nulls(column: pd.Series, draw: Draw) -> pd.Series:
    return column.mask(draw.random(len(column)) < draw.uniform(0.15, 0.6))


def _stuck(column: pd.Series, draw: Draw) -> pd.Series:
    return pd.Series(np.full(len(column), column.dropna().iloc[int(draw.integers(len(column.dropna())))]))


def _sentinel(column: pd.Series, draw: Draw) -> pd.Series:
    return column.mask(draw.random(len(column)) < draw.uniform(0.03, 0.2), -9999.0)


def swapped(world: World, nights: Nights, draw: Draw) -> Nights:
    """Exchange two columns that never looked alike."""
    frame = nights.frame.copy()
    for _ in range(TRIES):
        one, other = (str(name) for name in draw.choice(world.numbers, 2, replace=False))
        if _distance(world.ordinary[one], world.ordinary[other]) > 0.5:
            break
    frame[one], frame[other] = nights.frame[other], nights.frame[one]
    return replace(nights, frame=frame)


def _distance(one: pd.Series, other: pd.Series) -> float:
    points = np.sort(np.concatenate([one.dropna(), other.dropna()]))
    shares = [
        np.searchsorted(np.sort(column.dropna()), points, "right") / column.count() for column in (one, other)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def shifted_columns(world: World, nights: Nights, draw: Draw) -> Nights:
    """Deliver every number one column to the right."""
    del draw
    frame = nights.frame.copy()
    frame[world.numbers] = nights.frame[[*world.numbers[-1:], *world.numbers[:-1]]].to_numpy()
    return replace(nights, frame=frame)


def stale_night(world: World, nights: Nights, draw: Draw) -> Nights:
    """Deliver the last ordinary night again and again; labels come for the rows that really were."""
    last = world.nights([LEARNT + ORDINARY - 1])
    parts = [last.assign(night=night) for night in nights.frame["night"].unique()]
    frame = pd.concat(parts, ignore_index=True)
    labels = draw.permutation(nights.labels)
    return Nights(frame, np.resize(labels, len(frame)))


def stale_column(world: World, nights: Nights, draw: Draw) -> Nights:
    """Let one column keep the values of the last ordinary night; not one that is the same every night."""
    frame = nights.frame.copy()
    while frame.equals(nights.frame):
        name = str(draw.choice([name for name in world.numbers if world.ordinary[name].nunique() > 30]))
        last = world.nights([LEARNT + ORDINARY - 1])[name].to_numpy()
        for at in frame.groupby("night").indices.values():
            frame.loc[at, name] = np.resize(last, len(at))
    return replace(nights, frame=frame)


# Inputs that moved


def _weights(world: World, frame: pd.DataFrame, draw: Draw) -> Numbers:
    """Favour rows with high or low values of one or two inputs."""
    names = draw.choice(world.numbers, int(draw.integers(1, 3)), replace=False)
    pull = np.zeros(len(frame))
    for name in names:
        ranks = frame[name].rank(pct=True).fillna(0.5).to_numpy()
        pull += draw.choice([-1, 1]) * draw.uniform(2, 5) * ranks
    return np.exp(pull)


def selected(harmful: bool, world: World, nights: Nights, draw: Draw) -> Nights | None:  # noqa: FBT001
    """See other rows than usual; labels are those they had."""
    for _ in range(TRIES):
        weights = _weights(world, nights.frame, draw)
        rows = np.concatenate(
            [_resampled(at, weights, draw) for at in nights.frame.groupby("night").indices.values()]
        )
        frame = nights.frame.iloc[rows].reset_index(drop=True)
        if _visible(world, nights.frame, frame) and _is(harmful, world, frame):
            return Nights(frame, nights.labels[rows])
    return None


def _resampled(at: NDArray[np.int64], weights: Numbers, draw: Draw) -> NDArray[np.int64]:
    chance = weights[at] / weights[at].sum()
    return np.sort(draw.choice(at, len(at), p=chance))


def transported(harmful: bool, world: World, nights: Nights, draw: Draw) -> Nights | None:  # noqa: FBT001
    """Move an input for all rows; labels follow the truth, with each row's own luck. Real worlds see other rows."""
    if world.name != "made_up":
        return selected(harmful, world, nights, draw)
    for _ in range(TRIES):
        frame = nights.frame.copy()
        for name in draw.choice(world.numbers, int(draw.integers(1, 3)), replace=False):
            frame[name] = frame[name] + draw.choice([-1, 1]) * draw.uniform(0.3, 1.0) * frame[name].std()
        frame[world.numbers] = frame[world.numbers].clip(lower=0.5)
        if _visible(world, nights.frame, frame) and _is(harmful, world, frame):
            return Nights(
                frame, _followed(nights.labels, world.truth(nights.frame), world.truth(frame), draw)
            )
    return None


def true_rise(world: World, frame: pd.DataFrame) -> float:
    """Return by how much the model's expected loss under the truth lies above that of ordinary nights."""
    return _true_loss(world, frame) - world.ordinary_loss


def _true_loss(world: World, frame: pd.DataFrame) -> float:
    return expected_loss(world.model(frame), world.truth(frame))


def _is(harmful: bool, world: World, frame: pd.DataFrame) -> bool:  # noqa: FBT001
    rise = true_rise(world, frame)
    return rise > HARMFUL if harmful else rise < HARMLESS


def _visible(world: World, before: pd.DataFrame, now: pd.DataFrame) -> bool:
    """Whether an input's mean lies two fifths of its spread off ordinary nights, and off these before: else none moved."""
    spread = world.ordinary[world.numbers].std()
    means = [
        (now[world.numbers].mean() - other[world.numbers].mean()) / spread
        for other in (before, world.ordinary)
    ]
    return bool(np.minimum(means[0].abs(), means[1].abs()).max() > VISIBLE)


# Relations that changed


def _followed(labels: Numbers, before: Numbers, now: Numbers, draw: Draw) -> Numbers:
    """Draw labels from new chances, keeping the luck that each row and its night had."""
    luck = np.where(
        labels == 1, draw.random(len(labels)) * before, before + draw.random(len(labels)) * (1 - before)
    )
    return (luck < now).astype(float)


def _changed(world: World, nights: Nights, draw: Draw, now: Callable[[Draw], Numbers]) -> Nights | None:
    """Change the relation until it moves a row's chance by enough; none where it never does."""
    before = world.truth(nights.frame)
    for _ in range(TRIES):
        after = now(draw)
        if np.abs(after - before).mean() > CHANGED:
            return replace(nights, labels=_followed(nights.labels, before, after, draw))
    return None


def mirrored(count: int, world: World, nights: Nights, draw: Draw) -> Nights | None:
    """Turn the effect of some inputs around: high values do what low ones did."""

    def now(draw: Draw) -> Numbers:
        frame = nights.frame.copy()
        for name in draw.choice(
            world.numbers, min(count + int(draw.integers(2)), len(world.numbers)), replace=False
        ):
            ordered = np.sort(world.ordinary[name].dropna())
            ranks = np.searchsorted(ordered, frame[name].to_numpy()) / len(ordered)
            frame[name] = np.where(frame[name].isna(), np.nan, np.quantile(ordered, np.clip(1 - ranks, 0, 1)))
        return world.truth(frame)

    return _changed(world, nights, draw, now)


def exchanged(world: World, nights: Nights, draw: Draw) -> Nights | None:
    """Let labels follow one input as they followed another."""

    def now(draw: Draw) -> Numbers:
        frame = nights.frame.copy()
        one, other = draw.choice(world.numbers, 2, replace=False)
        for name, source in ((one, other), (other, one)):
            ranks = nights.frame[source].rank(pct=True).fillna(0.5)
            frame[name] = np.quantile(world.ordinary[name].dropna(), ranks)
        return world.truth(frame)

    return _changed(world, nights, draw, now)


def segment(world: World, nights: Nights, draw: Draw) -> Nights | None:
    """Let a part of the rows come true more or less often than it did."""

    def now(draw: Draw) -> Numbers:
        ranks = nights.frame[draw.choice(world.numbers)].rank(pct=True).fillna(0.5).to_numpy()
        part = ranks > draw.uniform(0.4, 0.6)
        return expit(logit(world.truth(nights.frame)) + draw.choice([-1, 1]) * draw.uniform(1.0, 1.8) * part)

    return _changed(world, nights, draw, now)


def level(world: World, nights: Nights, draw: Draw) -> Nights | None:
    """Let all rows come true more or less often than they did."""

    def now(draw: Draw) -> Numbers:
        return expit(logit(world.truth(nights.frame)) + draw.choice([-1, 1]) * draw.uniform(0.7, 1.4))

    return _changed(world, nights, draw, now)


# Labels that are wrong


def noise(world: World, nights: Nights, draw: Draw) -> Nights:
    """Turn a share of the labels around."""
    del world
    turned = draw.random(len(nights.labels)) < draw.uniform(0.15, 0.35)
    return replace(nights, labels=np.where(turned, 1 - nights.labels, nights.labels))


def one_sided(world: World, nights: Nights, draw: Draw) -> Nights:
    """Lose a share of the events: they come labelled 0; or the other way round."""
    del world
    lost = (draw.random(len(nights.labels)) < draw.uniform(0.3, 0.6)) & (nights.labels == draw.integers(2))
    return replace(nights, labels=np.where(lost, 1 - nights.labels, nights.labels))


def rule(world: World, nights: Nights, draw: Draw) -> Nights:
    """Make the label from the same number by another limit."""
    limit = float(draw.choice(world.other_rules))
    raw = nights.frame["raw"].to_numpy(float)
    return replace(nights, labels=(raw > limit).astype(float), measured=raw)


def late(world: World, nights: Nights, draw: Draw) -> Nights:
    """Let most labels be late."""
    del world
    return replace(
        nights,
        labels=np.where(draw.random(len(nights.labels)) < draw.uniform(0.2, 0.6), nights.labels, np.nan),
    )


def one_class(world: World, nights: Nights, draw: Draw) -> Nights:
    """Label all rows alike."""
    del world
    return replace(nights, labels=np.full(len(nights.labels), float(draw.integers(2))))


def inverted(world: World, nights: Nights, draw: Draw) -> Nights:
    """Code the labels the other way round."""
    del world, draw
    return replace(nights, labels=1 - nights.labels)


# Models whose output is broken


def constant(world: World, nights: Nights, draw: Draw) -> Nights:
    """Predict the same for all rows."""
    del draw
    scores = np.full(len(nights.frame), float(world.usual.scores.mean()))
    return replace(nights, scores=scores)


def not_numbers(world: World, nights: Nights, draw: Draw) -> Nights:
    """Predict no number for a share of the rows."""
    scores = world.model(nights.frame)
    return replace(nights, scores=np.where(draw.random(len(scores)) < draw.uniform(0.02, 1), np.nan, scores))


def restless(world: World, nights: Nights, draw: Draw) -> Nights:
    """Predict otherwise each time."""
    sure = logit(world.model(nights.frame))
    one, other = (expit(sure + draw.normal(0, 0.5, len(sure))) for _ in range(2))
    return replace(nights, scores=one, again=other)


INJECTIONS: dict[str, dict[str, Injection]] = {
    "none": {"nothing": nothing, "nothing 2": nothing, "nothing 3": nothing, "nothing 4": nothing},
    "broken_feed": {
        "unit x1000": partial(_column, partial(_times, 1000.0)),
        "unit x0.1": partial(_column, partial(_times, 0.1)),
        "unit x1.609": partial(_column, partial(_times, 1.609)),
        "nulls": partial(_column, _nulls),
        "stuck": partial(_column, _stuck),
        "sentinel": partial(_column, _sentinel),
        "swapped": swapped,
        "columns shifted": shifted_columns,
        "stale night": stale_night,
        "stale column": stale_column,
    },
    "harmless_shift": {
        "other rows": partial(selected, False),
        "other rows 2": partial(selected, False),
        "moved": partial(transported, False),
        "moved 2": partial(transported, False),
    },
    "harmful_shift": {
        "other rows": partial(selected, True),
        "other rows 2": partial(selected, True),
        "moved": partial(transported, True),
        "moved 2": partial(transported, True),
    },
    "concept": {
        "mirrored": partial(mirrored, 1),
        "more mirrored": partial(mirrored, 3),
        "exchanged": exchanged,
        "segment": segment,
        "level": level,
    },
    "labels": {
        "noise": noise,
        "one-sided": one_sided,
        "rule": rule,
        "late": late,
        "one class": one_class,
        "inverted": inverted,
    },
    "model": {"constant": constant, "no numbers": not_numbers, "restless": restless},
}
