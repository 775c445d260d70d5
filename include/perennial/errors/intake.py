"""Why a delivery cannot be taken in: silent, unreadable, misshapen, rejected, or checked in two ways that disagree.

Raised by the sources and by the engine's intake; nothing of such a delivery is published.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class SourceSilentError(PerennialError):
    """A delivery that was expected has not come.

    That is a finding of its own, unlike a delivery that came and is empty: wait for it, or say with `available` that the source no longer exists.
    """

    code = "PER-1401"
    exit_code = 3

    def __init__(self, source: str, night: str, location: str, found: str = "there is no such file") -> None:
        """Name the night, the place and what was found there."""
        self.source, self.night, self.location = source, night, location
        super().__init__(
            f"{source}: nothing has come for {night}: {found} ({location}). "
            "Deliver it and run the night again, or skip the night."
        )


class SourceUnreadableError(PerennialError):
    """A delivery came but cannot be read for what it should be: another format, cut, damaged.

    Nothing of it is used, because rows read from it could be shifted.
    """

    code = "PER-1402"

    def __init__(self, source: str, location: str, problem: str, fix: str) -> None:
        """Name the file, what is wrong and what to do."""
        self.source, self.location, self.problem = source, location, problem
        super().__init__(f"{source}: {location} {problem}. {fix}")


class ColumnMissingError(PerennialError):
    """A declared column is not in the delivery. A column is never guessed: renaming is a person's word."""

    code = "PER-1403"

    def __init__(
        self, source: str, location: str, missing: dict[str, str | None], delivered: list[str]
    ) -> None:
        """Name each missing column and the delivered one that was probably meant."""
        self.source, self.location, self.missing = source, location, missing
        told = [
            f"{name!r}" + (f" (found {near!r}: renamed?)" if near else "") for name, near in missing.items()
        ]
        super().__init__(
            f"{source}: {location} lacks column {', '.join(told)}. It has: {', '.join(delivered) or 'none'}. "
            "Deliver it under the declared name, change `columns`, or list it under `optional`."
        )


class BatchRejectedError(PerennialError):
    """A delivery broke a rule about the whole of it, or too many of its rows broke one.

    Nothing is published; all its rows are in `quarantined`, each with its reasons, and can be published after a look.
    """

    code = "PER-1404"

    def __init__(self, problem: str, *, quarantined: object, report: object) -> None:
        """Say which rule, how many rows, the first of them, and what to do."""
        self.problem, self.quarantined, self.report = problem, quarantined, report
        super().__init__(
            f"{problem} Correct the delivery and run the night again, or change the rule in model.yaml."
        )


class CheckDisagreesError(PerennialError):
    """The engine's row quarantine and Great Expectations counted different rows for one check.

    One of the two is wrong, so neither is believed and nothing is published.
    """

    code = "PER-1405"

    def __init__(self, source: str, sentence: str, ours: int, theirs: int) -> None:
        """Show the rule and both counts."""
        super().__init__(
            f"{source}: the check {sentence!r} fails {ours} rows in the engine and {theirs} in Great Expectations. "
            "Please report this with the file; until then take the check out of model.yaml."
        )


class CheckDidNotRunError(PerennialError):
    """Great Expectations could not evaluate a check.

    It reports that as a result among others, and a suite of checks that never ran would pass; here it stops the night.
    """

    code = "PER-1406"

    def __init__(self, source: str, sentence: str, detail: str) -> None:
        """Name the check and what was raised."""
        super().__init__(f"{source}: the check {sentence!r} did not run: {detail}.")


class CheckMisfitError(PerennialError):
    """A check asks something that its column cannot answer, such as a range of a text."""

    code = "PER-1407"
    exit_code = 2

    def __init__(self, source: str, problems: list[str]) -> None:
        """List every misfit of the source."""
        super().__init__(f"sources.{source}: " + "; ".join(problems) + ".")
