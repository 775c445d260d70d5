"""The pages of docs/reference, written from what runs: the schema of model.yaml, the errors, the catalogues.

Nobody edits these pages: ``python -m perennial.scaffold.reference`` writes them, and a test keeps them current.
Each description is the one an editor or an error message shows, from the file of the thing itself.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from perennial.catalogue import entries

Schema = dict[str, Any]

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
GENERATED = "<!-- Written by `python -m perennial.scaffold.reference`; edit what it describes instead. -->"

CATALOGUES = {
    "gates": ("Gate", "Gates: may the challenger go further?"),
    "checks": ("Check", "Checks: what makes a row or a delivery unacceptable?"),
    "detectors": ("Detector", "Detectors: has the world moved?"),
    "metrics": ("Metric", "Metrics: how good is a model?"),
    "estimators": ("Estimator", "Estimators: what can be fitted"),
    "sources": ("Source", "Sources: where a delivery comes from"),
    "channels": ("Channel", "Channels: how an alert travels"),
}
"""Base class and heading of each catalogue's part of the page."""

PLACES = {
    "SourceSpec": "sources.&lt;name&gt;",
    "LabelSpec": "label",
    "FeaturesSpec": "features",
    "TrainingSpec": "training",
    "SearchSpec": "training.search",
    "Range": "training.search.space.&lt;parameter&gt;",
    "MonitoringSpec": "monitoring",
    "PageBudget": "monitoring.budget",
    "NightShift": "monitoring.night_shift",
    "ResidualDrift": "monitoring.residual_drift",
    "ResidualShape": "monitoring.residual_shape",
    "Retraining": "retraining",
    "AlertSpec": "alerts",
    "SinkSpec": "sink",
    "PrivacySpec": "privacy",
    "Trim": "clean: trim",
    "NullTokens": "clean: null_tokens",
    "Rescale": "clean: unit",
    "Factor": "clean: unit.&lt;column&gt;",
    "MapCategories": "clean: map",
    "Deduplicate": "clean: deduplicate",
    "Fill": "clean: fill",
}
"""Where in the file each part of the schema stands, in reading order."""

ELSEWHERE = {
    "gates": "list of [gates](catalogue.md#gates-may-the-challenger-go-further)",
    "checks": "list of [checks](catalogue.md#checks-what-makes-a-row-or-a-delivery-unacceptable)",
    "clean": "list of cleaning steps, see below",
}
"""Lists whose items have a part of their own."""

LONGEST_DEFAULT = 60


def pages() -> dict[str, str]:
    """Write every page, by file name."""
    return {"model-folder.md": model_folder(), "catalogue.md": catalogue(), "errors.md": errors()}


def model_folder() -> str:
    """Describe every setting of model.yaml: where it stands, what it takes, its default, its meaning."""
    from perennial.spec.schema import json_schema

    schema = json_schema()
    parts = schema["$defs"]
    unknown = [name for name in parts if name not in PLACES]
    ordered = [*(name for name in PLACES if name in parts), *unknown]
    lines = ["# model.yaml", "", GENERATED, ""]
    lines += ["Every setting, its default and its meaning.", "Only what has no default must be written.", ""]
    lines += ["## At the top of the file", "", *_settings(schema)]
    for name in ordered:
        lines += [f"## {PLACES.get(name, name)}", "", _summary(parts[name].get("description", "")), ""]
        lines += _settings(parts[name])
    return _page(lines)


def catalogue() -> str:
    """Describe every entry of every catalogue: what it does, its parameters, an example that is run as a test."""
    lines = ["# Catalogues", "", GENERATED, ""]
    lines += ["An entry is one file; its name is the name used in `model.yaml`.", "", *_contents()]
    for name, (base, heading) in CATALOGUES.items():
        package = importlib.import_module(f"perennial.{name}")
        kind = getattr(importlib.import_module(f"perennial.{name}.base"), base)
        lines += [f"## {heading}", "", f"Folder: `include/perennial/{name}/`.", ""]
        lines += [_flat((inspect.getdoc(package) or "").partition("\n\n")[2]), ""]
        for entry, described in entries(package.__name__, kind).items():
            lines += _entry(entry, described)
    return _page(lines)


