"""What can be wrong with the registry's database and with the bytes of a model.

Raised before anything of an artefact is run; what the ledger does not vouch for is never loaded.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class RegistryDatabaseError(PerennialError):
    """The registry's database is absent, half made or of another MLflow version; no task ever makes or migrates it."""

    code = "PER-4111"
    exit_code = 5

    def __init__(self, path: object, what: str) -> None:
        """Name the file, what was found, and the way back."""
        super().__init__(
            f"{path}: {what}. `make up` or the first `perennial run` makes it, once and alone; move a broken file "
            "away first."
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


class NotReconciledError(PerennialError):
    """Some models could not be compared with the ledger; all others were."""

    code = "PER-4114"

    def __init__(self, failed: dict[str, str]) -> None:
        """Name each model and why."""
        super().__init__(
            "Not compared with the ledger: " + " ".join(f"{model}: {why}" for model, why in failed.items())
        )
