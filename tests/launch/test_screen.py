"""What the story prints: one line a night, the ledger's own sentences, a summary, and no second counted twice."""

import io
import time

from rich.console import Console

from perennial.ledger.base import Entry, Serving
from perennial_airflow.launch.facts import NightFacts, Request
from perennial_airflow.launch.screen import Screen


def screen() -> tuple[Screen, io.StringIO]:
    """Make a screen that writes into a text."""
    text = io.StringIO()
    return Screen(Console(file=text, width=120)), text


def entry(kind: str, reason: str, **evidence: str) -> Entry:
    """Make a line of a ledger."""
    return Entry(1, "rides", kind, "k", "2013-09-20", "now", "who", reason, evidence, "h", "p", "id")


NIGHT = NightFacts("2013-09-20", 700, 7, "1", 693, 0.181, {"state": "quiet", "finding": None, "reason": ""})
DRIFT = {
    "state": "page",
    "finding": "f",
    "reason": "Labels lay [b]low[/b].",
    "cause": "concept",
    "action": "Train.",
}
REFUSED = Request(
    asked=entry("retrain", "Training on 2013-09-20."),
    trained=entry("trained", "Version 2 was trained."),
    gates=(entry("gate", "It loses.", gate="against_champion", verdict="fail"),),
    concluded=entry("refused", "Version 2 is refused.", candidate="2"),
    outcome=None,
)


def test_a_night_is_one_line() -> None:
    """Rows in, set aside, scored by whom, mean and verdict."""
    told, text = screen()
    told.night(NIGHT)
    assert text.getvalue() == (
        "2013-09-20    700 rows in, 7 set aside; version 1 scored 693, 0.181 on average; quiet\n"
    )


def test_a_finding_is_told_in_the_ledgers_words() -> None:
    """Its sentence is shown as it stands, also where it looks like markup."""
    told, text = screen()
    told.night(NightFacts("2013-09-20", 700, 0, "1", 700, 0.2, DRIFT))
    assert "Labels lay [b]low[/b]." in text.getvalue()
    assert "likely concept: Train." in text.getvalue()


def test_a_refusal_is_told_with_its_gate() -> None:
    """Every gate by name, its verdict, its sentence, and the conclusion."""
    told, text = screen()
    told.request(REFUSED)
    assert [line.strip() for line in text.getvalue().splitlines()] == [
        "Training on 2013-09-20.",
        "Version 2 was trained.",
        "against_champion failed: It loses.",
        "Version 2 is refused.",
    ]


def test_the_summary_names_nights_reigns_and_findings() -> None:
    """Each night is a row; a finding says what came of it."""
    told, text = screen()
    found = NightFacts("2013-09-20", 700, 0, "1", 700, 0.2, DRIFT)
    reign = Serving("rides", "1", "2013-08-19", None, "promoted", "It passed.", "id")
    told.summary([found], {"2013-09-20": REFUSED}, [reign])
    assert "version 2 refused" in text.getvalue()
    assert "version 1: from 2013-08-19 and serves now. It passed." in text.getvalue()


def test_a_part_within_a_part_is_counted_once() -> None:
    """The seconds of all parts add up to the time that passed."""
    told, _ = screen()
    begun = time.monotonic()
    with told.part("nights"):
        time.sleep(0.05)
        with told.part("new models"):
            time.sleep(0.1)
    passed = time.monotonic() - begun
    assert abs(sum(told.spent.values()) - passed) < 0.02
    assert told.spent["new models"] >= 0.1
    assert told.spent["nights"] < 0.1
