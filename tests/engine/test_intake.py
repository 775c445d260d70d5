"""A delivery becomes published rows, quarantined rows and a report that adds up."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.engine.intake import Intake, IntakePlan, take_in
from perennial.errors import BatchRejectedError, CheckMisfitError
from perennial.facts.batch import ROW, RawBatch, Reject
from perennial.spec.source import SourceSpec

COLUMNS = {"flight": "text", "origin": "text", "distance": "number", "departs": "timestamp"}
SPEC: dict[str, Any] = {
    "uri": "{night}.csv",
    "key": ["flight"],
    "event_time": "departs",
    "columns": COLUMNS,
    "max_quarantine_share": 1.0,
    "min_rows": 0,
    "clean": [{"trim": ["origin"]}, {"null_tokens": {"distance": ["-999"]}}],
    "checks": [
        {"not_null": {"columns": ["origin"]}},
        {"in_set": {"column": "origin", "values": ["EWR", "JFK"]}},
        {"between": {"column": "distance", "low": 10, "high": 6000}},
    ],
}
NIGHT = "2013-07-01"
VALUES = st.tuples(
    st.sampled_from(["UA1", "UA2", "UA3", "", "N\n1"]),
    st.sampled_from(["EWR", " JFK", "BOS", "", "=1+1"]),
    st.sampled_from(["200", "-999", "inf", "far", "9007199254740993", "", "99999", "1e2"]),
    st.sampled_from(["2013-07-01T08:00", "2013-06-30", "2013-07-02T04:00Z", "2013-02-30", "", "1372680000"]),
)


def plan(**changed: object) -> IntakePlan:
    """Declare a source of flights."""
    return IntakePlan("flights", SourceSpec.model_validate(SPEC | changed), "America/New_York")


def raw(*rows: tuple[str, ...], rejects: tuple[Reject, ...] = ()) -> RawBatch:
    """Make a delivery of these rows, from line 2."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    texts = {n: pa.array([v or None for v in c], pa.string()) for n, c in zip(COLUMNS, columns, strict=True)}
    table = pa.table({ROW: pa.array(range(2, len(rows) + 2), pa.int64()), **texts})
    return RawBatch("flights", NIGHT, "flights.csv", table, "0" * 64, 1, rejects)


def good(flight: str = "UA1", distance: str = "200") -> tuple[str, ...]:
    """Make a row without fault."""
    return (flight, "EWR", distance, "2013-07-01T08:00")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=st.lists(VALUES, max_size=8),
    keep=st.sampled_from([None, "first", "last", "identical"]),
    reject=st.booleans(),
)
def test_no_row_is_lost_or_made(rows: list[tuple[str, ...]], keep: str | None, *, reject: bool) -> None:
    """Rows in = published + quarantined + duplicates, whatever comes, and a rejected batch keeps them all."""
    steps = [*SPEC["clean"], *([{"deduplicate": keep}] if keep else [])]
    rejects = (Reject(len(rows) + 2, "x,y", "has 2 of 4 values"),) if reject else ()
    delivery = raw(*rows, rejects=rejects)
    intake = take_in(delivery, plan(clean=steps), contract=False)
    report = intake.report
    assert report.rows_in == len(rows) + reject
    assert report.rows_in == intake.published.num_rows + intake.quarantined.num_rows + report.duplicates
    assert (report.rows_published, report.rows_quarantined) == (
        intake.published.num_rows,
        intake.quarantined.num_rows,
    )
    if report.rows_quarantined:
        with pytest.raises(BatchRejectedError) as caught:
            take_in(delivery, plan(clean=steps, max_quarantine_share=0.0), contract=False)
        assert caught.value.quarantined.num_rows + report.duplicates == report.rows_in  # type: ignore[attr-defined]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(VALUES, max_size=8))
def test_what_is_published_keeps_every_rule(rows: list[tuple[str, ...]]) -> None:
    """Whoever reads the table need not check again."""
    for row in take_in(raw(*rows), plan(), contract=False).published.to_pylist():
        assert row["origin"] in {"EWR", "JFK"}
        assert row["distance"] is None or 10 <= row["distance"] <= 6000
        assert datetime(2013, 7, 1, 4, tzinfo=UTC) <= row["departs"] < datetime(2013, 7, 2, 4, tzinfo=UTC)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(VALUES, min_size=1, max_size=8))
