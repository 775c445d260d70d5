"""How a version that passed its gates reaches production: at once, or by steps that are judged night by night.

In shadow both versions score the same nights and one is used; a canary answers a fixed share of the entities. What
each step's evidence leads to is the decision table of ``Rollout.decide``; the stage ``rollout`` carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from perennial.facts.decision import Decision
from perennial.facts.evidence import Json
from perennial.facts.sequential import critical_t, e_value, final_t, peeks
from perennial.policies.rollback import LONGEST_WATCH, trigger

Step = Literal["shadow", "canary"]
Outcome = Literal["better", "worse", "undecided"]
Undecided = Literal["promote", "keep"]

EARLY, FINAL = 0.012, 0.022
"""One-sided errors of the nightly looks together and of the look at the horizon; chosen on one set of seeds so that at
most .05 of versions that are no better are promoted, autocorrelation up to .5, heavy tails and skew
(``benchmarks/rollout.py``)."""
FIRST_LOOK = 5


class WhenUndecided(BaseModel):
    """What becomes of a challenger that is neither better nor worse at the horizon, by kind of change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refresh: Undecided = Field("promote", description="The same recipe on newer data.")
    recipe: Undecided = Field("keep", description="New code, features or parameters.")
    simplify: Undecided = Field("promote", description="A simplification that its gates found equivalent.")


@dataclass(frozen=True)
class Rolling:
    """What is known of a challenger on one night of its rollout."""

    step: Step
    """The step it is in."""
    kind: str
    """Kind of change: ``refresh``, ``recipe`` or ``simplify``."""
    challenger: str
    champion: str
    gains: Sequence[float]
    """Mean gain per row over the champion on each mature night of the whole rollout, oldest first."""
    step_nights: int
    """How many of them belong to this step."""
    reference: Sequence[float] = ()
    """The gain on nights before the rollout; they tell a later step how much nights vary."""
    waiting: int = 0
    """Nights that were scored and wait for labels."""
    broken: str | None = None
    """What is plainly wrong with what the challenger predicts, as the end of a sentence."""
    frozen_reason: str | None = None


