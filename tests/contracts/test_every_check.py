"""What every check obeys, whoever wrote it: its sentence, its SQL and its expectation are one rule.

The checks tried here are those of the doctests, on random rows of every type that a check is for. A new file
in checks/ is judged by itself.
"""

import ast
import inspect
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.checks import checks
from perennial.checks.base import BatchCheck, Check, RowCheck
from perennial.engine.intake_checking import Outcome, evaluate
from perennial.engine.intake_contract import ask_contract, validate_suite
from perennial.engine.typed import arrow_types
from perennial.facts.batch import ROW

CHECKS = checks()
COMPLETE: dict[str, object] = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [ROW],
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}
DAY = date(2013, 7, 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.one_of(
        st.sampled_from(
            ["EWR", "JFK", "N14228", "N1", "5.0", "", " EWR", "\u00e9\u0301", "N1\n", "\U0001f6eb" * 5]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    "integer": st.one_of(st.sampled_from([0, 1, 10, 6000, 2**53 + 1]), st.integers(-(2**63), 2**63 - 1)),
    "number": st.one_of(
        st.sampled_from([0.0, -0.0, 10.0, 6000.0, 5e-324]), st.floats(allow_nan=False, allow_infinity=False)
    ),
    "boolean": st.booleans(),
    "date": st.integers(0, 3).map(lambda days: DAY + timedelta(days=days)),
    "timestamp": st.integers(0, 3).map(
        lambda us: datetime(2013, 7, 1, tzinfo=UTC) + timedelta(microseconds=us)
    ),
}


def shown(entry: type[Check]) -> list[Check]:
    """Make the checks that an entry's doctest constructs."""
    source = "\n".join(
        line.strip().removeprefix(">>> ") for line in (entry.__doc__ or "").splitlines() if ">>>" in line
    )
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    own = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == entry.__name__]
    made = {ast.unparse(node): eval(ast.unparse(node), {entry.__name__: entry}) for node in own}  # noqa: S307
    return [part for check in made.values() for part in check.parts()]


def cases() -> list[Any]:
    """List each shown check with each type its columns may have."""
    return [
        pytest.param(check, kind, id=f"{name}-{number}-{kind}")
        for name, entry in CHECKS.items()
        for number, check in enumerate(shown(entry))
        for kind in sorted(check.types)
        if check.misfit(dict.fromkeys(check.needs(), kind)) is None
    ]


def tables(check: Check, kind: str) -> st.SearchStrategy[pa.Table]:
    """Draw rows for the columns that a check needs, missing values among them."""
    names = check.needs() or ("anything",)
    row = st.tuples(*(st.none() | VALUES[kind] for _ in names))

    def table(rows: list[tuple[object, ...]]) -> pa.Table:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        typed = {name: pa.array(list(column), arrow_types()[kind]) for name, column in columns.items()}
        return pa.table({ROW: pa.array(range(2, len(rows) + 2), pa.int64()), **typed})

    return st.lists(row, min_size=1, max_size=12).map(table)


def rows_of(answer: Any) -> list[int]:
    """Read the failing rows of a complete result."""
    listed = answer.result.get("unexpected_index_list") or []
    found = [one[ROW] for one in listed]
    return sorted(int(row) for value in found for row in (value if isinstance(value, list) else [value]))


@pytest.mark.parametrize(("check", "kind"), cases())
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_engine_and_great_expectations_find_the_same_rows(
    check: Check, kind: str, data: st.DataObject
) -> None:
    """The quarantine is found by SQL and reported by Great Expectations, so both must mean the same rows."""
    table = data.draw(tables(check, kind))
    (outcome,) = evaluate(table, [check])
    (answer,) = validate_suite(table, [outcome], COMPLETE).results
    assert answer.success is not outcome.failed
    if isinstance(check, RowCheck):
        assert rows_of(answer) == list(outcome.rows)


@pytest.mark.parametrize("name", CHECKS)
def test_every_example_is_one_rule_with_parameters(name: str) -> None:
    """An entry without an example that constructs it would not be tried here."""
    assert shown(CHECKS[name])


@pytest.mark.parametrize("name", CHECKS)
def test_every_parameter_is_described(name: str) -> None:
    """The reference and the editor show these descriptions."""
    assert [field for field, about in CHECKS[name].model_fields.items() if not about.description] == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_about_rows_or_about_the_batch(name: str) -> None:
    """What is set aside differs: some rows, or all of them."""
    assert issubclass(CHECKS[name], RowCheck) is not issubclass(CHECKS[name], BatchCheck)


@pytest.mark.parametrize("name", CHECKS)
def test_a_sentence_goes_on_from_the_check_that(name: str) -> None:
    """Messages say "the check that …", so a sentence is no sentence of its own with a full stop."""
    for check in shown(CHECKS[name]):
        assert not check.sentence().endswith(".")
        assert all(column in check.sentence() for column in check.needs())


@pytest.mark.parametrize("name", CHECKS)
def test_a_column_that_is_not_declared_is_a_misfit(name: str) -> None:
    """Found when the folder is read, not on the first night."""
    for check in shown(CHECKS[name]):
        assert (check.misfit({}) is None) is (check.needs() == ())


@pytest.mark.parametrize("name", CHECKS)
def test_a_column_name_cannot_break_out_of_the_sql(name: str) -> None:
    """Names come from files; a quote in one is a letter like others."""
    evil = 'a" IS NULL) FROM batch; DROP TABLE batch; --'
    for check in shown(CHECKS[name]):
        renamed = {field: value for field, value in check.model_dump().items() if field != "on_failure"}
        for field in {"column", "other"} & renamed.keys():
            renamed[field] = evil
        if "columns" in renamed:
            renamed["columns"] = (evil,)
        kind = min(kind for kind in check.types if check.misfit(dict.fromkeys(check.needs(), kind)) is None)
        table = pa.table({ROW: pa.array([1]), evil: pa.nulls(1, arrow_types()[kind])})
        (outcome,) = evaluate(table, [type(check).model_validate(renamed)])
        assert outcome.unexpected in {0, 1}


def test_great_expectations_is_asked_all_at_once_and_answers_in_order() -> None:
    """The report lists rules as model.yaml does."""
    table = pa.table({ROW: pa.array([2, 3]), "a": pa.array(["x", None]), "b": pa.array([1.0, 2.0])})
    rules = [
        CHECKS["row_count"].model_validate({"low": 1}),
        CHECKS["between"].model_validate({"column": "b", "high": 1}),
        CHECKS["not_null"].model_validate({"columns": ("a",)}),
        CHECKS["not_null"].model_validate({"columns": ("a",), "on_failure": "warn"}),
    ]
    answers = ask_contract("s", table, evaluate(table, rules))
    assert [answer.unexpected for answer in answers] == [0, 1, 1, 1]


def test_nothing_is_asked_of_an_empty_batch() -> None:
    """Great Expectations calls an empty batch a success, so it is not asked."""
    table = pa.table({ROW: pa.array([], pa.int64()), "a": pa.array([], pa.string())})
    assert ask_contract("s", table, [Outcome(CHECKS["not_null"].model_validate({"columns": ("a",)}))]) == ()


def test_the_catalogue_is_light_to_import() -> None:
    """Airflow reads model.yaml in its scheduler: nothing heavy may come along."""
    heavy = "{'numpy', 'pandas', 'pyarrow', 'duckdb', 'great_expectations', 'sqlalchemy'}"
    code = f"import sys, perennial.checks as c, perennial.sources as s; c.checks(); s.sources(); print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_every_entry_is_in_a_file_of_its_name() -> None:
    """The name in model.yaml is the file's."""
    assert all(inspect.getfile(entry).endswith(f"/{name}.py") for name, entry in CHECKS.items())
