"""A model's folder to a ``ModelSpec``, or to every problem in it at once: the door all stages come through.

A broken folder harms nobody else: `load_all` keeps healthy and broken models apart.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perennial.errors import BrokenModelError, Problem, UnreadableYamlError
from perennial.spec.columns import column_problems
from perennial.spec.draft import Draft
from perennial.spec.explaining import explained
from perennial.spec.folder import folder_problems, good_name
from perennial.spec.model import ModelSpec
from perennial.spec.places import place_problems, project_of
from perennial.spec.reading_yaml import read_yaml
from perennial.spec.taken import taken_problems
from perennial.spec.timing import timing_problems

CHECKS: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    folder_problems,
    column_problems,
    taken_problems,
    timing_problems,
    place_problems,
)
"""What a file must meet beyond the types of its values; each reads a draft and answers with problems."""


@dataclass(frozen=True)
class Models:
    """Every folder of a project, healthy and broken apart."""

    healthy: dict[str, ModelSpec]
    broken: dict[str, BrokenModelError]


def load(folder: Path) -> ModelSpec:
    """Read a model's folder.

    Raises:
        BrokenModelError: with every problem of the folder, each with file, line, value and fix.
    """
    draft = draft_of(folder)
    spec, problems = _typed(draft)
    found = [problem for check in CHECKS for problem in check(draft)]
    special = [each for each in found if not _misspelt(each, problems)]
    kept = [*special, *(each for each in problems if not _told_better(each, special))]
    if kept or spec is None:
        raise BrokenModelError(
            folder.name, sorted(kept, key=lambda each: (each.file, each.line, each.column))
        )
    return spec


def load_all(models_root: Path) -> Models:
    """Read every model's folder below ``models_root``."""
    models = Models({}, {})
    for folder in model_folders(models_root):
        try:
            models.healthy[folder.name] = load(folder)
        except BrokenModelError as error:
            models.broken[folder.name] = error
        except Exception as error:  # noqa: BLE001 - one folder must never harm another
            models.broken[folder.name] = unforeseen(folder, error)
    return models


def model_folders(models_root: Path) -> list[Path]:
    """List the folders that are meant as models, by name; hidden ones and caches are not."""
    if not models_root.is_dir():
        return []
    return sorted(
        each for each in models_root.iterdir() if each.is_dir() and not each.name.startswith((".", "__"))
    )


def unforeseen(folder: Path, error: Exception) -> BrokenModelError:
    """Tell of a folder whose reading failed in a way nobody thought of."""
    message = f"could not be read: {type(error).__name__}: {error}."
    return BrokenModelError(
        folder.name, [Problem(_name_of(folder), 1, 1, "", "", message, "Please report this.")]
    )


def draft_of(folder: Path) -> Draft:
    """Read the folder's file into a draft, or raise `BrokenModelError` when it is not readable YAML."""
    file = _name_of(folder)
    try:
        return Draft(folder, file, read_yaml(folder / "model.yaml"))
    except UnreadableYamlError as error:
        problem = Problem(file, error.line, error.column, "", "", error.found, error.fix, error.code)
        raise BrokenModelError(folder.name, [problem]) from error
    except OSError as error:
        problem = Problem(
            file, 1, 1, "", "", f"cannot be opened: {error.strerror}.", "Check its permissions."
        )
        raise BrokenModelError(folder.name, [problem]) from error


def _name_of(folder: Path) -> str:
    """Name the file as a person in the project's folder would."""
    file = folder.absolute() / "model.yaml"
    project = project_of(folder.parent)
    return str(file.relative_to(project)) if file.is_relative_to(project) else str(file)


def _typed(draft: Draft) -> tuple[ModelSpec | None, list[Problem]]:
    """Validate types and ranges; JSON, because strictness there still takes a list for a tuple."""
    values = {key: value for key, value in draft.document.values.items() if key != "name"}
    name = draft.folder.name if good_name(draft.folder.name) else "unnamed"
    problems = []
    if "name" in draft.document.values:
        fix = "Take this line out: a model is named by its folder."
        problems.append(draft.problem(("name",), "is not written in the file.", fix, code="PER-1041"))
    try:
        return ModelSpec.model_validate_json(json.dumps({**values, "name": name}), strict=True), problems
    except ValidationError as error:
        return None, [*problems, *explained(error, draft)]


def _misspelt(missing: Problem, problems: list[Problem]) -> bool:
    """Whether something is missing only because its name is written wrongly beside it."""
    parent, _, name = missing.field.rpartition(".")
    unknown = [each.field.rpartition(".") for each in problems if each.code == "PER-1041"]
    siblings = [key for folder, _, key in unknown if folder == parent]
    return missing.code == "PER-1042" and bool(difflib.get_close_matches(name, siblings, n=1))


def _told_better(general: Problem, special: list[Problem]) -> bool:
    """Whether a check has said the same more exactly: at this field, or inside it."""
    inside = (f"{general.field}.", f"{general.field}[")
    if general.code == "PER-1043" and any(
        not general.field or each.field == general.field or each.field.startswith(inside) for each in special
    ):
        return True
    return general.code == "PER-1042" and any(each.field == general.field for each in special)