class Rollout(BaseModel):
    """The steps between staging and production, and what their evidence leads to.

    In the first step a challenger that is better goes on, one that is worse is stopped, and at the horizon the kind of
    change decides. In a canary after a shadow it goes on after its nights unless it has turned out worse. A night
    counts when its labels are mature; until then the answer is to wait.

    >>> gains = [0.4, 0.1, 0.3, 0.2, 0.5, 0.2, 0.4, 0.3, 0.3, 0.4]
    >>> Rollout(steps=("shadow",)).decide(Rolling("shadow", "recipe", "version 8", "version 7", gains, 10)).reason
    'version 8 goes on to production: after 10 nights it loses 0.31 less a row than version 7 (t 6.03 on 8.27 independent nights; 4.98 decides early).'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[Step, ...] = Field(
        (), description="Steps before production, in order: `[shadow]`, `[shadow, canary]`; none is at once."
    )
    canary_share: float = Field(0.1, gt=0, le=0.5, description="Share of entities that a canary answers.")
    canary_nights: int = Field(
        7, ge=5, description="Mature nights that a canary lasts which comes after a shadow."
    )
    horizon_nights: int = Field(
        28, ge=14, le=120, description="Mature nights after which the first step ends, decided or not."
    )
    when_undecided: WhenUndecided = Field(
        WhenUndecided(), description="What follows at the horizon when neither is better."
    )
    min_rows: int = Field(30, ge=1, description="A night with fewer labelled rows is left out.")
    watch_nights: int = Field(
        0,
        ge=0,
        le=LONGEST_WATCH,
        description="Mature nights after a promotion on which the version before it goes on scoring, ready to be "
        "returned to; 0 is not at all.",
    )

    @field_validator("steps")
    @classmethod
    def _in_order(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if list(steps) != [step for step in ("shadow", "canary") if step in steps]:
            message = (
                f"steps are shadow, then canary, each at most once, and here they are {', '.join(steps)}"
            )
            raise ValueError(message)
        return steps

    def next_step(self, step: Step) -> Step | None:
        """Name the step after one; none where production follows."""
        later = self.steps[self.steps.index(step) + 1 :] if step in self.steps else ()
        return later[0] if later else None

    def decide(self, known: Rolling) -> Decision:
        """Let it go on (PASS), stop it (FAIL), or wait for more nights (HOLD)."""
        if known.broken:
            return Decision.failed(f"{known.challenger} is stopped: {known.broken}.", outcome="broken")
        if known.frozen_reason is not None:
            return Decision.held(f"{known.challenger} waits: promotions are frozen ({known.frozen_reason}).")
        if known.step in self.steps[:1]:
            return self._by_evidence(known)
        return self._unless_worse(known)

    def _by_evidence(self, known: Rolling) -> Decision:
        nights = len(known.gains)
        if nights < FIRST_LOOK:
            return Decision.held(_waits(known, f"the first look is at {FIRST_LOOK}"), nights=nights)
        seen = peeks(known.gains)
        t, worth = float(seen.t[-1]), float(seen.worth[-1])
        numbers = _numbers(known) | {"t": t, "worth": worth, "e_value": float(e_value(t, worth))}
        early = critical_t(worth, EARLY)
        at_horizon = nights >= self.horizon_nights
        bound = min(early, final_t(float(seen.degrees[-1]), FINAL)) if at_horizon else early
        said = f"t {t:.3g} on {worth:.3g} independent nights; {bound:.3g} decides{'' if at_horizon else ' early'}"
        if abs(t) >= bound:
            outcome: Outcome = "better" if t > 0 else "worse"
            return self._decided(known, outcome, said, numbers)
        if at_horizon:
            return self._decided(known, "undecided", said, numbers)
        return Decision.held(
            _waits(known, f"the horizon is {self.horizon_nights}") + f" So far: {said}.", **numbers
        )

    def _decided(self, known: Rolling, outcome: Outcome, said: str, numbers: dict[str, Json]) -> Decision:
        numbers = numbers | {"outcome": outcome}
        goes_on = outcome == "better" or (outcome == "undecided" and self._promotes(known.kind))
        compared = f"after {len(known.gains)} nights it {_loses(known)} ({said})"
        declared = ""
        if outcome == "undecided":
            chosen = "promote" if goes_on else "keep"
            declared = f" Undecided, and `when_undecided` says {chosen} for a {known.kind}."
        if goes_on:
            where = self.next_step(known.step) or "production"
            return Decision.passed(f"{known.challenger} goes on to {where}: {compared}.{declared}", **numbers)
        return Decision.failed(f"{known.challenger} is stopped: {compared}.{declared}", **numbers)

    def _promotes(self, kind: str) -> bool:
        return getattr(self.when_undecided, kind, "keep") == "promote"

    def _unless_worse(self, known: Rolling) -> Decision:
        """Judge a step after the one that decided: only harm stops it."""
        own = known.gains[len(known.gains) - known.step_nights :]
        before = [*known.reference, *known.gains[: len(known.gains) - known.step_nights]]
        numbers = _numbers(known) | {"step_nights": known.step_nights}
        if known.step_nights < self.canary_nights and known.step_nights < FIRST_LOOK:
            return Decision.held(_waits(known, f"the canary lasts {self.canary_nights}"), **numbers)
        found = trigger(own, before)
        numbers |= {"score": found.score, "bound": found.bound}
        said = f"over {known.step_nights} nights of its canary its standard score is {found.score:.3g}"
        if found.fires:
            return Decision.failed(
                f"{known.challenger} is stopped: {said}, and {-found.bound:.3g} is worse.",
                **numbers,
                outcome="worse",
            )
        if known.step_nights >= self.canary_nights:
            return Decision.passed(
                f"{known.challenger} goes on to production: {said}, which is not worse than {known.champion}.",
                **numbers,
                outcome="not worse",
            )
        return Decision.held(_waits(known, f"the canary lasts {self.canary_nights}"), **numbers)


def _numbers(known: Rolling) -> dict[str, Json]:
    mean = sum(known.gains) / len(known.gains) if known.gains else None
    return {"nights": len(known.gains), "waiting": known.waiting, "mean_gain": mean}


def _loses(known: Rolling) -> str:
    mean = sum(known.gains) / len(known.gains)
    return f"loses {abs(mean):.3g} {'less' if mean >= 0 else 'more'} a row than {known.champion}"


def _waits(known: Rolling, until: str) -> str:
    waiting = f", {known.waiting} wait for labels" if known.waiting else ""
    return (
        f"{known.challenger} stays in {known.step} beside {known.champion}: "
        f"{known.step_nights} nights are mature{waiting}, and {until}."
    )