def test_the_contract_changes_nothing_that_is_published(rows: list[tuple[str, ...]]) -> None:
    """History is loaded without Great Expectations and must have the same rows as nights."""
    with_contract, without = (take_in(raw(*rows), plan(), contract=asked) for asked in (True, False))
    assert with_contract.published.equals(without.published)
    assert with_contract.quarantined.equals(without.quarantined)


def test_a_quarantined_row_keeps_its_text_and_all_its_reasons() -> None:
    """A person who opens the quarantine needs the value as it came."""
    intake = take_in(
        raw(good(), ("UA2", " BOS ", "99999", "2013-07-01T08:00"), ("UA3", "EWR", "far", "x")), plan()
    )
    second, third = intake.quarantined.to_pylist()
    assert json.loads(second["original"])["origin"] == " BOS "
    assert second["reasons"] == [
        "check: origin is one of EWR and JFK, and here not",
        "check: distance is from 10 to 6000, and here not",
    ]
    assert third["reasons"] == ["cast: distance 'far' is not a number", "cast: departs 'x' is not a time"]
    assert (third["source"], third["night"], third["row"]) == ("flights", NIGHT, 4)


def test_published_rows_have_the_declared_types_and_two_clocks() -> None:
    """When a row became known is by default the end of the night that brought it."""
    published = take_in(raw(good()), plan()).published
    assert published.column_names == [*COLUMNS, "known_at", "superseded_at"]
    (row,) = published.to_pylist()
    assert row["known_at"] == datetime(2013, 7, 2, 4, tzinfo=UTC)
    assert row["superseded_at"] is None
    assert published.schema.field("departs").type == pa.timestamp("us", "UTC")


def test_every_change_keeps_the_value_before() -> None:
    """Cleaning can be undone by reading the changes."""
    intake = take_in(raw(("UA1", " JFK", "-999", "2013-07-01T08:00")), plan())
    told = [
        (row["step"], row["column"], row["before"], row["after"], row["key"])
        for row in intake.changes.to_pylist()
    ]
    assert told == [
        ("trim", "origin", " JFK", "JFK", '["UA1"]'),
        ("null_tokens", "distance", "-999", None, '["UA1"]'),
    ]
    assert intake.report.cleaned == {"trim origin": 1, "null_tokens distance": 1}


def test_a_bad_row_does_not_make_a_good_one_a_duplicate() -> None:
    """Only rows that could be published compete for a key."""
    intake = take_in(raw(good(), good(distance="far")), plan())
    assert (intake.published.num_rows, intake.quarantined.num_rows) == (1, 1)


def test_the_same_number_written_twice_is_an_identical_copy() -> None:
    """Copies are compared by value: 200 and 200.0 are one distance."""
    assert take_in(raw(good(), good(distance="200.0")), plan()).report.duplicates == 1


def test_the_report_has_the_answer_of_every_expectation() -> None:
    """The contract is shown rule by rule."""
    report = take_in(raw(good(), good("UA2", "99999")), plan()).report
    assert (report.evaluated, report.successful) == (3, 2)
    assert [answer.unexpected for answer in report.contract] == [0, 0, 1]
    assert (
        json.loads(json.dumps(report.as_json()))["contract"][2]["sentence"] == "distance is from 10 to 6000"
    )


def test_a_rejected_batch_says_rule_counts_first_values_and_fix() -> None:
    """The message is all that a person on call has at night."""
    with pytest.raises(BatchRejectedError) as caught:
        take_in(raw(good(), good("UA2", "far")), plan(max_quarantine_share=0.2))
    message = str(caught.value)
    for part in (
        "flights.csv",
        "1 of 2 rows",
        "20%",
        "line 3: cast: distance 'far' is not a number",
        "model.yaml",
    ):
        assert part in message


def test_a_reserved_column_name_is_refused() -> None:
    """The store keeps a clock of its own under that name."""
    with pytest.raises(CheckMisfitError, match="known_at"):
        take_in(raw(good()), plan(columns=COLUMNS | {"known_at": "timestamp"}))


def test_reading_a_file_and_taking_it_in_uses_the_same_declaration(tmp_path: Path) -> None:
    """The plan asks the source for what it will judge."""
    text = io.StringIO()
    csv.writer(text).writerows([list(COLUMNS), good()])
    (tmp_path / f"{NIGHT}.csv").write_text(text.getvalue())
    asked = plan().request(NIGHT, root=tmp_path)
    assert asked.location == str(tmp_path / "2013-07-01.csv")
    assert isinstance(take_in(_read(asked), plan()), Intake)


def _read(asked: Any) -> RawBatch:
    from perennial.sources import source_for

    return source_for(asked.uri).read(asked)
