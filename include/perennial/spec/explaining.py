"""What pydantic found, in words for the person who wrote the file: one problem for each mistake.

Pydantic reports each alternative of a union and both ends of a misspelt name; here they become one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from perennial.errors import Problem
from perennial.spec.draft import Draft, meant, shown
from perennial.spec.reading_yaml import Document, KeyPath, Plain
from perennial.spec.schema import names_at

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "`name: value` lines",
    "model_type": "`name: value` lines",
    "model_attributes_type": "`name: value` lines",
    "dataclass_type": "`name: value` lines",
    "none_required": "nothing",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}
_OTHER_WORDS = {
    **dict.fromkeys(("float", "double", "decimal", "real", "numeric"), "number"),
    **dict.fromkeys(("int", "bigint", "int64"), "integer"),
    **dict.fromkeys(("str", "string", "varchar", "category", "object"), "text"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("datetime", "datetime64", "time"), "timestamp"),
    **dict.fromkeys(("classification",), "binary"),
}
"""What other tools call our kinds."""
_TEXT_MARKS = re.compile(r"'([^']*)'")


@dataclass(frozen=True)
class _Found:
    """One error of pydantic, brought to its place in the file."""

    path: KeyPath
    kind: str
    message: str
    context: Mapping[str, Any]
    choice: tuple[KeyPath, str] | None = None
    """The union it stands in, and the alternative that was tried."""


def explained(
    error: ValidationError, draft: Draft, prefix: KeyPath = (), *, known: list[str] | None = None
) -> list[Problem]:
    """Return the problems behind a validation error, in the file's order.

    ``known`` are the names that may stand at ``prefix``, for what the schema leaves open.
    """
    found = _without_echoes(_chosen(list(_flat(error, draft.document, prefix))), draft.document)
    return [_problem(each, draft, known) for each in found]


def _flat(error: ValidationError, document: Document, prefix: KeyPath) -> Iterator[_Found]:
    for each in error.errors(include_url=False, include_input=False):
        context = each.get("ctx", {})
        path, choice = _grounded((*prefix, *each["loc"]), each["type"], document)
        yield _Found(path, each["type"], each["msg"].removeprefix("Value error, "), context, choice)


def _grounded(loc: KeyPath, kind: str, document: Document) -> tuple[KeyPath, tuple[KeyPath, str] | None]:
    """Keep the steps that exist in the file; what pydantic adds names the alternative of a union.

    A gate or check is validated by its own class, so the path lacks the entry's name: it is put back.
    """
    path: KeyPath = ()
    choice = None
    for i, step in enumerate(loc):
        absent = kind == "missing" and i == len(loc) - 1
        if absent or (*path, step) in document.places:
            path = _entered((*path, step), document)
        elif step != "[key]" and choice is None:
            choice = (path, str(step))
    return path, choice


def _entered(path: KeyPath, document: Document) -> KeyPath:
    """Step from an item of a list of gates or checks to the entry's name."""
    value = document.at(path)
    if len(path) > 1 and path[-2] in {"gates", "checks"} and isinstance(value, dict) and len(value) == 1:
        return (*path, next(iter(value)))
    return path


def _chosen(found: list[_Found]) -> list[_Found]:
    """Of a union's alternatives keep the one whose shape was meant; if none was, say all of them at once."""
    kept: list[_Found] = []
    unions: dict[KeyPath, dict[str, list[_Found]]] = {}
    for each in found:
        if each.choice is None:
            kept.append(each)
        else:
            unions.setdefault(each.choice[0], {}).setdefault(each.choice[1], []).append(each)
    for path, alternatives in unions.items():
        fitting = [errors for errors in alternatives.values() if any(_fits(each, path) for each in errors)]
        fitting.sort(key=len)
        kept.extend(fitting[0] if fitting else [_merged(path, alternatives)])
    return kept


def _fits(found: _Found, union: KeyPath) -> bool:
    """Whether the value had this alternative's shape, so that its error is about the content."""
    return len(found.path) > len(union) or found.kind not in {*_EXPECTED, "literal_error"}


def _merged(path: KeyPath, alternatives: Mapping[str, list[_Found]]) -> _Found:
    errors = [error for group in alternatives.values() for error in group]
    if len(errors) == 1:
        return errors[0]
    expected = dict.fromkeys(_expected(error) for error in errors)
    if "a number" in expected:
        expected.pop("a whole number", None)
    return _Found(path, "union", "", {"expected_words": " or ".join(filter(None, expected))})


def _expected(found: _Found) -> str:
    if found.kind == "literal_error":
        return ", ".join(_allowed(found))
    return _EXPECTED.get(found.kind, found.message)


