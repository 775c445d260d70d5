"""An alert can be acted on by somebody who was asleep, and says what the ledger says."""

from dataclasses import replace

import pytest

from perennial.facts.alert import EVENTS, Alert
from perennial.policies.alerting import (
    LONGEST_ERROR,
    Run,
    channel_again,
    failure,
    recoveries,
    silent_channel,
    storm,
    wants,
)

RUN = Run("delay", "delay.score", "2013-09-01", run_id="r1", task="predict", error="KeyError: 'dest'")


@pytest.mark.parametrize("alert", [failure(RUN), *recoveries(RUN)])
def test_an_alert_about_a_run_names_model_night_and_next_step(alert: Alert) -> None:
    """What happened, what it means and what to do are all said."""
    text = alert.as_text()
    assert "Model delay, night 2013-09-01" in text
    assert all([alert.title, alert.what_happened, alert.what_it_means, alert.what_to_do])
    assert alert.title.startswith("delay: score ")


def test_a_folder_that_cannot_be_read_is_mended_in_the_folder() -> None:
    """There is no night and no task to clear."""
    broken = failure(replace(RUN, dag="delay.broken"))
    assert broken.title == "delay: its folder cannot be read"
    assert broken.what_to_do.startswith("Correct the file")


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
