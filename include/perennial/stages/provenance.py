"""Code, libraries, machine, settings and data that made a version: recorded beside its bytes, compared later.

Written by the last step of a training into the line that vouches for the bytes; ``reproduce`` reads it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from perennial.facts.evidence import Json, fingerprint
from perennial.registry.training import NEEDED
from perennial.stages import datasets
from perennial.workspace import Workspace

COMMIT = "PERENNIAL_COMMIT"
"""Environment variable that names the commit where there is no Git: in an image."""
MADE_WITH = "made_with"
FITTING = ("engine", "estimators")
"""Parts of the package whose code decides what is fitted."""
GIT_SECONDS = 10
LEFT_OUT = {"leaks", "max_minutes", "search"}
"""Settings of a training that do not change what is fitted once its parameters are chosen."""


def made_with(workspace: Workspace, model: str, run: str) -> dict[str, Json]:
    """Tell what a run of training is made with, here and now."""
    training = workspace.spec(model).training
    return {
        **here(workspace),
        "data": data_of(workspace, model, run),
        "estimator": estimator_code(workspace, model),
        "training": training.model_dump(mode="json", exclude=LEFT_OUT),
    }


def recorded_with(workspace: Workspace, model: str, version: str) -> dict[str, Any]:
    """Read what a version was made with; nothing where that was not recorded."""
    for entry in workspace.ledger.entries(model, kinds={"registered"}):
        if entry.evidence["version"] == version:
            found: Any = entry.evidence.get(MADE_WITH)
            return dict(found or {})
    return {}


def here(workspace: Workspace) -> dict[str, Json]:
    """Tell the code, the libraries and the machine of this process."""
    commit, changed = _commit(workspace.project)
    return {**surroundings(), "lock": _lock(workspace.project), "commit": commit, "uncommitted": changed}


def surroundings() -> dict[str, Json]:
    """Tell what can change a fit of the same rows: the interpreter, the machine, libraries, our own code."""
    packages: dict[str, Json] = {name: installed(name) for name in NEEDED}
    machine = f"{platform.system()} {platform.machine()}"
    return {"python": platform.python_version(), "machine": machine, **packages, "code": _code()}


def data_of(workspace: Workspace, model: str, run: str) -> str | None:
    """Identify the kept training set of a run; none where it is gone."""
    manifest = workspace.store.manifest(datasets.training(model), run)
    return manifest.content if manifest else None


def estimator_code(workspace: Workspace, model: str) -> str | None:
    """Identify the folder's own estimator; none where it has none."""
    file = workspace.folder(model) / "estimator.py"
    return _sha256(file.read_bytes()) if file.is_file() else None


def _code() -> str:
    package = Path(__file__).parents[1]
    files = sorted(file for part in FITTING for file in (package / part).glob("*.py"))
    return fingerprint({str(file.relative_to(package)): _sha256(file.read_bytes()) for file in files})


def _lock(project: Path) -> str | None:
    file = project / "requirements.txt"
    return _sha256(file.read_bytes()) if file.is_file() else None


def _commit(project: Path) -> tuple[str | None, bool | None]:
    """Name the commit of the project's files, and whether they differ from it; nothing where there is no Git."""
    told = os.environ.get(COMMIT)
    if told:
        return told, None
    head = _git(project, "rev-parse", "HEAD")
    if not head:
        return None, None
    changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    return head, None if changed is None else bool(changed)


def _git(project: Path, *words: str) -> str | None:
    # Without optional locks: a look must not stand in the way of whoever commits.
    command = ["git", "--no-optional-locks", "-C", str(project), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=True)  # noqa: S603  our own words
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
