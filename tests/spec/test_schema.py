"""The JSON Schema that editors use: current, complete, and of one mind with the loader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from perennial.spec.schema import json_schema, names_at, schema_text

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "include" / "models"


def test_the_published_schema_is_current() -> None:
    """include/models/model.schema.json is what schema_text() writes now; write it anew when this fails."""
    assert (MODELS / "model.schema.json").read_text(encoding="utf-8") == schema_text()


def test_shipped_models_meet_the_schema() -> None:
    """An editor marks nothing in what ships."""
    validator = Draft202012Validator(json_schema())
    for file in MODELS.glob("*/model.yaml"):
        values = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        assert list(validator.iter_errors(values)) == []


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    """Unknown gates, unknown parameters and unknown keys are marked while they are typed."""
    gates = Draft202012Validator({**json_schema(), "required": []})
    assert gates.is_valid({"gates": ["slices", {"against_champion": {"alpha": 0.1}}, {"calibration": None}]})
    for wrong in ({"gates": ["slice"]}, {"gates": [{"slices": {"alfa": 0.1}}]}, {"gaets": []}, {"name": "x"}):
        assert not gates.is_valid(wrong)


def test_every_setting_is_described() -> None:
    """Each property of the schema says what it means, so that editors and pages can."""
    assert [path for path, node in properties(json_schema()) if "description" not in node] == []


def test_names_are_found_at_every_depth() -> None:
    """What "did you mean" offers comes from the schema, through lists, choices and catalogues."""
    assert "event_time" in names_at(
        (
            "sources",
            "any",
        )
    )
    assert "alpha" in names_at(("gates", 0, "slices"))
    assert "low" in names_at(("sources", "any", "checks", 2, "between"))
    assert names_at(("training", "search", "space", "depth")) == ["low", "high", "log", "integer"]


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk every property of a schema; a catalogue's entries describe themselves one step deeper."""
    if isinstance(node, dict):
        named = node.get("properties")
        if isinstance(named, dict) and "additionalProperties" in node and "description" in node:
            yield from (
                (f"{path}.{key}", each)
                for key, each in named.items()
                if "anyOf" not in each or "description" in each
            )
        for key, child in node.items():
            yield from properties(child, f"{path}.{key}")
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from properties(child, f"{path}[{i}]")
