"""The folder's text: ``model.yaml`` with a comment for each assumption, and a README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import ceil, floor, log10

from perennial.scaffold.inference import Column
from perennial.scaffold.judging import Judged
from perennial.scaffold.table import Place

MOST_RANGES = 8
"""Range checks written; the monitor watches every feature anyway."""
MOST_SETS = 4
MOST_CATEGORIES = 12
WIDTH = 108
HOLDOUT_NIGHTS = 14
"""Nights that are kept back by default."""
LONG_HISTORY = 140
"""With so many nights twice as many are kept back, so that one bad week decides less."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*[A-Za-z0-9_]|[A-Za-z_]")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def scalar(value: object) -> str:
    """Write a value so that YAML reads the same value back.

    >>> scalar("origin"), scalar("no"), scalar("007"), scalar("a: 5"), scalar(3.0)
    ('origin', '"no"', '"007"', '"a: 5"', '3.0')
    """
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def flow(values: Iterable[object], indent: int = 0, used: int = 20) -> str:
    """Write a list in brackets, broken into lines of readable length; ``used`` letters stand before it."""
    return _wrapped("[", [scalar(value) for value in values], ("]", indent, used))


def flow_map(values: Mapping[str, object], indent: int = 0) -> str:
    """Write a mapping in braces, broken into lines of readable length."""
    items = [f"{scalar(key)}: {scalar(value)}" for key, value in values.items()]
    return _wrapped("{", items, ("}", indent, 13))


def _wrapped(start: str, items: list[str], layout: tuple[str, int, int]) -> str:
    end, indent, used = layout
    lines: list[str] = []
    line = start
    for i, item in enumerate(items):
        piece = item + ("," if i < len(items) - 1 else end)
        if len(line) + len(piece) + (0 if lines else used) > WIDTH and line != start:
            lines.append(line)
            line = " " * indent + piece
        else:
            line += piece if line == start else f" {piece}"
    lines.append(line if items else start + end)
    return "\n".join(lines)


def model_yaml(name: str, place: Place, columns: Mapping[str, Column], judged: Judged) -> str:
    """Write the whole declaration."""
    apart = {judged.label.name, *judged.unnamed}
    rows = {column: each for column, each in columns.items() if column not in apart}
    kept = [*judged.key, *([judged.time.name] if judged.time and judged.time.name not in judged.key else [])]
    labels = {column: columns[column] for column in (*kept, judged.label.name)}
    lines = [
        "# yaml-language-server: $schema=../model.schema.json",
        "# Assumed by `perennial new` from the table; correct what is wrong:",
        *(f"# {line}" for note in judged.assumptions for line in _folded(note)),
        *_about(name, judged),
        "sources:",
        "  rows:",
        *_source(place, rows, judged),
        "    checks:",
        *_checks(rows, judged),
        "  labels:  # the same table: its label is known when its row is",
        *_source(place, labels, judged),
        *_purpose(judged),
    ]
    return "\n".join(lines) + "\n"


def _about(name: str, judged: Judged) -> list[str]:
    classes = f"one of {len(judged.classes)} classes"
    kind = {"binary": "yes or no", "multiclass": classes, "regression": "a number"}[judged.task]
    about = f"Predicts {judged.label.name} ({kind}) for each row of {name}."
    lines = ["perennial: 1", f"description: {scalar(about)}", f"task: {judged.task}"]
    return lines + ([f"entity: {scalar(judged.entity)}"] if judged.entity else [])


def _purpose(judged: Judged) -> list[str]:
    classes = f", classes: {flow(judged.classes, 2, used=70)}" if judged.classes else ""
    expression = scalar(judged.label.name)
    return [
        f"label: {{source: labels, expression: {expression}, delay_days: 0{classes}}}",
        f"features: {{columns: {flow(judged.features, 4)}}}",
        *_training(judged),
        *([f"privacy: {{pii: {flow(judged.pii, 4)}}}"] if judged.pii else []),
    ]


def _training(judged: Judged) -> list[str]:
    """Say what differs from the defaults: another estimator, and more nights for the gates of a long history."""
    said = [] if judged.estimator == "gradient_boosting" else [f"estimator: {judged.estimator}"]
    if judged.time and len(judged.time.days) >= LONG_HISTORY:
        said.append(f"holdout_nights: {2 * HOLDOUT_NIGHTS}")
    return [f"training: {{{', '.join(said)}}}"] if said else []


