"""The JSON Schema of ``model.yaml``: what editors complete and check, and what "did you mean" looks up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from perennial.spec.reading_yaml import KeyPath

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the schema of a whole file; gates and checks are objects with one key, the entry's name."""
    from perennial.checks import checks
    from perennial.gates import gates
    from perennial.spec.model import ModelSpec

    schema = ModelSpec.model_json_schema()
    definitions: Schema = schema.setdefault("$defs", {})
    del schema["properties"]["name"]
    schema["required"] = [field for field in schema["required"] if field != "name"]
    schema["properties"]["gates"]["items"] = _one_of(gates(), definitions)
    definitions["SourceSpec"]["properties"]["checks"]["items"] = _one_of(checks(), definitions)
    schema["properties"]["gates"]["default"] = _written(schema["properties"]["gates"], gates())
    schema["title"] = "A model of Perennial"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _one_of(entries: Mapping[str, type[BaseModel]], definitions: Schema) -> Schema:
    """Describe one entry of a catalogue: its bare name, or its name with parameters."""
    return {
        "anyOf": [{"enum": list(entries)}, *(_named(n, entry, definitions) for n, entry in entries.items())]
    }


def _named(name: str, entry: type[BaseModel], definitions: Schema) -> Schema:
    parameters = entry.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(parameters.pop("$defs", {}))
    summary = parameters.get("description", "").split("\n\n")[0]
    parameters["description"] = " ".join(summary.split())
    return {
        "type": "object",
        "properties": {name: {"anyOf": [parameters, {"type": "null"}]}},
        "required": [name],
        "additionalProperties": False,
        "description": parameters["description"],
    }


def _written(gates_schema: Schema, entries: Mapping[str, type[BaseModel]]) -> list[str]:
    """Write the default gates as a person would: by name."""
    from perennial.spec.model import DEFAULT_GATES

    del gates_schema
    return [name for gate in DEFAULT_GATES for name, entry in entries.items() if type(gate) is entry]


def names_at(path: KeyPath) -> list[str]:
    """List the keys that may stand in the mapping at ``path``."""
    return list(dict.fromkeys(name for node in _nodes(path) for name in node.get("properties", {})))


def description_of(path: KeyPath) -> str:
    """Return what the setting at ``path`` means, empty when the schema does not say."""
    return next((str(node["description"]) for node in _nodes(path) if "description" in node), "")


@cache
def _schema() -> Schema:
    return json_schema()


def _nodes(path: KeyPath) -> list[Schema]:
    nodes = list(_alternatives(_schema()))
    for step in path:
        nodes = [below for node in nodes for child in _children(node, step) for below in _alternatives(child)]
    return nodes


def _children(node: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        yield from (node[key] for key in ("items",) if isinstance(node.get(key), dict))
    elif step in node.get("properties", {}):
        yield node["properties"][step]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]


def _alternatives(node: Schema) -> Iterator[Schema]:
    """Follow references and choices down to schemas with content; a reference keeps its own description."""
    reference = node.get("$ref")
    if "description" in node or not (reference or "anyOf" in node or "oneOf" in node):
        yield node
    if reference:
        yield from _alternatives(_schema()["$defs"][reference.rsplit("/", 1)[1]])
    for each in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _alternatives(each)


def schema_text() -> str:
    """Write the schema as it stands in ``include/models/model.schema.json``."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
