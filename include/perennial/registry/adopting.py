"""A model that was fitted elsewhere becomes the first champion: from a skops file or an MLflow version.

It is read like our own, from reviewed types only. A pickle is a program and is not opened to see what
it would do.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.errors import RefusedArtefactError
from perennial.facts.evaluation import Task
from perennial.registry.artefacts import FILE_NAME, Artefact, read
from perennial.registry.server import quieten
from perennial.registry.trusted_types import trusted_for

VERSION = re.compile(r"models:/[^/:@#?]+/\d+")
PICKLES = {".pkl", ".pickle", ".joblib", ".cloudpickle"}
CONVERT = (
    "A pickle is a program, and opening it runs it. Where you made it and trust it, load it and write "
    "skops.io.dump(model, 'model.skops'); then adopt that file."
)
BINARY = 2


@dataclass(frozen=True)
class Adopted:
    """A fitted model from elsewhere, its bytes, and what it says about itself."""

    pipeline: Any
    """The fitted model."""
    artefact: Artefact
    """The very bytes it was rebuilt from."""
    task: Task
    """What it predicts."""
    columns: tuple[str, ...]
    """The columns it was fitted on, in its order."""


def adopt(source: str, *, tracking_uri: str | None = None) -> Adopted:
    """Read a fitted scikit-learn model from a skops file, or from ``models:/name/3`` of an MLflow registry.

    Raises:
        RefusedArtefactError: a pickle, unreviewed types, or a model that does not say what it eats.
    """
    artefact = (
        _from_mlflow(source, tracking_uri) if source.startswith("models:") else _from_file(Path(source))
    )
    return adopted(artefact)


def adopted(artefact: Artefact) -> Adopted:
    """Rebuild a fitted scikit-learn model from bytes that nobody here vouches for, of reviewed types only.

    Raises:
        RefusedArtefactError: a pickle, unreviewed types, or a model that does not say what it eats.
    """
    model = read(artefact, trusted_for("adopted"))
    return Adopted(model, artefact, _task(model, artefact), _columns(model, artefact))


def _from_file(path: Path) -> Artefact:
    if path.suffix in PICKLES:
        raise RefusedArtefactError(str(path), "it is a pickle", CONVERT)
    try:
        return Artefact(path.read_bytes(), str(path))
    except OSError as mistake:
        fix = "Name a skops file, or an MLflow version as models:/name/3."
        raise RefusedArtefactError(str(path), f"it cannot be read ({mistake.strerror})", fix) from mistake


def _from_mlflow(source: str, tracking_uri: str | None) -> Artefact:
    quieten()
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    if not VERSION.fullmatch(source):
        fix = "Aliases move: name the number, as in models:/name/3."
        raise RefusedArtefactError(source, "it does not name one version", fix)
    with tempfile.TemporaryDirectory() as private:
        try:
            folder = Path(
                download_artifacts(artifact_uri=source, dst_path=private, tracking_uri=tracking_uri)
            )
        except (MlflowException, OSError) as mistake:
            fix = "Check the name, the number and MLFLOW_TRACKING_URI."
            raise RefusedArtefactError(source, f"MLflow cannot give it ({mistake})", fix) from mistake
        file = folder / FILE_NAME
        if file.is_file() and not file.is_symlink():
            return Artefact(file.read_bytes(), source)
        held = {each.suffix for each in folder.rglob("*")}
    why = "it is a pickle" if held & PICKLES else f"it holds no {FILE_NAME}"
    raise RefusedArtefactError(source, why, CONVERT)


def _task(model: Any, artefact: Artefact) -> Task:
    if not hasattr(model, "predict"):
        why = f"it is a {type(model).__name__}, which predicts nothing"
        raise RefusedArtefactError(artefact.which, why, "Adopt a fitted scikit-learn model.")
    if getattr(model, "_estimator_type", None) == "regressor" or not hasattr(model, "classes_"):
        return "regression"
    if not hasattr(model, "predict_proba"):
        fix = "Wrap it in CalibratedClassifierCV, fit that, and adopt it."
        raise RefusedArtefactError(artefact.which, "it gives classes without probabilities", fix)
    if len(model.classes_) != BINARY:
        return "multiclass"
    if 1 not in list(model.classes_):
        why = f"its classes are {' and '.join(map(str, model.classes_))}, and nothing says which is the positive one"
        raise RefusedArtefactError(artefact.which, why, "Fit it on labels 0 and 1.")
    return "binary"


def _columns(model: Any, artefact: Artefact) -> tuple[str, ...]:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        why = "it was not fitted on named columns, so nobody knows which is which"
        raise RefusedArtefactError(artefact.which, why, "Fit it on a data frame.")
    return tuple(str(name) for name in names)
