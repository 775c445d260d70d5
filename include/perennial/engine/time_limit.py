"""End a piece of work that never ends by itself: an estimator with a loop in it must not hold a worker for ever.

Wraps the fits of ``train``. The alarm is looked at between two steps of Python, so a single endless step of compiled
code outlasts it.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from perennial.errors import TrainingTooLongError

SOON = 0.001
"""Seconds until an alarm that has come due meanwhile."""


@contextlib.contextmanager
def at_most(minutes: float | None) -> Iterator[None]:
    """Raise inside the block once it has taken so long; elsewhere than in the main thread nothing is limited.

    An alarm that was set before is set again with what is left of it, and comes first where it is the earlier one.

    Raises:
        TrainingTooLongError: the time is over.
    """
    if minutes is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TrainingTooLongError(minutes)

    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if 0 < left < minutes * 60:  # somebody else's alarm comes first, and must
        yield
        return
    before, began = signal.signal(signal.SIGALRM, over), time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, minutes * 60)
    try:
        yield
    finally:
        rest = max(left - (time.monotonic() - began), SOON) if left else 0.0
        signal.setitimer(signal.ITIMER_REAL, rest)
        signal.signal(signal.SIGALRM, before)
