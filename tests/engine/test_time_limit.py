"""Work that never ends is ended, and work that does is left alone."""

import signal
import time
from collections.abc import Iterator

import pytest

from perennial.engine.time_limit import at_most
from perennial.errors import TrainingTooLongError


@pytest.fixture(autouse=True)
def no_alarm() -> Iterator[None]:
    """Take the alarm of the test run itself away for the time of a test."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, left)


def endless() -> None:
    """Loop without an end."""
    while True:
        time.sleep(0.01)


def test_a_loop_without_an_end_is_ended() -> None:
    """With the limit, and what to change, in the sentence."""
    with pytest.raises(TrainingTooLongError, match=r"training\.max_minutes"), at_most(0.005):
        endless()


def test_what_ends_in_time_leaves_no_alarm() -> None:
    """Nor does it change who answers alarms."""
    before = signal.getsignal(signal.SIGALRM)
    with at_most(1):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 50
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_alarm_that_was_set_before_comes_as_it_was_to_come() -> None:
    """Sooner or later than ours: somebody waits for it."""
    for seconds in (30, 90):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with at_most(1):
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= min(seconds, 60)
        assert seconds - 5 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds


def test_without_a_limit_nothing_is_set() -> None:
    """A person may say that a training takes as long as it takes."""
    with at_most(None):
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
