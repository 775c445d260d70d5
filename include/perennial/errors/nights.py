"""Mistakes about a night: written wrongly, left out, reversed, or not yet there.

Raised by the clock, the command line and the DAGs before anything is read or made for that night.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class NotANightError(PerennialError):
    """A night is written as its date; anything else is refused before it is used as a key or a path."""

    code = "PER-1001"
    exit_code = 2

    def __init__(self, text: str) -> None:
        """Show what was given and what a night looks like."""
        super().__init__(f"{text!r} is not a night. Write its date, for example 2013-05-12.")


class NotAMomentError(PerennialError):
    """A moment is a night's date, or a date with a time of day."""

    code = "PER-1007"
    exit_code = 2

    def __init__(self, text: str) -> None:
        """Show what was given and what a moment looks like."""
        super().__init__(
            f"{text!r} is no moment. Write a night, 2013-05-12, or a time, 2013-05-12T14:30 in the model's time zone "
            "or 2013-05-12T14:30+02:00."
        )


class NoNightError(PerennialError):
    """A run was started without saying which night it is about."""

    code = "PER-1002"
    exit_code = 2

    def __init__(self, dag_id: str) -> None:
        """Say where the night is entered."""
        super().__init__(
            f"This run of {dag_id} has no night. Trigger it again and set Partition Key, under Advanced Options, to "
            "the night's date, for example 2013-05-12 (a run with a logical date starts nothing downstream)."
        )


class NightsReversedError(PerennialError):
    """A range of nights ends before it begins."""

    code = "PER-1005"
    exit_code = 2

    def __init__(self, first: str, last: str) -> None:
        """Show both ends."""
        super().__init__(f"The range ends ({last}) before it begins ({first}). Swap the two nights.")


class NightNotCompleteError(PerennialError):
    """A night cannot be closed while a source that should have delivered has not been taken in."""

    code = "PER-2005"

    def __init__(self, model: str, night: str, source: str) -> None:
        """Name the source and what to do."""
        super().__init__(
            f"The night {night} of {model} is not complete: {source} has published nothing for it. "
            f"Run take_in for {source}, or skip the night with `perennial skip {model} {night}`."
        )


class NoNightYetError(PerennialError):
    """A command that looks at the newest night was asked before any night was taken in."""

    code = "PER-2006"
    exit_code = 3

    def __init__(self, model: str) -> None:
        """Name the model and how its first night comes in."""
        super().__init__(
            f"{model} has no closed night yet. Take history in with "
            f"`perennial run {model} validate --since 2013-01-01 --night 2013-06-30`, or name the night with --night."
        )
