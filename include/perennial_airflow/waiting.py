"""What is tried again: a silent source until its delivery is late, and whatever may pass by itself.

What a person has to mend fails at once, so that they hear of it now.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypedDict

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from perennial.errors import LateWriterError, PerennialError, SourceSilentError

ASKED_AGAIN_AFTER = timedelta(minutes=30)
_AT_ONCE = timedelta(seconds=20)


_LATE_WRITER = RetryRule(LateWriterError, RetryAction.RETRY, _AT_ONCE, "Another run was faster")
_MISTAKE = RetryRule(PerennialError, RetryAction.FAIL, reason="Trying again cannot help: read the error")
UNLESS_A_MISTAKE = ExceptionRetryPolicy([_LATE_WRITER, _MISTAKE])
"""A mistake that we can explain is the same at the next try; what we cannot may pass."""


class Waiting(TypedDict):
    """Arguments of a task that waits."""

    retries: int
    retry_policy: ExceptionRetryPolicy


def until_late(hours: float) -> Waiting:
    """Ask a silent source every half hour, for so many hours after the first try; nothing else waits."""
    rules = [
        RetryRule(SourceSilentError, RetryAction.RETRY, ASKED_AGAIN_AFTER, "Its delivery may still come"),
        _LATE_WRITER,
        _MISTAKE,
        RetryRule(Exception, RetryAction.RETRY, _AT_ONCE, "It may pass"),
    ]
    retries = max(2, math.ceil(timedelta(hours=hours) / ASKED_AGAIN_AFTER))
    return Waiting(retries=retries, retry_policy=ExceptionRetryPolicy(rules))
