"""Every question about a model is answered from the ledger, in its own sentences."""

import sqlite3

import pytest
from tests.doubles.projects import MODEL, World
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.stages import datasets
from perennial.store.local import LocalStore

NEXT = after(BIRTH)


def test_status_names_the_champion_the_nights_and_the_last_retraining(perennial, served) -> None:
    """What was asked, trained, judged and promoted, in one object."""
    perennial("night", MODEL, NEXT, of=served.root)
    told = perennial("status", MODEL, "--json", of=served.root).json
    assert (told["champion"]["version"], told["champion"]["first_night"]) == ("1", NEXT)
    assert told["nights"][-1] == {"night": NEXT, "state": "learning", "rows": 60, "version": "1"}
    assert (told["last_retraining"]["trained"], told["last_retraining"]["promoted"]) == ("1", True)
    assert told["last_retraining"]["gates"]["minimum_quality"] == "pass"
    assert told["open_findings"] == []


def test_status_shows_what_is_open_until_a_new_version_serves(perennial, served) -> None:
    """A silent source is a finding; when the delivery has come, it is none any more."""
    kept = (served.root / "data" / "outcomes" / f"{NEXT}.csv").read_text()
    (served.root / "data" / "outcomes" / f"{NEXT}.csv").unlink()
    perennial("run", MODEL, "monitor", "--night", NEXT, of=served.root)
    assert "No delivery of" in perennial("status", MODEL, of=served.root).out
    (served.root / "data" / "outcomes" / f"{NEXT}.csv").write_text(kept)
    perennial("night", MODEL, NEXT, of=served.root)
    assert "no finding" in perennial("status", MODEL, of=served.root).out


def test_status_of_a_model_without_history_says_how_to_begin(perennial, project) -> None:
    """Every state of a model has a next step."""
    project.declare()
    answer = perennial("status", of=project.root)
    assert (answer.status, f"perennial run {MODEL} retrain" in answer.out) == (0, True)


def test_who_served_answers_for_every_night(perennial, served) -> None:
    """Before the first champion nobody did, and the status says so."""
    answer = perennial("who-served", MODEL, "--at", after(NEXT, 100), "--json", of=served.root)
    assert answer.json["version"] == "1"
    assert perennial("who-served", MODEL, "--at", BIRTH, of=served.root).status == 3
    assert perennial("who-served", MODEL, "--at", "yesterday", of=served.root).status == 2


def test_the_ledger_is_listed_by_kind(perennial, served) -> None:
    """Each line with its actor, its reason and its id."""
    (entry,) = perennial("ledger", MODEL, "--kind", "promoted", "--json", of=served.root).json
    assert (entry["actor"], entry["night"]) == ("deploy", NEXT)
    assert entry["id"][:8] in perennial("ledger", MODEL, of=served.root).out


def test_a_ledger_that_was_altered_is_found_out(perennial, served) -> None:
    """Whole, the answer is yes; after one changed letter it is no, with the line."""
    assert perennial("ledger", MODEL, "--verify", of=served.root).status == 0
    with sqlite3.connect(served.root / "home" / "ledger.db") as connection:
        connection.execute("DROP TRIGGER entries_are_not_changed")
        connection.execute("UPDATE entries SET reason = 'Nothing happened.' WHERE seq = 2")
    answer = perennial("ledger", MODEL, "--verify", "--json", of=served.root)
    assert (answer.status, answer.json["whole"]) == (1, False)
    assert any("Line 2" in problem for problem in answer.json["problems"])


@pytest.mark.parametrize(("night", "status"), [(BIRTH, 0), ("2031-01-01", 3)])
def test_a_night_is_explained_by_what_was_decided_for_it(perennial, served, night, status) -> None:
    """In order, by whom, with the numbers; a night that nobody decided about is not found."""
    answer = perennial("explain", MODEL, "--night", night, of=served.root)
    assert (answer.status, "minimum_quality" in answer.out or "baseline" in answer.out) == (
        status,
        status == 0,
    )


def test_every_decision_about_training_is_told_with_what_came(perennial, served) -> None:
    """The first training, with its reason and what stands against judging it; one object each as JSON."""
    (first,) = perennial("decisions", MODEL, "--json", of=served.root).json
    assert (first["answer"], first["trigger"]) == ("retrain", "manual")
    assert "there is no earlier training" in perennial("decisions", MODEL, of=served.root).out


def test_skew_is_asked_of_a_night(perennial, served) -> None:
    """What was served is what training would assemble; a night without predictions cannot be told, and says so."""
    perennial("night", MODEL, NEXT, of=served.root)
    told = perennial("skew", MODEL, "--night", NEXT, "--all", "--json", of=served.root)
    assert (told.status, told.json["verdict"], told.json["rows"]) == (0, "match", 60)
    later = perennial("skew", MODEL, "--night", after(NEXT), of=served.root)
    assert (later.status, "nothing was scored" in later.out) == (0, True)
    assert perennial("skew", MODEL, "--night", BIRTH, of=served.root).status == 3


def test_what_a_finding_is_due_to_is_explained_and_nothing_is_written(perennial, served) -> None:
    """Looked for now where it was not that night: the column, the file it came with, and the same in JSON."""
    served.world = World(size_unit=1000.0)
    served.deliver(NEXT)
    perennial("night", MODEL, NEXT, of=served.root)
    store = LocalStore(served.root / "home" / "store")
    crossed = {"night_shift": {"night": NEXT, "ratio": 2.0, "fired": True}}
    before = store.read(datasets.verdicts(MODEL), NEXT)
    store.publish(datasets.verdicts(MODEL), NEXT, before, meta={"state": "page", "crossings": crossed})
    told = perennial("explain", MODEL, "--night", NEXT, of=served.root).out
    assert "Most of it: the values of size" in told
    assert f"data/orders/{NEXT}.csv" in told.replace("\n", "")
    causes = perennial("explain", MODEL, "--night", NEXT, "--json", of=served.root).json[-1]
    assert (causes["kind"], causes["attribution"]["causes"][0]["column"]) == ("causes", "size")
    assert store.keys(datasets.attributions(MODEL)) == []
