"""Every mistake a user can make: where it is, what was found, and how to fix it.

Each class is one mistake; its docstring is the paragraph that explains it in the reference.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True)
class Problem:
    """One mistake in a model's folder: where it is, what was found, and how to fix it."""

    file: str
    line: int
    column: int
    field: str
    value: str
    message: str
    fix: str
    code: str = "PER-1040"

    def __str__(self) -> str:
        """Write the problem as one line that editors can jump to."""
        field = f" {self.field}:" if self.field else ""
        return f"{self.file}:{self.line}:{self.column} {self.code}{field} {self.message} {self.fix}".rstrip()


class BrokenModelError(PerennialError):
    """A model's folder that cannot be used; it carries every problem found, not just the first."""

    code = "PER-1040"
    exit_code = 2

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        """List the problems, one a line."""
        self.name, self.problems = name, tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(f"The model {name!r} cannot be used: {count}.\n{lines}")


class NotATableError(PerennialError):
    """`perennial new` could not make a model of the table it was given."""

    code = "PER-1030"
    exit_code = 2


class LedgerEntryError(PerennialError):
    """A decision that could not be found or read again later is not recorded."""

    code = "PER-1701"

    def __init__(self, model: str, field: str, found: object, expected: str) -> None:
        """Name the field, what it holds and what it must hold."""
        super().__init__(f"Ledger entry of {model!r}: {field} is {found!r}; it must be {expected}.")


class LedgerConflictError(PerennialError):
    """An event is recorded once: two contents under one key are two answers, or a key that says too little."""

    code = "PER-1702"

    def __init__(self, model: str, kind: str, key: str, recorded: str, given: str) -> None:
        """Show both sentences side by side."""
        super().__init__(
            f"The ledger already holds {kind} {key!r} of {model!r} with other content.\n"
            f"  recorded: {recorded}\n  now:      {given}\n"
            "What was decided stays. Record a new decision under a key of its own."
        )