def errors() -> str:
    """Explain every mistake a person can make, by its code."""
    from perennial.spec.draft import CODES

    lines = ["# Errors", "", GENERATED, ""]
    lines += ["Every message names what is wrong and what to do; the code in it leads here.", ""]
    lines += ["The last column is the exit status of the command line.", ""]
    lines += ["| code | name | explanation | exit |", "|---|---|---|---|"]
    found = sorted(_error_classes(), key=lambda each: (each.code, each.__name__))
    lines += [
        f"| {each.code} | `{each.__name__}` | {_cell(inspect.getdoc(each) or '')} | {each.exit_code} |"
        for each in found
    ]
    lines += ["", "## Problems in a model's folder", ""]
    lines += ["These stand in one `BrokenModelError`, each with file, line, field, value and fix.", ""]
    lines += ["| code | explanation |", "|---|---|"]
    lines += [f"| {code} | {_cell(said)} |" for code, said in sorted(CODES.items())]
    return _page(lines)


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the pages below ``folder`` and return those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _settings(schema: Schema) -> list[str]:
    """Make the table of an object's settings."""
    needed = set(schema.get("required", ()))
    lines = ["| setting | takes | default | meaning |", "|---|---|---|---|"]
    for name, one in schema.get("properties", {}).items():
        default = "**needed**" if name in needed else _default(one)
        takes = ELSEWHERE.get(name) or _takes(one)
        lines.append(f"| `{name}` | {takes} | {default} | {_cell(one.get('description', ''))} |")
    return [*lines, ""]


def _default(one: Schema) -> str:
    value = one.get("default")
    if value in (None, "", [], {}):
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else "see below"


def _takes(one: Schema) -> str:
    """Say in a few words what a setting takes."""
    if "$ref" in one:
        return _link(one["$ref"])
    if "const" in one:
        return f"`{one['const']}`"
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in one:
            said = [_takes(each) for each in one[choice] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(said))
    return _typed(one)


def _typed(one: Schema) -> str:
    kind = one.get("type", "anything")
    if kind == "array":
        items = one.get("items", {})
        return f"list of {_takes(items)}" if _is_short(items) else "list"
    if kind == "object":
        values = one.get("additionalProperties")
        return f"by name: {_takes(values)}" if isinstance(values, dict) else "settings"
    words = {"string": "text", "integer": "whole number", "boolean": "`true`, `false`"}
    return f"{words.get(kind, kind)}{_bounds(one)}"


def _is_short(items: Schema) -> bool:
    """Whether a list's items can be named in a cell: catalogues and steps have their own parts."""
    return not any(choice in items for choice in ("anyOf", "oneOf")) or len(str(items)) < 2 * LONGEST_DEFAULT


def _bounds(one: Schema) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    said = [f"{word} {one[key]:g}" for key, word in words.items() if key in one]
    return f", {' and '.join(said)}" if said else ""


def _link(reference: str) -> str:
    name = reference.rsplit("/", 1)[1]
    heading = PLACES.get(name, name)
    return f"[{heading}](#{_anchor(heading)})"


def _contents() -> Iterator[str]:
    for _, heading in CATALOGUES.values():
        yield f"- [{heading}](#{_anchor(heading)})"
    yield ""


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    text = heading.replace("&lt;", "").replace("&gt;", "").lower()
    return re.sub(r"[^a-z0-9_ -]", "", text).replace(" ", "-")


def _entry(name: str, described: type) -> list[str]:
    """Describe one entry: its explanation, its example, its parameters."""
    text = inspect.getdoc(described) or ""
    said, _, rest = text.partition(">>>")
    lines = [f"### {name}", "", said.strip(), ""]
    if rest:
        lines += ["```python", f">>> {rest.strip()}", "```", ""]
    if issubclass(described, BaseModel) and described.model_fields:
        schema = described.model_json_schema(ref_template="#/$defs/{model}")
        lines += _settings(schema)
    return lines


def _error_classes() -> Iterator[type[Any]]:
    module = importlib.import_module("perennial.errors")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, module.PerennialError):
            yield value


def _summary(text: str) -> str:
    return _flat(text.split("\n\n", maxsplit=1)[0])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def _page(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


if __name__ == "__main__":
    for path in write():
        print(path)  # noqa: T201  the answer of a command
