"""Mistakes of a person who steers: holds, skips, accepts quarantined rows, brings labels.

Raised by the commands and forms that do it by hand; nothing is changed where they are raised.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class HeldNightError(PerennialError):
    """A person holds the night, so nothing is scored for it until it is released."""

    code = "PER-3011"

    def __init__(self, model: str, night: str, reason: str) -> None:
        """Repeat who holds it and why, and say how it is released."""
        super().__init__(f"{reason} Release it with `perennial release {model} {night}`.")


class SkippedNightError(PerennialError):
    """The night's rows never came and a person skipped them: there is nothing to score."""

    code = "PER-3012"

    def __init__(self, model: str, night: str, reason: str) -> None:
        """Repeat who skipped it and why."""
        super().__init__(f"There are no rows of {model} to score on {night}. {reason}")


class NotHeldError(PerennialError):
    """A night was to be released that nobody holds."""

    code = "PER-3013"

    def __init__(self, model: str, night: str) -> None:
        """Name the night."""
        super().__init__(f"Nobody holds {model} on {night}, so there is nothing to release.")


class NotAcceptableError(PerennialError):
    """Quarantined rows cannot be published as they came: a person's word does not turn text into a number."""

    code = "PER-3014"

    def __init__(self, source: str, night: str, faults: list[str]) -> None:
        """Name each row and what still stands against it."""
        super().__init__(
            f"{source} of {night}: nothing was accepted, because {'; '.join(faults)}. "
            "Accept the other rows by number, or have the file corrected and run the night again."
        )


class NotInQuarantineError(PerennialError):
    """Rows were to be accepted that are not in quarantine."""

    code = "PER-3015"
    exit_code = 3

    def __init__(self, source: str, night: str, asked: str, there: list[int]) -> None:
        """Name what was asked for and what is there."""
        rows = ", ".join(map(str, there[:20])) or "none"
        super().__init__(f"The quarantine of {source} on {night} has no {asked}. Its rows: {rows}.")


class CorrectionWaitsError(PerennialError):
    """A whole correction of a published night was held back, so "all rows" could mean two things."""

    code = "PER-3018"

    def __init__(self, model: str, source: str, night: str, *, held: int, stands: int) -> None:
        """Say what the correction would replace, and how each of the two is accepted."""
        super().__init__(
            f"A correction of {source} for {night} was held back whole. Its {held} rows would take the place of the "
            f"{stands} that are published. To publish it: perennial accept {model} {night} --source {source} "
            "--rows held; rows that were set aside of what is published are accepted by their numbers."
        )


class FrozenModelError(PerennialError):
    """A person has frozen the model, so nothing is trained or promoted until the date they named."""

    code = "PER-3021"

    def __init__(self, model: str, reason: str) -> None:
        """Repeat until when, by whom and why, and say how it is ended."""
        super().__init__(
            f"{model} is frozen ({reason}), so nothing of it is trained or promoted. "
            f"To end it before: perennial unfreeze {model}"
        )


class NotFrozenError(PerennialError):
    """A freeze was to be ended where none stands."""

    code = "PER-3022"

    def __init__(self, model: str, night: str) -> None:
        """Name the model and the night."""
        super().__init__(f"{model} is not frozen on {night}, so there is nothing to end.")


class PastFreezeError(PerennialError):
    """A freeze was to end before it begins."""

    code = "PER-3023"
    exit_code = 2

    def __init__(self, model: str, night: str, until: str) -> None:
        """Show both nights."""
        super().__init__(
            f"{model} cannot be frozen until {until}: its newest night is {night}. Name a later one, "
            "the first on which it may be trained and promoted again."
        )


class NothingToApproveError(PerennialError):
    """No version waits for a person's approval."""

    code = "PER-3024"

    def __init__(self, model: str) -> None:
        """Say where versions that wait are shown."""
        super().__init__(
            f"No version of {model} waits for approval; a version does after it passed its gates, where the model's "
            f"risk is high. See what became of the last one: perennial status {model}"
        )


class NoRightToForceError(PerennialError):
    """Forcing a version past its gates needs a right, which the model's own folder gives by name."""

    code = "PER-3025"

    def __init__(self, model: str, actor: str, named: list[str]) -> None:
        """Name who asks, who may, and how the right is given."""
        may = f"Those who may: {', '.join(named)}." if named else "Nobody may at present."
        super().__init__(
            f"{actor} has no right to force a version of {model} past its gates. {may} The right is given by "
            f"`force_by: [{actor}]` in include/models/{model}/model.yaml, in a change that others can review."
        )


class NotRowsError(PerennialError):
    """Rows of a quarantine are named by their numbers."""

    code = "PER-1006"
    exit_code = 2

    def __init__(self, text: str) -> None:
        """Show what was given and what rows look like."""
        super().__init__(
            f"{text!r} names no rows. Write their numbers as 3,7 or all, or held for a correction that waits."
        )


class LabelSheetError(PerennialError):
    """A file that was to bring labels is not a sheet of this model."""

    code = "PER-1501"
    exit_code = 2

    def __init__(self, path: object, problem: str) -> None:
        """Name the file, what is wrong and how a sheet is made."""
        super().__init__(
            f"{path}: {problem}. Make a sheet with `perennial label export`, and fill its column `label`."
        )


class SheetExistsError(PerennialError):
    """A sheet was to be written over a file, which may hold somebody's labels."""

    code = "PER-1502"
    exit_code = 2

    def __init__(self, path: object) -> None:
        """Name the file."""
        super().__init__(
            f"{path} exists already, perhaps with labels in it. Take another name, or remove it."
        )
