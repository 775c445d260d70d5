"""A late delivery is waited for, and nothing else is."""

from datetime import timedelta
from typing import Any

import pytest

from perennial.errors import (
    LateWriterError,
    NoNightError,
    NotPublishedError,
    SourceSilentError,
    UnsafeNameError,
)

pytestmark = pytest.mark.airflow

LATE = LateWriterError("rides/night", "2013-05-12", 2)
HELPLESS = [NotPublishedError("rides/night", "2013-05-12"), UnsafeNameError("source", "../x")]


def silent() -> SourceSilentError:
    """Make the error of a delivery that has not come; what it says does not matter here."""
    return SourceSilentError.__new__(SourceSilentError)


def decided(error: Exception, hours: float = 6.0) -> tuple[str, timedelta | None]:
    """Ask the policy what follows from an error at the first try."""
    from perennial_airflow.waiting import until_late

    given = until_late(hours)
    decision = given["retry_policy"].evaluate(error, 1, given["retries"])
    return decision.action.value, decision.retry_delay


@pytest.mark.parametrize(("hours", "retries"), [(6.0, 12), (0.75, 2), (0.0, 2), (48.0, 96)])
def test_a_silent_source_is_asked_until_its_delivery_is_late(hours: float, retries: int) -> None:
    """Every half hour, and twice at least."""
    from perennial_airflow.waiting import until_late

    assert until_late(hours)["retries"] == retries
    assert decided(silent(), hours) == ("retry", timedelta(minutes=30))


@pytest.mark.parametrize("error", HELPLESS, ids=lambda error: type(error).__name__)
def test_what_a_person_has_to_mend_fails_at_once(error: Exception) -> None:
    """Nobody waits six hours to hear that a column is missing."""
    assert decided(error)[0] == "fail"


@pytest.mark.parametrize("error", [LATE, OSError("disk"), KeyError("x")], ids=lambda e: type(e).__name__)
def test_what_may_pass_is_tried_again_soon(error: Exception) -> None:
    """Seconds, not half hours: the tries are over in minutes."""
    assert decided(error) == ("retry", timedelta(seconds=20))


def test_the_task_that_takes_in_waits_for_its_sources(shipped: dict[str, Any]) -> None:
    """The policy reaches each mapped task, and no other task; no DAG has a deadline, so each can be cleared."""
    tasks = shipped["dags"]["flight_delay.validate"]["tasks"]
    assert (tasks["take_in"]["retries"], tasks["take_in"]["rules"]) == (12, 4)
    assert (tasks["close_night"]["retries"], tasks["close_night"]["rules"]) == (2, 2)
    assert not [dag_id for dag_id, dag in shipped["dags"].items() if dag["deadline"]]


def test_every_task_of_a_model_fails_at_once_for_what_a_person_has_to_mend(shipped: dict[str, Any]) -> None:
    """Not only the first: whoever reads a night that is not there hears of it now."""
    from perennial_airflow.waiting import UNLESS_A_MISTAKE

    assert UNLESS_A_MISTAKE.evaluate(NoNightError("flight_delay.score"), 1, 2).action.value == "fail"
    tasks = [
        (dag, name)
        for dag, about in shipped["dags"].items()
        for name, task in about["tasks"].items()
        if not task["rules"]
    ]
    assert tasks == []
