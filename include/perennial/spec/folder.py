"""Does the folder hold what its ``model.yaml`` speaks of: a good name, views, an estimator, a metric that fits?

Code in the folder is looked at as text, never imported: the scheduler comes by here.
"""

from __future__ import annotations

import ast
import json
import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path

from pydantic import ValidationError

from perennial.errors import Problem
from perennial.estimators import estimators
from perennial.estimators.base import Estimator
from perennial.spec.draft import Draft, meant, shown
from perennial.spec.explaining import explained

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONGEST_NAME = 63
_TAKEN = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


def good_name(name: str) -> bool:
    """Tell whether a folder's name can name a model: in DAG ids, tables, files and Python.

    >>> good_name("flight_delay"), good_name("Flights"), good_name("con"), good_name("../x")
    (True, False, False, False)
    """
    return bool(_NAME.fullmatch(name)) and not keyword.iskeyword(name) and name not in _TAKEN


def slug(name: str) -> str:
    """Return the nearest good name.

    >>> slug("Flight Delay (2013)"), slug("-rf"), slug("Größe"), slug("con")
    ('flight_delay_2013', 'rf', 'grosse', 'con_model')
    """
    spelled = name.replace("ß", "ss").replace("ø", "o")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    words = words if words[:1].isalpha() else f"model_{words}".rstrip("_")
    words = words[:_LONGEST_NAME].rstrip("_")
    return words if good_name(words) else f"{words}_model"


def folder_problems(draft: Draft) -> Iterator[Problem]:
    """Find a bad name, code that cannot be read, and estimators or metrics that do not fit."""
    yield from _name(draft)
    yield from _views(draft)
    yield from _estimator(draft)
    yield from _metric(draft)


def _name(draft: Draft) -> Iterator[Problem]:
    name = draft.folder.name
    if not good_name(name):
        message = f"the folder's name {shown(name)} cannot name a model: it must match [a-z][a-z0-9_]{{0,62}}"
        message += " and be no reserved word."
        fix = f'Rename the folder, for example to "{slug(name)}".'
        yield Problem(draft.file, 1, 1, "", shown(name), message, fix, "PER-1044")


def _views(draft: Draft) -> Iterator[Problem]:
    file = draft.folder / "features.py"
    functions, broken = _functions(file)
    if broken:
        line, column, said = broken
        where = str(Path(draft.file).with_name("features.py"))
        yield Problem(where, line, column, "", "", f"is not Python: {said}.", "Correct it.", "PER-1052")
        return
    for path, name in draft.texts("features", "views"):
        if path[-1] == "views":
            continue  # the word `all`
        if not file.is_file():
            message = f"names the view {shown(name)}, but the folder has no features.py."
            yield draft.problem(path, message, "Write it, or take the view out.", code="PER-1052")
        elif name not in functions:
            message = f"there is no view {shown(name)} in features.py."
            yield draft.problem(path, message, meant(name, functions), code="PER-1052")


def _functions(file: Path) -> tuple[list[str], tuple[int, int, str] | None]:
    """List a file's functions, or say where it is not Python."""
    if not file.is_file():
        return [], None
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        return [], (error.lineno or 1, error.offset or 1, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return [], (1, 1, str(error))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], None


def _estimator(draft: Draft) -> Iterator[Problem]:
    name = draft.text("training", "estimator") or "gradient_boosting"
    entry = estimators().get(name)
    path = ("training", "estimator")
    if entry is None:
        message = f"there is no estimator {shown(name)}."
        yield draft.problem(path, message, meant(name, estimators()), code="PER-1050")
        return
    task = draft.text("task")
    if task and task not in entry.tasks and task in {"binary", "multiclass", "regression"}:
        fit = [other for other, each in estimators().items() if task in each.tasks]
        message = f"{name} cannot do {task}."
        yield draft.problem(path, message, f"For {task}: {', '.join(fit)}.", code="PER-1053")
    if name == "custom":
        if not (draft.folder / "estimator.py").is_file():
            message = "custom reads the folder's estimator.py, which does not exist."
            yield draft.problem(path, message, "Write it, or name an estimator.", code="PER-1052")
        return
    yield from _parameters(draft, entry)


def _parameters(draft: Draft, entry: type[Estimator]) -> Iterator[Problem]:
    given = draft.mapping("training", "parameters")
    known = list(entry.model_fields)
    if not any(isinstance(value, list | dict) for value in given.values()):  # else the spec says it
        yield from _refused(draft, entry, given, known)
    anything = entry.model_config.get("extra") == "allow"
    for name in draft.mapping("training", "search", "space"):
        if name not in known and not anything:
            message = f"the estimator has no parameter {shown(name)}."
            path = ("training", "search", "space", name)
            yield draft.problem(path, message, meant(name, known), code="PER-1041")


def _refused(
    draft: Draft, entry: type[Estimator], given: Mapping[str, object], known: list[str]
) -> list[Problem]:
    try:
        entry.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        return explained(error, draft, ("training", "parameters"), known=known)
    return []


def _metric(draft: Draft) -> Iterator[Problem]:
    name, task = draft.text("training", "metric"), draft.text("task")
    if name is None:
        yield from _worth(draft, "the default metric")
        return
    from perennial.metrics import metrics

    path = ("training", "metric")
    entry = metrics().get(name)
    fit = [other for other, each in metrics().items() if task in each.tasks]
    if entry is None:
        message = f"there is no metric {shown(name)}."
        yield draft.problem(path, message, meant(name, fit or metrics()), code="PER-1050")
    elif fit and task not in entry.tasks:
        message = f"{name} does not fit {task}."
        yield draft.problem(path, message, f"For {task}: {', '.join(fit)}.", code="PER-1053")
    else:
        yield from _worth(draft, name)


def _worth(draft: Draft, metric: str) -> Iterator[Problem]:
    """Ask what outcomes are worth where the metric needs it, and only there."""
    from perennial.metrics import OF_WORTH, judging, metrics

    given = draft.mapping("training", "value")
    path = ("training", "value")
    if metric not in OF_WORTH:
        if given:
            message = f"{metric} does not ask what outcomes are worth; {' and '.join(OF_WORTH)} do."
            yield draft.problem(path, message, "Leave it out, or name one of them.", code="PER-1053")
        return
    known = [name for name in signature(metrics()[metric].__init__).parameters if name != "self"]
    if not given:
        message = f"{metric} judges by what outcomes are worth, and nothing is declared."
        yield draft.problem(
            ("training", "metric"), message, f"Write value: {{{', '.join(known)}}}.", code="PER-1053"
        )
    unknown = [name for name in given if name not in known]
    for name in unknown:
        message = f"{metric} knows no {shown(name)}."
        yield draft.problem((*path, name), message, meant(name, known), code="PER-1041")
    if unknown or not all(isinstance(value, int | float) for value in given.values()):
        return  # what is no number the spec says
    try:
        judging(metric, {name: float(str(value)) for name, value in given.items()})
    except ValueError as error:
        yield draft.problem(path, f"{error}.", "Gains lie above zero, costs below.", code="PER-1053")