def _folded(note: str) -> list[str]:
    import textwrap

    return textwrap.wrap(note, WIDTH - 4, subsequent_indent="  ", max_lines=3, placeholder=" …")


def _source(place: Place, columns: Mapping[str, Column], judged: Judged) -> list[str]:
    lines = [f"    uri: {scalar(place.uri)}"]
    if place.format:
        lines.append(f"    format: {place.format}")
    if place.delimiter != ",":
        lines.append(f"    delimiter: {scalar(place.delimiter)}")
    if place.table:
        lines.append(f"    table: {scalar(place.table)}")
    lines.append(f"    key: {flow(judged.key, 6)}")
    if judged.time:
        lines.append(f"    event_time: {scalar(judged.time.name)}")
        if judged.time.time_format:
            lines.append(f"    event_time_format: {scalar(judged.time.time_format)}")
        lines.append(f"    available: {_available(judged.time)}  # take this out when new rows keep coming")
    kinds = {name: column.kind for name, column in columns.items()}
    lines.append(f"    columns: {flow_map(kinds, 6)}")
    words = {name: column.null_words for name, column in columns.items() if column.null_words}
    if words:
        listed = ", ".join(f"{scalar(name)}: {flow(values)}" for name, values in words.items())
        lines += ["    clean:", f"      - null_tokens: {{{listed}}}"]
    return lines


def _available(time: Column) -> str:
    return f"{min(time.days)}/{max(time.days) + timedelta(days=1)}"


def _checks(columns: Mapping[str, Column], judged: Judged) -> list[str]:
    whole = [name for name, column in columns.items() if not column.nulls]
    lines = [f"      - not_null: {{columns: {flow(whole, 10)}}}"] if whole else []
    features = [columns[name] for name in judged.features]
    sets = [each for each in features if each.kind == "text" and each.distinct <= MOST_CATEGORIES]
    for each in sets[:MOST_SETS]:
        values = flow(sorted(each.values), 10, used=len(each.name) + 34)
        lines.append(f"      - in_set: {{column: {scalar(each.name)}, values: {values}, on_failure: warn}}")
    for each in [each for each in features if each.numeric][:MOST_RANGES]:
        low, high = widened(each)
        bounds = f"low: {low}, high: {high}"
        lines.append(f"      - between: {{column: {scalar(each.name)}, {bounds}, on_failure: warn}}")
    rows = next(iter(columns.values())).rows
    if judged.time is None:
        lines.append(f"      - row_count: {{low: {max(rows // 10, 1)}, on_failure: warn}}")
    return lines


def widened(column: Column) -> tuple[str, str]:
    """Return a range a whole span wider than what was seen, in two figures; never below 0 for what never was."""
    numbers = column.numbers()
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    least = 0.0 if low >= 0 else _figures(low - span, floor)
    return _number(least, column), _number(_figures(high + span, ceil), column)


def _figures(value: float, rounding: object) -> float:
    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(abs(value))) - 1)
    return float(rounding(value / unit) * unit)  # type: ignore[operator]


def _number(value: float, column: Column) -> str:
    return f"{value:.0f}" if column.kind == "integer" or value == int(value) else f"{value:.6g}"


def readme(name: str, judged: Judged) -> str:
    """Write the folder's README: what it is, what was assumed, what to do next."""
    assumed = "\n".join(f"- {note}" for note in judged.assumptions)
    return f"""# {name}

Predicts `{judged.label.name}` ({judged.task}). Written by `perennial new`; everything the model needs stands in
`model.yaml`.

## Assumed from the table
{assumed}

## Next
1. Read `model.yaml`, write who owns the model and for whom it predicts, and correct what was assumed wrongly.
2. `perennial check {name}` says whether the folder is sound; `perennial show {name} --resolved` lists every default.
3. Add feature views in `features.py` where columns alone are not enough.
4. Bring in what there is and ask for the first model; its gates say in sentences whether it may serve:

{_first_model(name, judged)}
"""


def _first_model(name: str, judged: Judged) -> str:
    """Write the commands that lead to a first model; a table without time is delivered whole on any night."""
    since = f" --since {min(judged.time.days)}" if judged.time else ""
    night = max(judged.time.days) if judged.time else "2024-01-01"
    steps = (f"validate{since}", "features", "retrain")
    return "\n".join(f"       perennial run {name} {step} --night {night}" for step in steps)
