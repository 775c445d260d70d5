"""Mistakes about versions and reigns: which one is meant, which one served, which one may.

Raised when a night is scored, a version judged, deployed or rolled back, or its history asked for.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class NoVersionError(PerennialError):
    """A run by hand was started without saying which version it is about."""

    code = "PER-1003"
    exit_code = 2

    def __init__(self, dag_id: str) -> None:
        """Say where the version is entered."""
        super().__init__(
            f"This run of {dag_id} names no version. Trigger it again and fill in the field Version."
        )


class UnknownVersionError(PerennialError):
    """A version was named that was never trained or adopted."""

    code = "PER-3002"
    exit_code = 3

    def __init__(self, model: str, version: str, known: list[str]) -> None:
        """Name the version and those there are."""
        super().__init__(f"{model} has no version {version!r}. Versions: {', '.join(known) or 'none yet'}.")


class NoVersionYetError(PerennialError):
    """A command about a version was asked before any version was trained."""

    code = "PER-3007"
    exit_code = 3

    def __init__(self, model: str) -> None:
        """Say how the first version comes about."""
        super().__init__(f"{model} has no version yet. Train one: `perennial run {model} train`.")


class NoChampionError(PerennialError):
    """A model has no version in production yet, so nothing can be scored with it."""

    code = "PER-3001"
    exit_code = 3

    def __init__(self, model: str, night: str) -> None:
        """Name the model, the night and the way to a first champion."""
        super().__init__(
            f"{model} has no champion on {night}, so nothing was scored. "
            f"Train a first one: trigger {model}.retrain, or `perennial run {model} train`."
        )


class NotPassedError(PerennialError):
    """Nothing reaches production without its gates; this version has not passed them on that night."""

    code = "PER-3004"

    def __init__(self, model: str, version: str, night: str) -> None:
        """Name the version and the way to have it judged."""
        super().__init__(
            f"Version {version} of {model} has not passed its gates on {night}, so it cannot be deployed. "
            f"Trigger {model}.evaluate for it and read the gate that objects."
        )


class NotFitToServeError(PerennialError):
    """A version that passed its gates does not load, or behaves otherwise, where it would serve."""

    code = "PER-3005"

    def __init__(self, model: str, version: str, problem: str) -> None:
        """Name the version and what is wrong with it."""
        super().__init__(
            f"Version {version} of {model} stays out of production: {problem}. The champion serves on."
        )


class NothingToRollBackToError(PerennialError):
    """No other version has ever served, so there is nothing to return to."""

    code = "PER-3003"

    def __init__(self, model: str, current: str | None) -> None:
        """Name what serves now."""
        serving = (
            f"version {current} is the only one that ever served" if current else "nothing has served yet"
        )
        super().__init__(f"{model} cannot be rolled back: {serving}.")


class NeverServedError(PerennialError):
    """A rollback returns to a version that was in production; no other way leads there but the gates."""

    code = "PER-3010"

    def __init__(self, model: str, version: str, served: list[str]) -> None:
        """Name the version and those that can be returned to."""
        known = f"Versions that have served: {', '.join(served)}." if served else "None has served yet."
        super().__init__(
            f"Version {version} of {model} was never in production, so nothing can be rolled back to it. {known} "
            f"To put it into production, trigger {model}.evaluate for it."
        )


class AlreadyServedError(PerennialError):
    """A model is adopted as the first champion; where one has served, the next has to pass the gates."""

    code = "PER-3016"

    def __init__(self, model: str, version: str, adopted: str | None = None) -> None:
        """Name who serves and the way for another model, or back to this one where it was ``adopted`` before."""
        way = "to compare another model, declare it as the estimator and let it pass the gates."
        if adopted:
            way = f"this artefact was, as version {adopted}. To return to it: perennial rollback {model} --version {adopted}"
        super().__init__(
            f"{model} has a champion already, version {version}. Only the first one is adopted; {way}"
        )


class AdoptedOtherwiseError(PerennialError):
    """What was said of an adopted model stays: an attempt that was cut off cannot be finished with other words."""

    code = "PER-3019"

    def __init__(self, model: str, version: str, recorded: str, given: str) -> None:
        """Show both nights and what to write."""
        super().__init__(
            f"This artefact is recorded as version {version} of {model}, fitted on nights up to {recorded}, not "
            f"{given}. To finish adopting it, leave --fitted-until out or give {recorded}."
        )


class NothingServedError(PerennialError):
    """Nobody was in production on that night."""

    code = "PER-3008"
    exit_code = 3

    def __init__(self, model: str, night: str) -> None:
        """Name the model and the night."""
        super().__init__(f"No version of {model} served on {night}. See all reigns: perennial ledger {model}")


class NothingKnownError(PerennialError):
    """The ledger has no line about that night."""

    code = "PER-3009"
    exit_code = 3

    def __init__(self, model: str, night: str) -> None:
        """Name the night and how it becomes known."""
        super().__init__(
            f"Nothing was decided about {model} for {night}. Let the night pass: perennial night {model} {night}"
        )
