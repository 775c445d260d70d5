"""Great Expectations is believed only when it answered everything and counted what the engine counted."""

import time
from collections.abc import Sequence

import pyarrow as pa
import pytest

from perennial.checks import checks
from perennial.checks.base import Check
from perennial.checks.between import Between
from perennial.engine.intake_checking import Outcome, evaluate
from perennial.engine.intake_contract import ask_contract
from perennial.errors import CheckDidNotRunError, CheckDisagreesError
from perennial.facts.batch import ROW

TABLE = pa.table({ROW: pa.array([2, 3, 4]), "a": pa.array([1.0, None, 9.0]), "b": pa.array(["x", "y", None])})


def test_another_count_stops_the_night() -> None:
    """One of the two is wrong, so nothing is published on the word of either."""
    with pytest.raises(CheckDisagreesError, match="0 rows in the engine and 1 in Great Expectations"):
        ask_contract("s", TABLE, [Outcome(Between(column="a", high=5))])


def test_an_expectation_that_raised_stops_the_night() -> None:
    """Great Expectations lists it as a result among others."""
    with pytest.raises(CheckDidNotRunError, match="c is at most 5"):
        ask_contract("s", TABLE.append_column("c", TABLE.column("b")), [Outcome(Between(column="c", high=5))])


def sixteen() -> Sequence[Check]:
    """Declare a night's worth of rules."""
    some = [Between(column="a", high=high) for high in range(5, 19)]
    return [
        *some,
        checks()["not_null"].model_validate({"columns": ["b"]}),
        checks()["row_count"].model_validate({"low": 1}),
    ]


def test_sixteen_rules_on_a_thousand_rows_cost_a_quarter_second() -> None:
    """The contract is asked every night for every source."""
    rows = 1000
    table = pa.table(
        {ROW: pa.array(range(rows)), "a": pa.array([float(i % 20) for i in range(rows)]), "b": ["x"] * rows}
    )
    ask_contract("s", table, evaluate(table, sixteen()))
    begun = time.process_time()
    assert len(ask_contract("s", table, evaluate(table, sixteen()))) == 16
    assert time.process_time() - begun < 0.25
