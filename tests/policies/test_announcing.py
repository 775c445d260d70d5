"""A decision is told in the ledger's own sentence; a finding is told when it opens, gets graver and is over."""

from pathlib import Path

import pytest

from perennial.facts.alert import EVENTS
from perennial.ledger.outbox import Outbox
from perennial.policies.alerting import Run, recoveries
from perennial.policies.announcing import TOLD_KINDS, of_decision

RUN = Run("delay", "delay.validate", "2013-09-01", run_id="r1")
DECIDED = {"model": "delay", "key": "7", "night": "2013-09-01", "evidence": {"version": "7"}}


@pytest.mark.parametrize("kind", TOLD_KINDS)
def test_an_alert_about_a_decision_says_the_ledgers_own_sentence(kind: str) -> None:
    """A sentence is written once, where the facts are."""
    alert = of_decision(kind=kind, reason="Version 7 loses 0.012 less.", **DECIDED)
    assert alert.what_happened == "Version 7 loses 0.012 less."
    assert alert.event in EVENTS
    assert "{" not in alert.as_text()


def test_a_night_that_never_came_is_a_missed_deadline_which_the_nights_validate_ends() -> None:
    """Nothing moved where nothing came; the monitor that finds it and the run that mends it name one condition."""
    silent = about("opened", problem="delivery")
    assert (silent.event, silent.severity) == ("deadline", "critical")
    assert silent.title == "delay: a delivery is missing for 2013-09-01"
    assert silent.condition in {alert.condition for alert in recoveries(RUN)}
    later = about("goes_on", night="2013-09-02", problem="delivery")
    assert later.condition == silent.condition


def test_a_version_that_waits_for_a_person_is_told_to_people() -> None:
    """Whoever hears of promotions hears that one needs approval, and how it is given."""
    waits = of_decision(kind="awaits_approval", reason="Its risk is high.", **DECIDED)
    assert (waits.event, waits.title) == ("promotion", "delay: version 7 needs approval")
    assert "perennial approve delay" in waits.what_to_do


def test_what_nobody_needs_to_hear_of_is_no_alert() -> None:
    """A night that was published is read in the ledger."""
    assert of_decision(kind="published", reason="It is there.", **DECIDED) is None


def about(life: str, night: str = "2013-09-01", outcome: str | None = "page", **finding):
    """Tell one night of a finding that opened on the first of September."""
    known = {"id": "f1", "problem": "inputs", "first_night": "2013-09-01"} | finding
    return of_decision(
        model="delay",
        kind=f"finding_{life}",
        key=f"{night}.f1",
        night=night,
        reason="It moved.",
        evidence={"finding": known, "outcome": outcome},
    )


def test_a_finding_is_told_when_it_opens_and_when_it_is_over(tmp_path: Path) -> None:
    """Its nights between are counted; the same line again is not told either."""
    outbox = Outbox(tmp_path / "ledger.db")
    lives = [("opened", "01"), ("goes_on", "02"), ("goes_on", "02"), ("goes_on", "03"), ("recovered", "10")]
    told = [outbox.put(about(life, f"2013-09-{day}")) for life, day in lives]
    assert told == [True, False, False, False, True]
    assert [alert.event for alert in outbox.alerts()] == ["drift", "recovery"]


def test_what_was_only_recorded_is_told_once_it_is_graver(tmp_path: Path) -> None:
    """A notice wakes nobody, nor does the end of what nobody was told of."""
    outbox = Outbox(tmp_path / "ledger.db")
    assert about("opened", outcome="notice") is None
    assert not outbox.put(about("recovered", "2013-09-10", outcome=None))
    assert outbox.put(about("graver", "2013-09-11"))
    assert "graver" in outbox.alerts()[0].title
    assert about("goes_on", "2013-09-12", outcome="notice") is None


def test_a_night_taken_back_ends_what_it_opened_and_nothing_else() -> None:
    """The first night names the finding; a later one leaves it open."""
    assert about("withdrawn").event == "recovery"
    assert about("withdrawn", "2013-09-02") is None
