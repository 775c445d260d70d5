"""What can be wrong with a stored partition: absent, damaged, or published by somebody else first.

Raised by the store; nothing that was published is ever overwritten because of them.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


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
