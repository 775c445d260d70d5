"""Reasons to refuse a model.yaml before its meaning is looked at.

Raised by the strict reader; the spec adds the file and shows them together with all other problems of the folder.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class UnreadableYamlError(PerennialError):
    """A file that is refused before its meaning is looked at; each subclass says why, and ``fix`` what to do."""

    code = "PER-1010"
    exit_code = 2
    fix = "Correct the file."

    def __init__(self, found: str, line: int = 1, column: int = 1) -> None:
        """Say what was found, and where (both counted from 1)."""
        super().__init__(f"{found} {self.fix}")
        self.found, self.line, self.column = found, line, column


class EmptyYamlError(UnreadableYamlError):
    """A model.yaml that is missing, empty or only comments declares nothing."""

    code = "PER-1011"
    fix = "Write one with `perennial new`."


class TooLargeYamlError(UnreadableYamlError):
    """A declaration is written by people; a file above 256 KiB is data, and is refused unread."""

    code = "PER-1012"
    fix = "Keep model.yaml below 256 KiB; data belongs into a source."


class NotUtf8Error(UnreadableYamlError):
    """Only UTF-8 is read, so that a file means the same on every machine."""

    code = "PER-1013"
    fix = "Save the file as UTF-8."


class TabInYamlError(UnreadableYamlError):
    """YAML does not indent with tabs; to the eye they look like spaces."""

    code = "PER-1014"
    fix = "Use spaces."


class YamlSyntaxError(UnreadableYamlError):
    """The text is not YAML 1.2."""

    code = "PER-1015"
    fix = "Correct the syntax at this place."


class AliasInYamlError(UnreadableYamlError):
    """Anchors and aliases are refused: a small file could stand for gigabytes."""

    code = "PER-1016"
    fix = "Write the value out."


class TagInYamlError(UnreadableYamlError):
    """Tags are refused: a value says its type by how it is written, and never names code."""

    code = "PER-1017"
    fix = "Take the tag out; put text in quotes."


class SeveralDocumentsError(UnreadableYamlError):
    """One file declares one model."""

    code = "PER-1018"
    fix = "Keep one document in the file."


class DuplicateKeyError(UnreadableYamlError):
    """The same key twice: one of the two values would be lost in silence."""

    code = "PER-1019"
    fix = "Keep one of the two."


class TooDeepYamlError(UnreadableYamlError):
    """Nesting deeper than 32 levels is no declaration."""

    code = "PER-1020"
    fix = "Nest at most 32 levels."


class WrongYamlValueError(UnreadableYamlError):
    """A value that cannot be kept exactly: an endless number, or a key that is not a name."""

    code = "PER-1021"
    fix = "Write a plain name or a finite number."