class LedgerUnreadableError(PerennialError):
    """The file where decisions are kept is no ledger, is damaged, or belongs to another version."""

    code = "PER-1703"
    exit_code = 5

    def __init__(self, path: object, found: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(
            f"{path} cannot be opened as a ledger: {found}. "
            "Restore it with `perennial restore`, or move it away to begin a new one."
        )


class BadExpressionError(PerennialError):
    """An expression in model.yaml that cannot be read, or that asks for more than comparing columns."""

    code = "PER-1201"
    exit_code = 2

    def __init__(self, text: str, problem: str) -> None:
        """Show the expression and what is wrong with it."""
        super().__init__(f"Expression {text!r}: {problem}.")


class BadViewError(PerennialError):
    """A feature view that cannot be used: what is wrong, where, and the way out."""

    code = "PER-1301"
    exit_code = 2

    def __init__(self, where: str, problem: str) -> None:
        """Name the file, line and view."""
        super().__init__(f"{where}: {problem}")


class ProfilesDifferError(PerennialError):
    """Profiles were counted on different edges, so their counts cannot be added or compared."""

    code = "PER-2201"

    def __init__(self, one: str, other: str) -> None:
        """Show both identities and the way back."""
        super().__init__(
            f"These profiles were counted on different edges ({one} and {other}). "
            "Profile both nights again on the edges that the model uses now."
        )


class CustomEstimatorError(PerennialError):
    """The folder's ``estimator.py`` must have ``build(task, columns, parameters, seed)`` that returns a pipeline."""

    code = "PER-4101"
    exit_code = 2

    def __init__(self, code: object, what: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(
            f"{code}: {what}. Write `def build(task, columns, parameters, seed)` that returns an unfitted "
            "scikit-learn pipeline for columns.numeric and columns.categorical."
        )


class CannotTrainError(PerennialError):
    """The training set cannot teach a model: too few rows, or one class only."""

    code = "PER-4102"

    def __init__(self, what: str) -> None:
        """Say what is missing."""
        super().__init__(
            f"Nothing to train on: {what}. Wait for more labelled nights, or widen training.window_nights."
        )


class MissingColumnsError(PerennialError):
    """The rows lack columns that the model was trained with."""

    code = "PER-4103"

    def __init__(self, missing: list[str]) -> None:
        """Name the columns."""
        super().__init__(f"The rows lack the columns {', '.join(missing)}. Build the night's features again.")


class RegistryDatabaseError(PerennialError):
    """The registry's database is absent, half made or of another MLflow version; no task ever makes or migrates it."""

    code = "PER-4111"
    exit_code = 5

    def __init__(self, path: object, what: str) -> None:
        """Name the file, what was found, and the way back."""
        super().__init__(
            f"{path}: {what}. `make up` or `perennial doctor` makes it, once and alone; move a broken file away first."
        )


class RefusedArtefactError(PerennialError):
    """A model's bytes are not what the ledger knows, or hold what we have not reviewed; nothing of it was run."""

    code = "PER-4112"

    def __init__(
        self, which: str, why: str, fix: str = "Train again, or go back to the last good version."
    ) -> None:
        """Name the artefact, the reason, and what to do."""
        super().__init__(f"{which} is refused: {why}. {fix}")


class UnsavableModelError(PerennialError):
    """The pipeline holds a type that we have not reviewed, so it could be saved but never be loaded."""

    code = "PER-4113"

    def __init__(self, types: list[str]) -> None:
        """Name the types."""
        super().__init__(
            f"The model cannot be kept: it holds {', '.join(types)}, which nobody has reviewed. "
            "Use scikit-learn's own steps; a function of your own belongs in features.py."
        )


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


class UnknownModelError(PerennialError):
    """A model was named that has no folder."""

    code = "PER-1102"
    exit_code = 3

    def __init__(self, name: str, known: list[str]) -> None:
        """Name the model, the nearest one and all others."""
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"There is no model {name!r}.{hint} Models: {', '.join(known) or 'none yet'}.")


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


class NoNightError(PerennialError):
    """A run was started without saying which night it is about."""

    code = "PER-1002"
    exit_code = 2

    def __init__(self, dag_id: str) -> None:
        """Say where the night is entered."""
        super().__init__(
            f"This run of {dag_id} has no night. Trigger it again with the partition key set to the night's "
            "date, for example 2013-05-12 (a run with a logical date starts nothing downstream)."
        )


class UnknownVersionError(PerennialError):
    """A version was named that was never trained or adopted."""

    code = "PER-3002"
    exit_code = 3

    def __init__(self, model: str, version: str, known: list[str]) -> None:
        """Name the version and those there are."""
        super().__init__(f"{model} has no version {version!r}. Versions: {', '.join(known) or 'none yet'}.")


class NothingToRollBackToError(PerennialError):
    """No other version has ever served, so there is nothing to return to."""

    code = "PER-3003"

    def __init__(self, model: str, current: str | None) -> None:
        """Name what serves now."""
        serving = (
            f"version {current} is the only one that ever served" if current else "nothing has served yet"
        )
        super().__init__(f"{model} cannot be rolled back: {serving}.")


class NotDeliveredError(PerennialError):
    """A channel did not take an alert; it is kept and tried again, and the other channels are told."""

    code = "PER-1751"
    exit_code = 4

    def __init__(self, problem: str) -> None:
        """Say why, without the channel's address."""
        super().__init__(problem)


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


class NoVersionError(PerennialError):
    """A run by hand was started without saying which version it is about."""

    code = "PER-1003"
    exit_code = 2

    def __init__(self, dag_id: str) -> None:
        """Say where the version is entered."""
        super().__init__(
            f"This run of {dag_id} names no version. Trigger it again and fill in the field Version."
        )


class TooLittleToTrainError(PerennialError):
    """There are not enough rows whose labels are known."""

    code = "PER-3006"

    def __init__(self, model: str, rows: int, needed: int) -> None:
        """Say how many there are, how many are needed, and what to check."""
        super().__init__(
            f"{model} has {rows} labelled rows and needs {needed} to train (training.min_rows). "
            "Load more nights, or check that the label source delivers and that its keys match the rows."
        )


class NotAMeanError(PerennialError):
    """A metric such as AUC is not a mean over rows, so its values do not add up over nights and no gate can use it."""

    code = "PER-1810"
    exit_code = 2

    def __init__(self, metric: str) -> None:
        """Name the metric and those that can be primary."""
        super().__init__(
            f"{metric} is not a mean over rows, so it cannot be the primary metric. "
            "Use log_loss, brier or accuracy for classes, rmse or mae for numbers; "
            f"{metric} is shown beside it anyway."
        )


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


class NoConnectionError(PerennialError):
    """A model names an Airflow connection that the environment of the command line does not hold."""

    code = "PER-1752"
    exit_code = 5

    def __init__(self, connection: str) -> None:
        """Name the variable that is missing."""
        super().__init__(
            f"The connection {connection!r} is not known here. Outside Airflow, set AIRFLOW_CONN_{connection.upper()} "
            "to its URI, as Airflow itself reads it."
        )


class NightsReversedError(PerennialError):
    """A range of nights ends before it begins."""

    code = "PER-1005"
    exit_code = 2

    def __init__(self, first: str, last: str) -> None:
        """Show both ends."""
        super().__init__(f"The range ends ({last}) before it begins ({first}). Swap the two nights.")


class NoVersionYetError(PerennialError):
    """A command about a version was asked before any version was trained."""

    code = "PER-3007"
    exit_code = 3

    def __init__(self, model: str) -> None:
        """Say how the first version comes about."""
        super().__init__(f"{model} has no version yet. Train one: `perennial run {model} train`.")


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


class AlreadyServedError(PerennialError):
    """A model is adopted as the first champion; where one has served, the next has to pass the gates."""

    code = "PER-3016"

    def __init__(self, model: str, version: str) -> None:
        """Name who serves and the way for another model."""
        super().__init__(
            f"{model} has a champion already, version {version}. Only the first one is adopted; to compare "
            "another model, declare it as the estimator and let it pass the gates."
        )


class MisfitModelError(PerennialError):
    """A model fitted elsewhere cannot take the place of this one: it predicts, or eats, something else."""

    code = "PER-3017"
    exit_code = 2

    def __init__(self, model: str, problem: str) -> None:
        """Say what does not fit."""
        super().__init__(
            f"This artefact cannot serve as {model}: {problem}. Adapt model.yaml and features.py to it, or fit it "
            "again on these features."
        )


class NotRowsError(PerennialError):
    """Rows of a quarantine are named by their numbers."""

    code = "PER-1006"
    exit_code = 2

    def __init__(self, text: str) -> None:
        """Show what was given and what rows look like."""
        super().__init__(f"{text!r} names no rows. Write their numbers as 3,7 or all.")


class TakenNameError(PerennialError):
    """A column has a name that the project needs for a column of its own beside it."""

    code = "PER-1302"
    exit_code = 2

    def __init__(self, model: str, source: str, column: str) -> None:
        """Name the column and the way out."""
        super().__init__(
            f"{model}: sources.{source}: the column {column!r} has a name that stands for something else in feature "
            "and prediction tables. Deliver it under another name, for example with an alias in the query."
        )
