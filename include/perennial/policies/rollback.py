"""Does a version that was promoted still deserve its place? The one before it goes on scoring, and is compared here.

The trigger looks every night at all nights since the promotion, and at stretches that begin anew every week, so that
a version that goes bad later is found too. It never looks at levels: a hard season is hard for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perennial.facts.decision import Decision
from perennial.facts.evidence import Json
from perennial.facts.sequential import peeks, standard_scores

LONGEST_WATCH = 60
"""Nights for which the error of the trigger was simulated."""
FIRST_LOOK = 5
STRETCH_BEGINS_EVERY, STRETCH_NIGHTS = 7, 21
BOUNDS = ((42, 2.95, 3.8), (28, 3.2, 4.0), (0, 3.6, float("inf")))
"""Least reference nights; bounds on the standard score of the whole watch and of stretches. Chosen on one set of seeds
so that a version that is no worse is rolled back in at most .015 of 60 nights, autocorrelation up to .5."""


@dataclass(frozen=True)
class Watching:
    """What is known of a version and the one it replaced, over the nights since."""

    version: str
    """The version that serves."""
    against: str
    """The version that would serve again."""
    gains: Sequence[float]
    """Mean gain per row of the serving version on each mature night, oldest first."""
    reference: Sequence[float] = ()
    """The same on nights before the promotion: how much nights vary is learned from them."""
    watch_nights: int = LONGEST_WATCH
    """Nights after which the watch is over."""
    broken: str | None = None
    """What is plainly wrong with what the version predicts, as the end of a sentence."""


@dataclass(frozen=True)
class Trigger:
    """How far the worst look tonight lies from its bound."""

    score: float
    """Standard score of the look; below zero the serving version loses."""
    bound: float
    nights: int
    """Nights of the look."""

    @property
    def fires(self) -> bool:
        """Whether the serving version is worse beyond what luck makes of equal ones."""
        return self.score <= -self.bound


def trigger(gains: Sequence[float], reference: Sequence[float] = ()) -> Trigger:
    """Look at all nights and at the stretches that end tonight; return the look that is nearest to its bound.

    >>> worse = [-0.2, 0.1, -0.4, -0.3, -0.1, -0.5, -0.3, -0.2, -0.4, -0.3]
    >>> trigger(worse).fires, trigger(worse, reference=[0.2, -0.1, 0.1, -0.3, 0.0, 0.2, -0.1] * 6).fires
    (False, True)
    """
    known = reference if len(reference) >= FIRST_LOOK else ()
    whole, stretch = next((whole, stretch) for least, whole, stretch in BOUNDS if len(known) >= least)
    newest = len(gains)
    looks = [_look(gains, known, whole)]
    begins = range(STRETCH_BEGINS_EVERY, newest, STRETCH_BEGINS_EVERY)
    recent = [begin for begin in begins if newest - begin <= STRETCH_NIGHTS and math.isfinite(stretch)]
    looks += [_look(gains[begin:], known, stretch) for begin in recent]
    return min(looks, key=lambda one: one.score / one.bound)


def _look(gains: Sequence[float], reference: Sequence[float], bound: float) -> Trigger:
    if len(gains) < FIRST_LOOK:
        return Trigger(0.0, bound, len(gains))
    scores = standard_scores(peeks(gains, reference or None))
    return Trigger(float(scores[-1]), bound, len(gains))


def decide(known: Watching) -> Decision:
    """Let the version serve on (PASS: the watch is over; HOLD: it goes on) or roll it back (FAIL).

    >>> decide(Watching("version 8", "version 7", [0.1, 0.2, -0.1, 0.0, 0.1, 0.2, 0.1], watch_nights=7)).reason
    'version 8 keeps its place: over 7 nights it lost 0.0857 less a row than version 7 (standard score 1.1; -3.6 would roll back).'
    """
    who, other, nights = known.version, known.against, len(known.gains)
    if known.broken:
        return Decision.failed(f"{who} is rolled back to {other}: {known.broken}.", nights=nights)
    if nights < min(FIRST_LOOK, known.watch_nights):
        return Decision.held(
            f"{who} is watched beside {other}: {nights} of {known.watch_nights} nights are mature.",
            nights=nights,
        )
    found = trigger(known.gains, known.reference)
    numbers = _numbers(known, found)
    said = _said(known, found)
    if found.fires:
        return Decision.failed(f"{who} is rolled back to {other}: {said}.", **numbers)
    if nights >= known.watch_nights:
        return Decision.passed(f"{who} keeps its place: {said}.", **numbers)
    return Decision.held(f"{who} is watched beside {other}: {said}.", **numbers)


def _said(known: Watching, found: Trigger) -> str:
    looked = known.gains[-found.nights :]
    mean = sum(looked) / len(looked)
    how = "less" if mean >= 0 else "more"
    which = "the last " if found.nights < len(known.gains) else ""
    return (
        f"over {which}{found.nights} nights it lost {abs(mean):.3g} {how} a row than {known.against} "
        f"(standard score {found.score:.3g}; {-found.bound:.3g} would roll back)"
    )


def _numbers(known: Watching, found: Trigger) -> dict[str, Json]:
    return {
        "nights": len(known.gains),
        "mean_gain": sum(known.gains) / len(known.gains),
        "score": found.score,
        "bound": found.bound,
        "looked_nights": found.nights,
        "reference_nights": len(known.reference),
    }