def _without_echoes(found: list[_Found], document: Document) -> list[_Found]:
    """Drop the missing name that a misspelt one stands for, and repeated errors of one place."""
    unknown = [each.path for each in found if each.kind == "extra_forbidden"]
    echoes = set()
    for each in found:
        if each.kind == "missing":
            siblings = [str(path[-1]) for path in unknown if path[:-1] == each.path[:-1]]
            if difflib.get_close_matches(str(each.path[-1]), siblings, n=1):
                echoes.add(each.path)
    once = {(each.path, each.kind): each for each in reversed(found) if each.path not in echoes}
    return sorted(once.values(), key=lambda each: _order(each.path, document))


def _order(path: KeyPath, document: Document) -> tuple[int, int]:
    place = document.place(path)
    return place.line, place.column


def _problem(found: _Found, draft: Draft, known: list[str] | None) -> Problem:
    value = draft.document.at(found.path)
    if found.kind == "missing":
        return draft.problem(found.path, "is missing.", f"Add `{found.path[-1]}: …`.", code="PER-1042")
    if found.kind == "extra_forbidden":
        return _unknown_key(found, draft, known)
    if found.kind in {"literal_error", "enum"}:
        return _not_allowed(found, value, draft)
    if found.kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_step(found, value, draft)
    if found.kind == "unknown_entry":
        return draft.problem(found.path, found.message, code="PER-1050")
    message, fix = _said(found, value, draft)
    return draft.problem(found.path, message, fix, code="PER-1043")


def _unknown_key(found: _Found, draft: Draft, known: list[str] | None) -> Problem:
    name = str(found.path[-1])
    there = draft.mapping(*found.path[:-1])
    free = [each for each in known or names_at(found.path[:-1]) if each not in there]
    return draft.problem(found.path, f'"{name}" is not known here.', meant(name, free), code="PER-1041")


def _not_allowed(found: _Found, value: Plain, draft: Draft) -> Problem:
    allowed = _allowed(found)
    if found.path == ("perennial",):
        message = f"format {shown(value)} is not known to this version, which reads format {allowed[0]}."
        fix = f"Write `perennial: {allowed[0]}`, or upgrade Perennial."
        return draft.problem(found.path, message, fix, code="PER-1043")
    other = difflib.get_close_matches(str(value).lower(), _OTHER_WORDS, n=1, cutoff=0.75)
    word = _OTHER_WORDS[other[0]] if other and _OTHER_WORDS[other[0]] in allowed else str(value)
    fix = meant(word, allowed).replace("Known:", "Allowed:")
    return draft.problem(found.path, f"{shown(value)} is not allowed.", fix, code="PER-1043")


def _allowed(found: _Found) -> list[str]:
    words = str(found.context.get("expected", ""))
    return _TEXT_MARKS.findall(words) or words.replace(" or ", ", ").split(", ")


def _unknown_step(found: _Found, value: Plain, draft: Draft) -> Problem:
    steps = _TEXT_MARKS.findall(str(found.context.get("expected_tags", ""))) or names_at(found.path)
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        message = f'"{name}" is not a cleaning step.'
        return draft.problem((*found.path, name), message, meant(name, steps), code="PER-1041")
    fix = f"Write one `step: …`. Known: {', '.join(steps)}."
    return draft.problem(
        found.path, f"expected one cleaning step, found {_named(value)}.", fix, code="PER-1043"
    )


def _said(found: _Found, value: Plain, draft: Draft) -> tuple[str, str]:
    """Return what is wrong with a value, and what to write instead."""
    if found.kind in _BOUNDS:
        key, words = _BOUNDS[found.kind]
        return f"{shown(value)} is out of range: it must be {words} {found.context[key]}.", ""
    if found.kind in {"string_too_short", "too_short"}:
        return "must not be empty.", "Write at least one."
    expected = _EXPECTED.get(found.kind) or str(found.context.get("expected_words", ""))
    if expected:
        return f"expected {expected}, found {_named(value)}.", _requoted(found, value, draft)
    return (found.message if found.message.endswith((".", "?")) else f"{found.message}."), ""


def _named(value: Plain) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {shown(value)}"
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return "a list" if isinstance(value, list) else "`name: value` lines"


def _requoted(found: _Found, value: Plain, draft: Draft) -> str:
    written = draft.document.place(found.path).written
    if found.kind == "string_type" and written and isinstance(value, bool | int | float):
        return f'Write it in quotes: "{written}".'
    if found.kind in {"int_type", "float_type", "bool_type"} and isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return ""
        return f"Take the quotes off: {value}."
    return ""
