"""Checks refuse parameters that cannot mean anything, when model.yaml is read."""

from typing import Any

import pytest
from pydantic import ValidationError

from perennial.checks import checks


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [
        ("not_null", {"columns": []}, "at least 1"),
        ("between", {"column": "a"}, "give `low`, `high` or both"),
        ("between", {"column": "a", "low": 2, "high": 1}, "low 2 is above high 1"),
        ("in_set", {"column": "a", "values": ["x", 1]}, "valid"),
        ("matches", {"column": "a", "pattern": "("}, "is not a regular expression"),
        ("matches", {"column": "a", "pattern": "(?=x)x"}, "not known to every engine"),
        ("matches", {"column": "a", "pattern": r"(x)\1"}, "not known to every engine"),
        ("null_share", {"column": "a", "max": 2}, "less than or equal to 1"),
        ("row_count", {"low": 1, "on_failure": "quarantine"}, "'reject' or 'warn'"),
        ("unique", {"columns": ["a"], "colums": 1}, "Extra inputs"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(name: str, parameters: dict[str, Any], told: str) -> None:
    """Better when the folder is read than on the first night."""
    with pytest.raises(ValidationError, match=told):
        checks()[name].model_validate(parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "types", "told"),
    [
        ("between", {"column": "a", "low": 1}, {"a": "text"}, "'a' is text"),
        ("in_set", {"column": "a", "values": [1]}, {"a": "text"}, "are not text"),
        ("in_set", {"column": "a", "values": ["1"]}, {"a": "integer"}, "are not integer"),
        (
            "at_least_column",
            {"column": "a", "other": "b"},
            {"a": "date", "b": "number"},
            "compares date with number",
        ),
        ("at_least_column", {"column": "a", "other": "b"}, {"a": "integer", "b": "number"}, None),
        ("not_null", {"columns": ["a", "c"]}, {"a": "text"}, "'c', which is not declared"),
    ],
)
def test_a_rule_fits_the_declared_types(
    name: str, parameters: dict[str, Any], types: dict[str, str], told: str | None
) -> None:
    """A range of a text would compare letters, or nothing."""
    misfit = checks()[name].model_validate(parameters).misfit(types)
    assert misfit is None if told is None else told in (misfit or "")
