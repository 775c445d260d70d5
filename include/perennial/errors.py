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


class UnsafeNameError(PerennialError):
    """A name that could leave its folder, or that nobody could type, is refused before it becomes a path."""

    code = "PER-2001"
    exit_code = 2

    def __init__(self, noun: str, name: str) -> None:
        """Show the name and what names are made of."""
        super().__init__(f"{name!r} cannot name a {noun}: use lower-case letters, digits, _ . and -.")


class NotPublishedError(PerennialError):
    """A partition was asked for that no run has published."""

    code = "PER-2002"
    exit_code = 3

    def __init__(self, dataset: str, key: str) -> None:
        """Name the partition and the step that makes it."""
        super().__init__(f"{dataset} of {key} is not published. Run the stage that makes it for that night.")


class LateWriterError(PerennialError):
    """Another run published this partition while this one worked, with other content; nothing was overwritten."""

    code = "PER-2003"

    def __init__(self, dataset: str, key: str, version: int) -> None:
        """Name the partition and the version that was lost."""
        super().__init__(
            f"{dataset} of {key}: another run published version {version} first. "
            "Nothing was overwritten; run this night again to build on what is there now."
        )


class CorruptPartitionError(PerennialError):
    """A stored file is not what was published; it is refused before anything uses it."""

    code = "PER-2004"

    def __init__(self, path: object, expected: str, actual: str) -> None:
        """Name the file, both hashes and the way back."""
        super().__init__(
            f"{path} is damaged: expected {expected}, found {actual}. "
            "Move the file away and run the night's validate again; it is rebuilt from the source."
        )
