"""Do the names of columns in ``model.yaml`` mean columns that exist, and is none of them the answer?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import ValidationError

from perennial.checks import checks
from perennial.checks.base import ANY_TYPE
from perennial.errors import PerennialError, Problem
from perennial.spec.draft import Draft, meant, shown
from perennial.spec.expression import parse
from perennial.spec.reading_yaml import KeyPath, Plain
from perennial.spec.source import TIMES

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_WORDS = re.compile(r"'(?:[^']|'')*'|\"((?:[^\"]|\"\")+)\"|([^\W\d]\w*)")
_NUMERIC = {"integer", "number"}


def column_problems(draft: Draft) -> Iterator[Problem]:
    """Find the names that no source lists, and columns that give the label away."""
    for source in draft.mapping("sources"):
        yield from _names(draft, source)
        yield from _of_source(draft, source)
        yield from _of_checks(draft, source)
        yield from _of_cleaning(draft, source)
    yield from _of_model(draft)
    yield from _of_label(draft)
    yield from _leaks(draft)
    yield from _slices(draft)


def can_name_column(name: str) -> bool:
    """Tell whether a text can name a column: not empty, no line breaks, no control characters.

    >>> can_name_column("Größe in m"), can_name_column("a" + chr(10)), can_name_column(" ")
    (True, False, False)
    """
    return bool(name.strip()) and not _CONTROL.search(name)


def _slices(draft: Draft) -> Iterator[Problem]:
    slices = draft.mapping("slices")
    for name in slices:
        yield from _expression(draft, ("slices", name), draft.rows)
    for path, gate in draft.items("gates"):
        if isinstance(gate, dict) and "slices" in gate:
            for place, name in draft.texts(*path, "slices", "critical"):
                if name not in slices:
                    message = f"there is no slice {shown(name)}."
                    yield draft.problem(place, message, meant(name, slices), code="PER-1050")


def _names(draft: Draft, source: str) -> Iterator[Problem]:
    for name in draft.columns(source):
        if not can_name_column(name):
            message = "a column's name must not be empty or hold line breaks and control characters."
            yield draft.problem(("sources", source, "columns", name), message, code="PER-1045")


def _of_source(draft: Draft, source: str) -> Iterator[Problem]:
    base: KeyPath = ("sources", source)
    columns = draft.columns(source)
    if not columns:
        return
    for field in ("key", "optional", "event_time", "known_at"):
        yield from _unlisted(draft, (*base, field), columns, source)
    for time in ("event_time", "known_at"):
        name = draft.text(*base, time)
        kind = draft.mapping(*base, "columns").get(name) if name else None
        if kind is not None and kind not in TIMES:
            message = f"a column of type {kind} is not a time."
            fix = (
                "Give it the type timestamp or date; text is read as one, by `event_time_format` if need be."
            )
            yield draft.problem((*base, time), message, fix, code="PER-1045")
    key = [column for _, column in draft.texts(*base, "key")]
    for path, name in draft.texts(*base, "optional"):
        if name in key:
            yield draft.problem(path, "a column of the key cannot be optional.", code="PER-1053")


def _of_checks(draft: Draft, source: str) -> Iterator[Problem]:
    columns = draft.columns(source)
    for path, check in draft.items("sources", source, "checks"):
        if not isinstance(check, dict) or not columns:
            continue
        for name, parameters in check.items():
            unlisted = [
                problem
                for field in (parameters if isinstance(parameters, dict) else ())
                if field in {"column", "columns", "other"}
                for problem in _unlisted(draft, (*path, name, field), columns, source)
            ]
            yield from unlisted or _misfits(draft, (*path, name), parameters, source)


def _misfits(draft: Draft, path: KeyPath, parameters: Plain, source: str) -> Iterator[Problem]:
    """Ask the check itself whether it can be asked of columns of these types."""
    entry = checks().get(str(path[-1]))
    types = draft.mapping("sources", source, "columns")
    try:
        check = entry.model_validate_json(json.dumps(parameters or {}), strict=True) if entry else None
    except ValidationError:
        return  # said by the spec
    if check is None or any(types.get(name) not in ANY_TYPE for name in check.needs()):
        return  # also said by the spec
    misfit = check.misfit({name: str(kind) for name, kind in types.items()})
    if misfit:
        yield draft.problem(path, f"{misfit}.", code="PER-1053")


def _of_cleaning(draft: Draft, source: str) -> Iterator[Problem]:
    columns = draft.mapping("sources", source, "columns")
    for path, step in draft.items("sources", source, "clean"):
        name = next(iter(step), "") if isinstance(step, dict) else ""
        if name not in {"trim", "null_tokens", "unit", "map", "fill"} or not columns:
            continue
        yield from _unlisted(draft, (*path, name), list(columns), source)
        for place, column in draft.texts(*path, name):
            kind = columns.get(column)
            if name == "unit" and kind is not None and kind not in _NUMERIC:
                message = f"{column} is {kind}; only numbers have a unit."
                yield draft.problem(place, message, code="PER-1053")


def _of_model(draft: Draft) -> Iterator[Problem]:
    source = draft.rows
    columns = draft.columns(source)
    if source is None or not columns:
        return
    for path in (("entity",), ("features", "columns"), ("monitoring", "columns"), ("monitoring", "features")):
        yield from _unlisted(draft, path, columns, source)
    if not draft.document.at(("sources", source, "key")):
        place: KeyPath = (
            ("sources", source, "key") if draft.mapping("sources", source) else ("sources", source)
        )
        message = "the scored rows need a key: columns that together name a row."
        yield draft.problem(place, message, "Add `key: [column]`.", code="PER-1042")
    everywhere = dict.fromkeys(name for each in draft.mapping("sources") for name in draft.columns(each))
    yield from _unlisted(draft, ("privacy", "pii"), list(everywhere), "any source")


def _unlisted(draft: Draft, path: KeyPath, columns: list[str], source: str) -> Iterator[Problem]:
    if path[-1] == "columns" and path[0] == "monitoring" and draft.text(*path):
        return
    for place, name in draft.texts(*path):
        if name not in columns:
            message = f"there is no column {shown(name)} in {source}."
            yield draft.problem(place, message, meant(name, columns), code="PER-1045")


def _of_label(draft: Draft) -> Iterator[Problem]:
    sources = draft.mapping("sources")
    for path in (("label", "source"), ("rows",)):
        name = draft.text(*path)
        if name and sources and name not in sources:
            message = f"there is no source {shown(name)}."
            yield draft.problem(path, message, meant(name, sources), code="PER-1050")
    source = draft.text("label", "source")
    if source not in sources:
        return
    yield from _expression(draft, ("label", "expression"), source)
    missing = [
        name
        for _, name in draft.texts("sources", draft.rows or "", "key")
        if name not in draft.columns(source) and name in draft.columns(draft.rows)
    ]
    if missing and source != draft.rows and draft.columns(source):
        message = (
            f"labels find their rows by the key of {draft.rows}, but {source} lacks {', '.join(missing)}."
        )
        fix = f"Add {', '.join(missing)} to the columns of {source}."
        yield draft.problem(("label", "source"), message, fix, code="PER-1045")


def _leaks(draft: Draft) -> Iterator[Problem]:
    used = words_of(draft.text("label", "expression") or "")
    known = set(draft.columns(draft.text("label", "source")))
    answers = (used & known) | ({draft.text("label", "expression") or ""} & known)
    answers -= {name for _, name in draft.texts("sources", draft.rows or "", "key")}
    for path, name in draft.texts("features", "columns"):
        if name in answers:
            message = (
                f"label leak: the label is computed from {shown(name)}, which is not known at prediction."
            )
            yield draft.problem(path, message, "Take it out of the features.", code="PER-1046")


def words_of(expression: str) -> set[str]:
    """List the names in an expression; texts in single quotes are not names.

    >>> sorted(words_of('arr_delay > 15 and "tail num" > 3'))
    ['and', 'arr_delay', 'tail num']
    """
    return {quoted or bare for quoted, bare in _WORDS.findall(expression) if quoted or bare}


def _expression(draft: Draft, path: KeyPath, source: str | None) -> Iterator[Problem]:
    text, columns = draft.text(*path), draft.columns(source)
    if not text or not columns or text in columns:
        return
    try:
        parse(text, columns)
    except PerennialError as error:
        yield draft.problem(path, str(error), code="PER-1051")
