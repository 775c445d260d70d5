"""A model's bytes, from a hash that someone vouched for to a pipeline that predicts.

The very bytes that were hashed are the bytes that are read: nothing is opened twice. Nothing is ever
unpickled, and what an artefact says about itself is not believed.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perennial.errors import RefusedArtefactError, UnsavableModelError

FILE_NAME = "model.skops"
MOST_BYTES = 2 * 2**30
"""Largest unpacked artefact that is opened: more is a mistake, or meant to exhaust the memory."""
MOST_MEMBERS = 200_000


@dataclass(frozen=True)
class Artefact:
    """A model's bytes, and where they came from (for sentences)."""

    data: bytes
    """The whole file."""
    which: str
    """What the artefact is called in an error."""

    @property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def write(pipeline: Any, trusted: Sequence[str]) -> bytes:
    """Write a fitted pipeline as skops.

    Raises:
        UnsavableModelError: it holds a type that is not in ``trusted``, or that cannot be written at all.
    """
    import skops.io

    try:
        data: bytes = skops.io.dumps(pipeline)
        unknown = set(skops.io.get_untrusted_types(data=data)) - set(trusted)
    except Exception as mistake:
        raise UnsavableModelError([f"something that skops cannot write ({mistake})"]) from mistake
    if unknown:
        raise UnsavableModelError(sorted(unknown))
    return data


def read(artefact: Artefact, trusted: Sequence[str], *, expected_sha256: str | None = None) -> Any:
    """Verify the bytes, then rebuild the pipeline from reviewed types only.

    Raises:
        RefusedArtefactError: other bytes than expected, not skops, unreviewed types, damaged trees, or
            another version of scikit-learn.
    """
    if expected_sha256 is not None and artefact.sha256 != expected_sha256:
        found = artefact.sha256
        raise RefusedArtefactError(
            artefact.which, f"its SHA-256 is {found}, the ledger says {expected_sha256}"
        )
    _check_archive(artefact)
    pipeline = _rebuild(artefact, trusted)
    _check_trees(artefact, pipeline)
    return pipeline


def _check_archive(artefact: Artefact) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(artefact.data)) as archive:
            members = archive.infolist()
            damaged = None if _too_large(members) else archive.testzip()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError) as mistake:
        fix = "A pickle is code: write the model with skops.io.dump(model, 'model.skops') instead."
        raise RefusedArtefactError(artefact.which, f"it is not a skops file ({mistake})", fix) from mistake
    if damaged or _too_large(members):
        why = f"its part {damaged} is damaged" if damaged else "it unpacks to more than a model needs"
        raise RefusedArtefactError(artefact.which, why)
    if any(member.filename.startswith("/") or ".." in member.filename for member in members):
        raise RefusedArtefactError(artefact.which, "a part of it names a path outside of it")


def _too_large(members: list[zipfile.ZipInfo]) -> bool:
    return len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES


def _rebuild(artefact: Artefact, trusted: Sequence[str]) -> Any:
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            return skops.io.loads(artefact.data, trusted=list(trusted))
    except UntrustedTypesFoundException as mistake:
        fix = "Load it where it was made and keep only scikit-learn's own steps."
        raise RefusedArtefactError(
            artefact.which, f"it holds types nobody reviewed ({mistake})", fix
        ) from mistake
    except InconsistentVersionWarning as mistake:
        why = f"it was made by scikit-learn {mistake.original_sklearn_version}, not {mistake.current_sklearn_version}"
        raise RefusedArtefactError(
            artefact.which, why, "Train it again with the version installed here."
        ) from mistake
    except Exception as mistake:
        raise RefusedArtefactError(artefact.which, f"it cannot be rebuilt ({mistake!r})") from mistake


def _check_trees(artefact: Artefact, pipeline: Any) -> None:
    """Refuse trees whose children lie outside them: scikit-learn follows such a number into any memory."""
    for nodes in _nodes(pipeline, set()):
        for side in ("left", "right", "left_child", "right_child"):
            if side in nodes.dtype.names and not _within(nodes, side):
                raise RefusedArtefactError(artefact.which, "a tree in it points outside of itself")


def _within(nodes: Any, side: str) -> bool:
    children = nodes[side].astype("int64")
    # A leaf of `Tree` has the child -1; TreePredictor marks its leaves apart and leaves 0.
    inside = ((children >= 0) & (children < len(nodes))) | (children == -1)
    return bool(inside.all())


def _nodes(part: Any, seen: set[int]) -> list[Any]:
    """Collect the node arrays of every tree that a model holds, wherever it holds it."""
    if id(part) in seen or isinstance(part, str | bytes | int | float | type(None)):
        return []
    seen.add(id(part))
    if type(part).__name__ == "Tree":
        return [part.__getstate__()["nodes"]]
    if type(part).__name__ == "TreePredictor":
        return [part.nodes]
    return [nodes for inner in _inside(part) for nodes in _nodes(inner, seen)]


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set):
        return list(part)
    if type(part).__module__ == "numpy":
        # Only an array of objects (the trees of each iteration) can hold a tree.
        return list(part.ravel()) if str(getattr(part, "dtype", "")) == "object" else []
    return list(vars(part).values()) if hasattr(part, "__dict__") else []
