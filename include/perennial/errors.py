"""Every mistake a user can make: where it is, what was found, and how to fix it.

Each class is one mistake; its docstring is the paragraph that explains it in the reference.
"""

from __future__ import annotations


class PerennialError(Exception):
    """A mistake we can explain. ``code`` names its entry in the reference, ``exit_code`` the CLI's status."""

    code = "PER-1000"
    exit_code = 1


class NotANightError(PerennialError):
    """A night is written as its date; anything else is refused before it is used as a key or a path."""

    code = "PER-1001"
    exit_code = 2

    def __init__(self, text: str) -> None:
        """Show what was given and what a night looks like."""
        super().__init__(f"{text!r} is not a night. Write its date, for example 2013-05-12.")


class UnknownEntryError(PerennialError):
    """A name that no file of the catalogue has."""

    code = "PER-1101"
    exit_code = 2

    def __init__(self, *, noun: str, name: str, meant: str | None, known: list[str]) -> None:
        """Say what was asked for, what was probably meant, and what exists."""
        hint = f" Did you mean {meant!r}?" if meant else ""
        super().__init__(f"There is no {noun} {name!r}.{hint} Known: {', '.join(known)}.")
