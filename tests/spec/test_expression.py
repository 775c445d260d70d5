"""Expressions of model.yaml: small, over declared columns, and never a way to run or read anything."""

import duckdb
import pytest

from perennial.errors import BadExpressionError
from perennial.spec.expression import parse

COLUMNS = ["arr_delay", "origin", "air time", "Select", 'x"y']

GOOD = [
    ("arr_delay > 15", [(20, True), (15, False), (None, None)]),
    ("arr_delay", [(20, 20)]),
    ("air time", [(None, 7)]),
    ('"air time" + arr_delay', [(20, 27)]),
    ("arr_delay between 1 and 3 or arr_delay is null", [(2, True), (None, True), (9, False)]),
    ("origin in ('JFK', 'LGA')", [(1, True)]),
    ("case when arr_delay > 15 then 'late' else 'fine' end", [(20, "late"), (1, "fine")]),
    ("coalesce(arr_delay, -1) * 2", [(None, -2)]),
    ("origin like 'J%' and not arr_delay < 0", [(1, True)]),
    ("round(arr_delay / 60, 1)", [(90, 1.5)]),
    ("cast(arr_delay as double)", [(1, 1.0)]),
    ("-arr_delay % 7", [(8, -1)]),
    ("ARR_DELAY > 1", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answers"), [case for case in GOOD if case[1]], ids=lambda case: str(case)[:30]
)
def test_an_expression_means_what_it_says(text: str, answers: list[tuple[object, object]]) -> None:
    """What is parsed and written anew gives the answers of what was written."""
    for given, expected in answers:
        row = "SELECT ?::DOUBLE AS arr_delay, 'JFK' AS origin, 7 AS \"air time\""
        (found,) = duckdb.execute(f"SELECT {parse(text, COLUMNS)} FROM ({row})", [given]).fetchone() or ()  # noqa: S608
        assert found == expected


BAD = [
    "read_csv('/etc/passwd')", "(select 1)", "arr_delay > (select max(arr_delay) from t)", "getenv('HOME')",
    "arr_delay; drop table t", "arr_delay > 15; select 1", "system('ls')", "pg_read_file('x')", "now()",
    "random()", "current_date", "arr_delay > 15 -- and\n; select 2", "*", "t.*", "count(*)", "sum(arr_delay)",
    "arr_delay over ()", "row_number() over ()", "[1, 2]", "{'a': 1}", "x -> x + 1", "copy t to 'x'", "attach 'x'",
    "install httpfs", "pragma version", "'a' || chr(0)", "exec('x')", "arr_delay = ?", "$1", ":name", "",
    "arr_delay >", "arr_delay > > 1", "(" * 500 + "1" + ")" * 500,
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:30])
def test_what_could_reach_outside_is_refused(text: str) -> None:
    """Functions, queries, settings, several statements: what is not on the list is named and refused."""
    with pytest.raises(BadExpressionError):
        parse(text, COLUMNS)


def test_an_unknown_column_is_answered_with_the_nearest_one() -> None:
    """And with all there are."""
    with pytest.raises(BadExpressionError, match=r"there is no column 'arr_dely'; did you mean 'arr_delay'"):
        parse("arr_dely > 15", COLUMNS)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_name_is_an_expression(name: str) -> None:
    """Reserved words, spaces and quotes are names like others, as long as they stand alone."""
    query = f'SELECT {parse(name, COLUMNS)} FROM (SELECT 1 AS arr_delay, 2 AS origin, 3 AS "air time", 4 AS "Select", 5 AS "x""y")'  # noqa: S608
    assert duckdb.execute(query).fetchone() == (COLUMNS.index(name) + 1,)


def test_a_column_of_another_table_is_not_meant() -> None:
    """A qualified name would reach past the declared columns."""
    with pytest.raises(BadExpressionError):
        parse("other.arr_delay > 1", COLUMNS)
