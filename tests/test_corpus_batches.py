"""Bad deliveries, each a folder: what is read, what is declared, and what must come of it.

Adding a case is adding a folder under corpus/batches with ``source.yaml``, ``expect.yaml`` and the file.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from perennial.engine.intake import Intake, IntakePlan, take_in
from perennial.errors import BatchRejectedError, PerennialError
from perennial.facts.batch import IntakeReport
from perennial.sources import source_for
from perennial.spec.source import SourceSpec

CASES = sorted((Path(__file__).parent / "corpus" / "batches").iterdir())
NIGHT = "2013-07-01"


@dataclass(frozen=True)
class Came:
    """What came of a case, in the words of ``expect.yaml``."""

    outcome: str
    text: str
    code: str | None = None
    report: IntakeReport | None = None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a case's file."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return found


def arrive(case: Path, night: str) -> Intake:
    """Read the case's delivery and take it in."""
    spec = SourceSpec.model_validate(read_yaml(case / "source.yaml"))
    plan = IntakePlan("flights", spec, "America/New_York")
    request = plan.request(night, root=case)
    return take_in(source_for(request.uri, spec.format).read(request), plan)


def what_came(case: Path, night: str) -> Came:
    """Say what a delivery led to."""
    try:
        intake = arrive(case, night)
    except BatchRejectedError as error:
        return Came("reject", str(error) + told(error.quarantined), error.code, error.report)
    except PerennialError as error:
        return Came("error", str(error), error.code)
    outcome = "quarantine" if intake.report.rows_quarantined else "ok"
    parts = [told(intake.quarantined), told(intake.changes), json.dumps(intake.report.as_json())]
    return Came(outcome, "\n".join(parts), None, intake.report)


def told(table: pa.Table) -> str:
    """Write a table of texts as one text."""
    return json.dumps(table.to_pylist(), ensure_ascii=False) + "\n".join(map(str, table.to_pylist()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_delivery_is_told_and_nothing_is_lost(case: Path) -> None:
    """A clear error, a held batch, or a quarantine with reasons: never a silent change."""
    expected = read_yaml(case / "expect.yaml")
    came = what_came(case, expected.get("night", NIGHT))
    assert (came.outcome, came.code) == (expected["outcome"], expected.get("code")), came.text
    assert [part for part in expected["must_contain"] if part not in came.text] == [], came.text
    assert "Traceback" not in came.text
    if came.report:
        assert came.report.rows_published == expected["rows_published"]
        assert came.report.rows_quarantined == expected["rows_quarantined"]
        assert came.report.duplicates == expected.get("duplicates", 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_row_is_accounted_for_and_the_same_bytes_give_the_same_tables(case: Path) -> None:
    """Rows in = published + quarantined + duplicates; and a second reading changes nothing."""
    night = read_yaml(case / "expect.yaml").get("night", NIGHT)
    came = what_came(case, night)
    assert came == what_came(case, night)
    if came.report:
        report = came.report
        assert report.rows_in == report.rows_published + report.rows_quarantined + report.duplicates


def test_the_corpus_is_not_thinned_out() -> None:
    """Every kind of bad input that was once found stays found."""
    assert len(CASES) >= 70
