"""When a new model is worth training, and what stands against it tonight."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.clock import after
from perennial.facts.decision import Verdict
from perennial.facts.expected_gain import PastTraining, expected_gain
from perennial.facts.training_request import RetrainingFacts
from perennial.policies.retraining import Retraining

READY = RetrainingFacts(
    "2013-06-01",
    "drift",
    "concept",
    last_training_night="2013-05-01",
    new_labelled_rows=30_000,
    new_labelled_nights=29,
    rows_at_last_training=100_000,
)


def verdict(**changes) -> Verdict:
    """Judge the ready facts with some changed."""
    return Retraining().decide(replace(READY, **changes)).verdict


def test_drift_with_enough_new_labels_trains() -> None:
    """The sentence says who asked, why, and on how much."""
    decision = Retraining().decide(READY)
    assert decision.verdict is Verdict.PASS
    assert decision.reason == (
        "Training on 2013-06-01: asked for by drift (concept); the last one was 31 nights ago and "
        "30000 labelled rows are new."
    )


@pytest.mark.parametrize("trigger", ["drift", "performance", "age", "growth", "code", "restart", "manual"])
def test_a_broken_feed_never_retrains(trigger) -> None:
    """The model would learn the fault, whoever asks."""
    assert verdict(trigger=trigger, cause="broken_feed") is Verdict.FAIL


@pytest.mark.parametrize("cause", ["harmless_shift", "silent_source"])
def test_a_harmless_shift_is_recorded_and_trains_nothing(cause) -> None:
    """Inputs that moved without costing anything need no new model; a person may still want one."""
    assert verdict(cause=cause) is Verdict.FAIL
    assert verdict(cause=cause, trigger="manual") is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"last_training_night": "2013-05-19"}, "cooldown of 14 nights ends on 2013-06-02"),
        ({"new_labelled_nights": 13}, "only 13 nights have new labels"),
        ({"new_labelled_rows": 1_999}, "only 1999 labelled rows are new, and 2000 are needed"),
        ({"trainings_last_28_nights": 4}, "the budget is 4"),
        ({"under_way": True}, "under way"),
        ({"frozen_reason": "audit"}, "frozen (audit)"),
    ],
)
def test_each_guard_holds_in_its_own_words(changes, words) -> None:
    """Not now is HOLD, and says what would have to change."""
    decision = Retraining().decide(replace(READY, **changes))
    assert decision.verdict is Verdict.HOLD
    assert words in decision.reason


def test_the_cooldown_ends_on_the_night_it_names() -> None:
    """Fourteen nights after the last training, not one more."""
    assert verdict(last_training_night="2013-05-18") is Verdict.PASS


def test_a_small_model_needs_a_share_not_thousands_of_rows() -> None:
    """Five hundred new rows are plenty beside three thousand."""
    assert verdict(new_labelled_rows=500, rows_at_last_training=3_000) is Verdict.PASS


def test_a_person_may_skip_cooldown_budget_and_the_wait_for_rows() -> None:
    """But neither a freeze nor a training under way."""
    hurried = {"last_training_night": "2013-05-31", "trainings_last_28_nights": 9, "new_labelled_rows": 0}
    assert verdict(trigger="manual", **hurried) is Verdict.PASS
    assert verdict(trigger="manual", under_way=True) is Verdict.HOLD
    assert verdict(trigger="manual", frozen_reason="audit") is Verdict.HOLD


def test_the_first_training_waits_for_nothing() -> None:
    """There is no earlier one to cool down from."""
    assert verdict(last_training_night=None, new_labelled_rows=0, new_labelled_nights=0) is Verdict.PASS


def test_a_changed_recipe_needs_no_new_rows() -> None:
    """It learns something else from the same ones."""
    assert verdict(trigger="code", new_labelled_rows=0, new_labelled_nights=0) is Verdict.PASS


def test_age_asks_only_when_it_is_declared_and_reached() -> None:
    """By default age alone never trains."""
    aged = replace(READY, trigger="age", cause=None)
    assert Retraining().decide(aged).verdict is Verdict.HOLD
    assert Retraining(max_age_nights=31).decide(aged).verdict is Verdict.PASS
    assert Retraining(max_age_nights=32).decide(aged).verdict is Verdict.HOLD
    assert [Retraining(max_age_nights=n).is_due(aged) for n in (0, 31, 32)] == [False, True, False]


def test_data_without_time_are_judged_by_rows_alone() -> None:
    """No nights to count is not zero nights."""
    assert verdict(new_labelled_nights=None) is Verdict.PASS


@given(st.lists(st.booleans(), min_size=60, max_size=120))
def test_a_drift_alarm_every_night_cannot_train_more_often_than_the_cooldown(alarms) -> None:
    """However often drift cries, two trainings are at least a cooldown apart."""
    trained: list[int] = [0]
    for day, alarm in enumerate(alarms, 1):
        facts = replace(
            READY, night=after("2013-01-01", day), last_training_night=after("2013-01-01", trained[-1])
        )
        if alarm and Retraining().decide(facts).verdict is Verdict.PASS:
            trained.append(day)
    assert all(later - earlier >= 14 for earlier, later in pairwise(trained))


def test_what_a_person_asked_for_is_asked_for_by_hand() -> None:
    """The name of the trigger is for the form; the sentence is for people."""
    for last in (None, "2013-05-01"):
        facts = RetrainingFacts("2013-06-01", "manual", last_training_night=last)
        assert "asked for by hand" in Retraining().decide(facts).reason


def refused_before(times: int) -> RetrainingFacts:
    """Make facts of a model whose challengers were refused so many times, each for ten CPU seconds."""
    past = [PastTraining(after("2013-05-01", -28 * back), False, None, 10.0) for back in range(times)]
    return replace(READY, expected=expected_gain(past, READY.night))


def test_growth_asks_only_when_it_is_declared_and_reached() -> None:
    """Half as many new rows as the last training had are enough where growth by half is declared."""
    grown = replace(READY, trigger="growth", new_labelled_rows=50_000)
    few = replace(grown, new_labelled_rows=49_999)
    assert Retraining().decide(grown).verdict is Verdict.HOLD
    assert Retraining(grow_by=0.5).decide(grown).verdict is Verdict.PASS
    assert "0.5 times as many are needed" in Retraining(grow_by=0.5).decide(few).reason


def test_a_new_recipe_asks_before_growth_and_growth_before_age() -> None:
    """One voice asks, the one with the most to say; before the first version nobody asks."""
    policy = Retraining(grow_by=0.5, max_age_nights=30)
    grown = replace(READY, new_labelled_rows=50_000)
    assert policy.asks_by_itself(replace(grown, recipe_untried=True)) == "code"
    assert policy.asks_by_itself(grown) == "growth"
    assert policy.asks_by_itself(READY) == "age"
    assert Retraining().asks_by_itself(READY) is None
    assert Retraining(on_new_recipe=False).asks_by_itself(replace(READY, recipe_untried=True)) is None
    assert policy.asks_by_itself(replace(grown, last_training_night=None)) is None
    assert policy.asks_by_itself(replace(grown, last_training_night="2013-05-19")) is None


def test_a_budget_of_seconds_holds_once_it_is_used_up() -> None:
    """None is declared by default; a person may go past it."""
    spent = replace(READY, cpu_seconds_last_28_nights=12.0)
    declared = Retraining(cpu_seconds_per_28_nights=12)
    assert Retraining().decide(spent).verdict is Verdict.PASS
    assert "used 12 CPU seconds in 28 nights and the budget is 12" in declared.decide(spent).reason
    assert declared.decide(replace(spent, trigger="manual")).verdict is Verdict.PASS
    assert declared.decide(replace(spent, cpu_seconds_last_28_nights=11.9)).verdict is Verdict.PASS


def test_worth_decides_only_where_it_is_declared_and_the_past_is_long_enough() -> None:
    """Eight refusals are shown; with a declared worth they hold the next training back, but never a person's."""
    poor, declared = refused_before(8), Retraining(cpu_seconds_per_percent=2)
    shown = Retraining().decide(poor)
    assert (shown.verdict, shown.evidence["expected"]["trainings"]) == (Verdict.PASS, 8)
    assert "0 of 8 earlier challengers served" in shown.reason
    held = declared.decide(poor)
    assert held.verdict is Verdict.HOLD
    assert "10 CPU seconds, which 5 % less loss over 28 nights are worth" in held.reason
    assert declared.decide(refused_before(3)).verdict is Verdict.PASS
    assert declared.decide(replace(poor, trigger="manual")).verdict is Verdict.PASS


def test_seconds_are_evidence_only_where_they_decide() -> None:
    """What is hashed must be the same wherever the night is judged again, and seconds never are."""
    text = str(Retraining().decide(refused_before(2)).evidence)
    assert "seconds" not in text
    assert "cpu_seconds_last_28_nights" in replace(READY, cpu_seconds_last_28_nights=1.0).as_json()
