"""An alert can be acted on by somebody who was asleep, and says what the ledger says."""

from dataclasses import replace

import pytest

from perennial.facts.alert import EVENTS, Alert
from perennial.policies.alerting import (
    LONGEST_ERROR,
    TOLD_KINDS,
    Run,
    channel_again,
    failure,
    of_decision,
    recoveries,
    silent_channel,
    storm,
    wants,
)

RUN = Run("delay", "delay.score", "2013-09-01", run_id="r1", task="predict", error="KeyError: 'dest'")
DECIDED = {"model": "delay", "key": "7", "night": "2013-09-01", "evidence": {"version": "7"}}


@pytest.mark.parametrize("alert", [failure(RUN), *recoveries(RUN)])
def test_an_alert_about_a_run_names_model_night_and_next_step(alert: Alert) -> None:
    """What happened, what it means and what to do are all said."""
    text = alert.as_text()
    assert "Model delay, night 2013-09-01" in text
    assert all([alert.title, alert.what_happened, alert.what_it_means, alert.what_to_do])
    assert alert.title.startswith("delay: score ")


@pytest.mark.parametrize("kind", TOLD_KINDS)
def test_an_alert_about_a_decision_says_the_ledgers_own_sentence(kind: str) -> None:
    """A sentence is written once, where the facts are."""
    alert = of_decision(kind=kind, reason="Version 7 loses 0.012 less.", **DECIDED)
    assert alert.what_happened == "Version 7 loses 0.012 less."
    assert alert.event in EVENTS
    assert "{" not in alert.as_text()


def test_a_night_that_never_came_is_a_missed_deadline_which_the_nights_validate_ends() -> None:
    """Nothing moved where nothing came; the monitor that finds it and the run that mends it name one condition."""
    silent = of_decision(
        kind="finding", reason="Nothing came.", **{**DECIDED, "evidence": {"state": "silent"}}
    )
    assert (silent.event, silent.severity) == ("deadline", "critical")
    assert silent.title == "delay: a delivery is missing for 2013-09-01"
    mended = recoveries(replace(RUN, dag="delay.validate"))
    assert silent.condition in {alert.condition for alert in mended}
    assert of_decision(kind="finding", reason="It moved.", **DECIDED).condition == ""


def test_a_version_that_waits_for_a_person_is_told_to_people() -> None:
    """Whoever hears of promotions hears that one needs approval, and how it is given."""
    waits = of_decision(kind="awaits_approval", reason="Its risk is high.", **DECIDED)
    assert (waits.event, waits.title) == ("promotion", "delay: version 7 needs approval")
    assert "clear the task production of delay.deploy" in waits.what_to_do


def test_a_folder_that_cannot_be_read_is_mended_in_the_folder() -> None:
    """There is no night and no task to clear."""
    broken = failure(replace(RUN, dag="delay.broken"))
    assert broken.title == "delay: its folder cannot be read"
    assert broken.what_to_do.startswith("Correct the file")


def test_what_nobody_needs_to_hear_of_is_no_alert() -> None:
    """A night that was published is read in the ledger."""
    assert of_decision(kind="published", reason="It is there.", **DECIDED) is None


def test_an_event_is_the_same_however_often_it_is_reported() -> None:
    """Neither the error's text nor the link is part of its identity; the attempt is."""
    assert failure(RUN).fingerprint == failure(replace(RUN, error="", link="http://x")).fingerprint
    assert failure(RUN).fingerprint != failure(replace(RUN, attempt="2")).fingerprint
    assert failure(RUN).fingerprint != failure(replace(RUN, night="2013-09-02")).fingerprint


def test_a_recovery_names_what_was_open_of_its_dag_and_night() -> None:
    """Another run of the same night resolves it; another night or DAG does not."""
    opened = {failure(RUN).condition, RUN.condition("deadline")}
    assert {alert.condition for alert in recoveries(replace(RUN, run_id="r2", task=""))} == opened
    for other in (replace(RUN, night="2013-09-02"), replace(RUN, dag="delay.train")):
        assert opened.isdisjoint(alert.condition for alert in recoveries(other))


def test_missing_predictions_are_urgent_and_a_missing_candidate_is_not() -> None:
    """The champion goes on serving while training fails."""
    assert failure(RUN).severity == "critical"
    assert failure(replace(RUN, dag="delay.train")).severity == "warning"


def test_an_error_is_told_short_and_without_passwords() -> None:
    """The rest is in the task's log."""
    error = "could not connect to postgres://bot:hunter2@db/x\n" + "x" * 2000
    told = failure(replace(RUN, error=error)).what_happened
    assert "hunter2" not in told
    assert len(told) < LONGEST_ERROR + 100
    assert "\n" not in told


def test_a_channel_hears_what_it_asked_for_and_that_others_are_silent() -> None:
    """Its own silence it cannot hear."""
    silent = silent_channel("mail", model="delay", problem="refused", since="f")
    assert wants(failure(RUN), ["failure"], channel="chat")
    assert not wants(failure(RUN), ["drift"], channel="chat")
    assert wants(silent, [], channel="chat")
    assert not wants(silent, EVENTS, channel="mail")
    assert channel_again("mail", model="delay", since="f").condition == silent.condition


def test_a_storm_lists_its_alerts_and_is_as_urgent_as_the_worst() -> None:
    """The order of arrival does not change it."""
    alerts = [failure(replace(RUN, model=name, dag=f"{name}.score")) for name in "ba"] + recoveries(RUN)
    told = storm(alerts)
    assert told == storm(alerts[::-1])
    assert told.severity == "critical"
    assert all(alert.title in told.what_happened for alert in alerts)


def test_an_alert_survives_being_kept() -> None:
    """What comes out of the outbox is what was put in."""
    assert Alert.from_json(failure(RUN).as_json()) == failure(RUN)
