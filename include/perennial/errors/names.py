"""Mistakes about a name: of a model, of a catalogue's entry, or of something that becomes a path.

Raised where a name is looked up or first used; whoever mistyped it is told the nearest one.
"""

from __future__ import annotations

import difflib

from perennial.errors.base import PerennialError


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


class UnknownModelError(PerennialError):
    """A model was named that has no folder."""

    code = "PER-1102"
    exit_code = 3

    def __init__(self, name: str, known: list[str]) -> None:
        """Name the model, the nearest one and all others."""
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"There is no model {name!r}.{hint} Models: {', '.join(known) or 'none yet'}.")


class NoModelsError(PerennialError):
    """The command found no project, or a project without models."""

    code = "PER-1103"
    exit_code = 3

    def __init__(self, folder: object) -> None:
        """Say where it looked and how to begin."""
        super().__init__(
            f"There are no models in {folder}. Go to your project's folder, name it with --project, or begin "
            "with `perennial new NAME --from FILE --label COLUMN`."
        )
