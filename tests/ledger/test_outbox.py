"""One problem is one alert, however often and from how many processes it is reported."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perennial.facts.alert import Alert
from perennial.ledger.base import NewEntry
from perennial.ledger.database import Database
from perennial.ledger.memory import in_memory
from perennial.ledger.outbox import Outbox
from perennial.ledger.sqlite import SqliteLedger
from perennial.policies.alerting import Run, failure, recoveries

NOW = datetime(2013, 9, 1, 3, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
FORK = multiprocessing.get_context("fork")


def run(run_id: str = "r1", **given: str) -> Run:
    """Run the score DAG of one night."""
    words = {"model": "delay", "dag": "delay.score", "night": "2013-09-01", "task": "predict", **given}
    return Run(run_id=run_id, **words)


@pytest.fixture
def outbox() -> Outbox:
    """An empty outbox in memory."""
    return Outbox(in_memory().database)


def put_all(outbox: Outbox, alerts: list[Alert]) -> list[bool]:
    """Put alerts one after the other."""
    return [outbox.put(alert) for alert in alerts]


def report_from_many(path: Path, results: "multiprocessing.SimpleQueue[int]") -> None:
    """Report the same ten failures as one of several processes."""
    outbox = Outbox(path)
    results.put(sum(outbox.put(failure(run(night=f"2013-09-{day:02}"))) for day in range(1, 11)))


def test_an_event_reported_three_times_is_told_once(outbox: Outbox) -> None:
    """Airflow may call a callback several times."""
    assert put_all(outbox, [failure(run())] * 3) == [True, False, False]
    assert len(outbox.alerts("delay")) == 1


def test_eight_processes_reporting_at_once_are_told_once(tmp_path: Path) -> None:
    """Each of ten failures is taken from exactly one of eight reporters."""
    results = FORK.SimpleQueue()
    reporters = [FORK.Process(target=report_from_many, args=(tmp_path / "l.db", results)) for _ in range(8)]
    for reporter in reporters:
        reporter.start()
    for reporter in reporters:
        reporter.join()
    assert sum(results.get() for _ in reporters) == 10
    assert len(Outbox(tmp_path / "l.db").alerts()) == 10


def test_several_tasks_failing_on_one_night_are_one_problem(outbox: Outbox) -> None:
    """Mapped tasks and the DAG's own callback repeat what is open; another night is another problem."""
    same = [failure(run(task=task)) for task in ("predict", "deliver", "")]
    assert put_all(outbox, [*same, failure(run("r2", night="2013-09-02"))]) == [True, False, False, True]


def test_a_recovery_is_told_only_when_something_was_open(outbox: Outbox) -> None:
    """A night that succeeds at once says nothing; one that failed says so once, from whichever run."""
    recovery = recoveries(run("another run", task=""))[0]
    assert put_all(outbox, [recovery, failure(run()), recovery, recovery]) == [False, True, True, False]
    assert [alert.event for alert in outbox.alerts()] == ["failure", "recovery"]


def test_a_late_report_of_an_old_failure_opens_nothing(outbox: Outbox) -> None:
    """A second call after the recovery is the same event, also when it was only counted at first."""
    put_all(outbox, [failure(run()), failure(run(task="deliver")), recoveries(run())[0]])
    assert put_all(outbox, [failure(run()), failure(run(task="deliver"))]) == [False, False]
    assert outbox.put(failure(run(attempt="2"))), "a new attempt that fails is news"


def test_an_alert_and_its_decision_are_one_transaction(tmp_path: Path) -> None:
    """A decision is never recorded without its alert, nor told without being recorded."""
    database = Database(tmp_path / "l.db")
    ledger, outbox = SqliteLedger(database), Outbox(database)
    new = NewEntry("delay", "refused", "7", "2013-09-01", "evaluate", "It is worse.")

    def decide_and_fail() -> None:
        with database.writing():
            ledger.append(new)
            outbox.put(failure(run()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_and_fail()
    assert (ledger.entries(), outbox.alerts()) == ([], [])


def test_a_delivery_is_claimed_by_one_process_until_its_lease_ends(outbox: Outbox) -> None:
    """A process killed with alerts in its hands loses none: they come due again."""
    alert = failure(run())
    outbox.put(alert)
    assert outbox.unrouted() == [alert]
    outbox.route(alert, ["log", "mail"], NOW)
    assert [each.channel for each in outbox.claim(NOW, lease=LEASE)] == ["log", "mail"]
    assert outbox.claim(NOW, lease=LEASE) == outbox.unrouted() == []
    assert len(outbox.pending()) == 2
    assert len(outbox.claim(NOW + LEASE, lease=LEASE)) == 2
