"""A second copy of what has served, and the search for bytes that the registry has lost.

MLflow holds the artefacts; a person can delete or change them there. The reconciler keeps one verified copy of each
version that serves beside the ledger, and brings a version back from it, or from whatever file still has its hash.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from perennial.errors import PerennialError
from perennial.registry.artefacts import FILE_NAME, Artefact, read
from perennial.registry.mirror import Content, Mirror
from perennial.registry.trusted_types import trusted_for
from perennial.stages.candidates import Candidate
from perennial.store.durable import create_once
from perennial.workspace import Workspace

ROWS = "rows.json"


def keep(workspace: Workspace, mirror: Mirror, version: Candidate, verified: bytes) -> None:
    """Copy a version's verified bytes and fixed rows beside the ledger, unless a copy is there already."""
    folder = _folder(workspace, version)
    if (folder / FILE_NAME).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(PerennialError):  # the bytes are worth keeping without the rows
        create_once(folder / ROWS, mirror.rows_text(version.model, version.version).encode())
    create_once(folder / FILE_NAME, verified)


def content(workspace: Workspace, mirror: Mirror, version: Candidate) -> Content | None:
    """Find the bytes that the ledger names: in the copy, on this machine, or where a server keeps them; else none."""
    own = _folder(workspace, version)
    for file in (own / FILE_NAME, *mirror.lying(version.model)):
        found = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
        if hashlib.sha256(found).hexdigest() == version.sha256:
            rows = [file for file in (own / ROWS, *mirror.lying_rows(version.model)) if file.is_file()]
            return Content(found, _its_rows(version, found, [file.read_text() for file in rows]))
    if mirror.is_local:
        return None
    for logged in mirror.logged(version.model):
        if hashlib.sha256(logged.artefact).hexdigest() == version.sha256:
            rows_there = [logged.fixed_rows] if logged.fixed_rows else []
            return Content(logged.artefact, _its_rows(version, logged.artefact, rows_there))
    return None


def _its_rows(version: Candidate, artefact: bytes, texts: list[str]) -> str | None:
    """Return the rows for which the model predicts what the ledger says of its behaviour."""
    from perennial.engine.behaviour import behaviour, rows_from_text
    from perennial.estimators.base import ColumnKinds

    which = f"version {version.version} of {version.model}"
    pipeline = read(Artefact(artefact, which), trusted_for(version.estimator), expected_sha256=version.sha256)
    columns = ColumnKinds(version.numeric, version.categorical)
    for text in texts:
        try:
            rows = rows_from_text(text)
            if behaviour(pipeline, rows, task=version.task, columns=columns) == version.behaviour:  # type: ignore[arg-type]
                return text
        except (ValueError, KeyError, TypeError):
            continue  # rows of a model with other columns
    return None


def _folder(workspace: Workspace, version: Candidate) -> Path:
    return workspace.home / "kept" / version.model / version.version
