"""Is a new candidate worth training tonight? A finding, age, growth, code or a person ask; guards may say not now.

The retrain stage collects the facts (``facts/training_request.py``) and starts a training only on a PASS.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from perennial.clock import Night, after, nights_apart
from perennial.facts.broken_promise import BROKEN
from perennial.facts.decision import Decision
from perennial.facts.expected_gain import JUDGED_NIGHTS
from perennial.facts.training_request import BUDGET_NIGHTS, RetrainingFacts, Trigger

UNSERVED_NIGHTS = 28
"""Where the gates refused the only candidates there were, the next is trained after so many nights: with fewer new ones
it would mostly be refused again."""
WITH_LAYER = 0.25
"""Growth of the rows that asks for a training where a nightly layer serves; chosen on made-up worlds and two tables."""
NOT_MENDED = ("labels", "model")
"""Causes by which losses rise although no other model would lose less."""


class Retraining(BaseModel):
    """When a new candidate is worth it, and the least there must be between two.

    A broken feed never retrains, not even by hand: the model would learn the fault. A person may go
    past the cooldown, the budget and the wait for new rows, but not past a freeze or a training under
    way. PASS trains; HOLD may pass on a later night; FAIL will not, for what was found tonight.

    No trigger beat a fixed calendar on every data set measured; drift is the safer one to add. What a training may
    gain is foretold from what this model's earlier trainings brought, and shown; it decides only where
    ``cpu_seconds_per_percent`` says what a gain is worth (``benchmarks/worth.py``: how often it is wrong).

    >>> facts = RetrainingFacts("2013-05-12", "drift", "concept", last_training_night="2013-05-05")
    >>> Retraining().decide(facts).reason
    'No training on 2013-05-12: the last one was on 2013-05-05, 7 nights ago; the cooldown of 14 nights \
ends on 2013-05-19.'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cooldown_nights: int = Field(14, ge=0, description="Least nights between two trainings.")
    min_new_nights: int = Field(14, ge=0, description="Least nights with new labels since the last training.")
    min_new_rows: int = Field(
        2000, ge=0, description="So many new labelled rows are enough, whatever their share."
    )
    min_new_share: float = Field(
        0.05,
        ge=0,
        description="So large a share of the last training's rows is enough, however few they are.",
    )
    max_age_nights: int = Field(
        0,
        ge=0,
        description="Train when the last training is this many nights old; 0 is never by age alone, but after 28 nights "
        "where nothing serves because the gates refused.",
    )
    grow_by: float | None = Field(
        None,
        ge=0,
        description="Train when labelled rows have grown by this share since the last training; 0 is never by growth "
        "alone. By default 0.25 with `adapt: nightly`, and else never.",
    )
    on_broken_promise: bool = Field(
        False,
        description="Train when the last 14 settled nights lost more than evaluation promised, beyond what luck makes "
        "of 1 version in 20 in a year; after each training that did not help the wait doubles.",
    )
    on_restart: bool = Field(
        True,
        description="With `adapt: nightly`: train on the nights after a change alone, where a small model of the latest "
        "nights beats what is served and the twin. Without that layer nobody can tell, and nothing is done.",
    )
    on_new_recipe: bool = Field(
        True,
        description="Train once when features, training, label or version of the folder differ from every version "
        "that was made.",
    )
    max_trainings_per_28_nights: int = Field(4, ge=1, description="Budget of trainings in 28 nights.")
    cpu_seconds_per_28_nights: float | None = Field(
        None,
        gt=0,
        description="Budget of CPU seconds that trainings may have used in 28 nights; by default none.",
    )
    cpu_seconds_per_percent: float | None = Field(
        None,
        gt=0,
        description="CPU seconds that one percent less loss over 28 nights is worth; by default gain and cost are "
        "shown and decide nothing.",
    )
    least_chance: float = Field(
        0.05, ge=0, lt=1, description="A training less likely than this to be worth its cost waits."
    )
    min_past_trainings: int = Field(
        4, ge=1, description="Worth decides only once so many earlier challengers are known."
    )
    never_on: tuple[str, ...] = Field(
        ("broken_feed",), description="Causes after which nothing is trained, not even by hand."
    )
    not_for: tuple[str, ...] = Field(
        ("harmless_shift", "labels", "model", "not_assessable", "silent_source", "none"),
        description="Causes that are recorded but do not start a training by themselves.",
    )

    def decide(self, facts: RetrainingFacts) -> Decision:
        """Go ahead, or say in one sentence what stands against it."""
        numbers = facts.as_json()
        never = self._never(facts)
        if never:
            return Decision.failed(f"No training on {facts.night}: {never}.", **numbers)
        wait = _stopped(facts)
        if wait is None and facts.trigger != "manual" and facts.last_training_night is not None:
            wait = self._too_soon(facts, facts.last_training_night)
        if wait:
            return Decision.held(f"No training on {facts.night}: {wait}.", **numbers)
        foretold = f" {facts.expected.sentence}." if facts.expected else ""
        return Decision.passed(f"Training on {facts.night}: {_because(facts)}.{foretold}", **numbers)

    def is_due(self, facts: RetrainingFacts) -> bool:
        """Whether the last training is so old that age asks for a new one; a model that nothing serves does not wait long.

        >>> from dataclasses import replace
        >>> refused = RetrainingFacts("2013-05-12", "age", last_training_night="2013-04-12", unserved=True)
        >>> Retraining().is_due(refused), Retraining().is_due(replace(refused, unserved=False))
        (True, False)
        """
        most = [nights for nights in (self.max_age_nights, facts.unserved and UNSERVED_NIGHTS) if nights]
        if not most or facts.last_training_night is None:
            return False
        return nights_apart(facts.last_training_night, facts.night) >= min(most)

    def has_grown(self, facts: RetrainingFacts) -> bool:
        """Whether there is so much more to learn from that growth asks for a training.

        >>> grown = RetrainingFacts("2013-05-12", "growth", new_labelled_rows=500, rows_at_last_training=1000)
        >>> Retraining(grow_by=0.5).has_grown(grown), Retraining().has_grown(grown)
        (True, False)
        """
        known, growth = facts.rows_at_last_training, self.growth(facts)
        return bool(growth and known) and facts.new_labelled_rows >= growth * known

    def growth(self, facts: RetrainingFacts) -> float:
        """Return the share by which rows must have grown: as declared, or what goes with the nightly layer; 0 is never."""
        return (WITH_LAYER if facts.layered else 0.0) if self.grow_by is None else self.grow_by

    def breaks_promise(self, facts: RetrainingFacts) -> bool:
        """Whether the version loses more than was promised, and the last try to mend that is long enough ago.

        Where a challenger that knew those nights was refused, they are harder and the version is not to blame.

        >>> worse = RetrainingFacts("2013-05-12", "performance", last_training_night="2013-04-12", excess_chance=0.0002)
        >>> Retraining(on_broken_promise=True).breaks_promise(worse), Retraining().breaks_promise(worse)
        (True, False)
        """
        last, chance = facts.last_training_night, facts.excess_chance
        if not self.on_broken_promise or last is None or chance is None or chance >= BROKEN:
            return False
        return nights_apart(last, facts.night) >= self.cooldown_nights << facts.answered_excess

    def asks_by_itself(self, facts: RetrainingFacts) -> Trigger | None:
        """Say who asks on a night on which nothing was found: a restart, a new recipe, loss, growth, age, or nobody.

        Nobody else than a restart asks before the cooldown is over: the answer would be no on every night.
        """
        last = facts.last_training_night
        if last is None:
            return None
        if self.on_restart and facts.learn_from is not None:
            return "restart"
        if nights_apart(last, facts.night) < self.cooldown_nights:
            return None
        asking: dict[Trigger, bool] = {
            "code": self.on_new_recipe and facts.recipe_untried,
            "performance": self.breaks_promise(facts),
            "growth": self.has_grown(facts),
            "age": self.is_due(facts),
        }
        return next((who for who, asks in asking.items() if asks), None)

    def not_worth(self, facts: RetrainingFacts) -> str | None:
        """Say that a training is hardly ever worth its cost, where it is declared what a gain is worth."""
        expected, value = facts.expected, self.cpu_seconds_per_percent
        if value is None or expected is None or expected.cpu_seconds is None:
            return None
        needed = expected.cpu_seconds / value / 100
        chance = expected.chance_above(needed)
        if expected.trainings < self.min_past_trainings or chance >= self.least_chance:
            return None
        return (
            f"it would cost about {expected.cpu_seconds:.3g} CPU seconds, which {100 * needed:.2g} % less loss over "
            f"{JUDGED_NIGHTS} nights are worth, and the chance of that is {chance:.3f}; {self.least_chance:g} is asked "
            f"for. {expected.sentence}"
        )

    def _never(self, facts: RetrainingFacts) -> str | None:
        if facts.cause in self.never_on:
            return f"the cause is {facts.cause}, and a model trained on it would learn the fault; repair it first"
        if facts.trigger == "drift" and facts.cause in self.not_for:
            return f"the cause is {facts.cause}, which is recorded and needs no new model"
        if facts.trigger in ("performance", "restart") and facts.cause in NOT_MENDED:
            return f"the cause is {facts.cause}, which no training mends"
        return None

    def _too_soon(self, facts: RetrainingFacts, last: Night) -> str | None:
        """Say which guard holds; in order of what a person would ask first."""
        if facts.trigger == "restart" and facts.learn_from is None:
            return "the nightly layer shows no change after which the past misleads"
        if facts.trigger == "age" and not self.is_due(facts):
            return self._not_old_enough(facts, last)
        if facts.trigger == "growth" and not self.has_grown(facts):
            return self._not_grown_enough(facts)
        age = nights_apart(last, facts.night)
        # A restart learns something else from the same rows; between two of them it waits by itself.
        if age < self.cooldown_nights and facts.trigger != "restart":
            return (
                f"the last one was on {last}, {age} nights ago; the cooldown of {self.cooldown_nights} nights "
                f"ends on {after(last, self.cooldown_nights)}"
            )
        if facts.trainings_last_28_nights >= self.max_trainings_per_28_nights:
            return (
                f"there were {facts.trainings_last_28_nights} trainings in {BUDGET_NIGHTS} nights and the "
                f"budget is {self.max_trainings_per_28_nights}"
            )
        # A changed recipe learns something new from the same rows.
        few = None if facts.trigger in ("code", "restart") else self._too_little_new(facts)
        return few or self._too_dear(facts) or self.not_worth(facts)

    def _too_dear(self, facts: RetrainingFacts) -> str | None:
        budget, spent = self.cpu_seconds_per_28_nights, facts.cpu_seconds_last_28_nights
        if budget is None or spent is None or spent < budget:
            return None
        return (
            f"trainings used {spent:.3g} CPU seconds in {BUDGET_NIGHTS} nights and the budget is {budget:g}"
        )

    def _not_old_enough(self, facts: RetrainingFacts, last: Night) -> str:
        if not self.max_age_nights:
            return "max_age_nights is 0, so age alone asks for none"
        age = nights_apart(last, facts.night)
        return f"the last one is {age} nights old and due at {self.max_age_nights}"

    def _not_grown_enough(self, facts: RetrainingFacts) -> str:
        if not self.growth(facts):
            return "grow_by is 0, so growth alone asks for none"
        return (
            f"{facts.new_labelled_rows} labelled rows are new beside the {facts.rows_at_last_training} of the last "
            f"training, and {self.growth(facts):g} times as many are needed"
        )

    def _too_little_new(self, facts: RetrainingFacts) -> str | None:
        nights = facts.new_labelled_nights
        if nights is not None and nights < self.min_new_nights:
            return f"only {nights} nights have new labels, and {self.min_new_nights} are needed"
        enough = min(self.min_new_rows, self.min_new_share * facts.rows_at_last_training)
        if facts.new_labelled_rows < enough:
            return (
                f"only {facts.new_labelled_rows} labelled rows are new, and {enough:.0f} are needed beside "
                f"the {facts.rows_at_last_training} of the last training"
            )
        return None


def _stopped(facts: RetrainingFacts) -> str | None:
    if facts.frozen_reason is not None:
        return f"training is frozen ({facts.frozen_reason})"
    if facts.under_way:
        return "another training or its rollout is under way"
    return None


def _because(facts: RetrainingFacts) -> str:
    if facts.last_training_night is None:
        return f"asked for by {_who(facts)}, and there is no earlier training"
    if facts.unserved and facts.trigger == "age":
        return f"nothing serves since the gates refused the candidate of {facts.last_training_night}"
    cause = f" ({facts.cause})" if facts.cause else ""
    if facts.trigger == "restart":
        return (
            f"asked for by the nightly layer{cause}: since {facts.learn_from} a model of the latest nights alone beats "
            "what remembers more, and what came before is left out"
        )
    age = nights_apart(facts.last_training_night, facts.night)
    return (
        f"asked for by {_who(facts)}{cause}; the last one was {age} nights ago and "
        f"{facts.new_labelled_rows} labelled rows are new"
    )


def _who(facts: RetrainingFacts) -> str:
    return "hand" if facts.trigger == "manual" else facts.trigger
