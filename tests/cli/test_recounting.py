"""Who served is one question and one answer; the record is listed, checked and copied from the command line."""

import sqlite3

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

NEXT = after(BIRTH)


def test_who_served_is_told_with_the_word_behind_it_and_a_checked_ledger(perennial, served) -> None:
    """A time, an entity, the gates' own sentence, and that no line was altered."""
    told = perennial("who-served", MODEL, "--at", f"{NEXT}T14:30", "--entity", "order-1", of=served.root)
    for part in ("version 1 of orders_model served", "passed", "order-1 was answered by version 1", "ledger"):
        assert part in told.out
    plain = perennial("who-served", MODEL, "--at", NEXT, "--json", of=served.root).json
    assert (plain["version"], plain["canary"], plain["ledger"]["whole"]) == ("1", None, True)


def test_the_ledger_is_exported_and_checked_against_its_copy(perennial, served, tmp_path) -> None:
    """Whole at first; a line altered since is named, and the status is 1."""
    copy = str(tmp_path / "copy")
    manifest = perennial("ledger", "export", "--to", copy, "--json", of=served.root).json
    assert perennial("ledger", "export", "--to", copy, of=served.root).status == 2
    checked = perennial("ledger", "verify", "--against", copy, "--json", of=served.root)
    assert (checked.status, checked.json["head"]) == (0, manifest["head"])
    with sqlite3.connect(served.root / "home" / "ledger.db") as connection:
        connection.execute("DROP TRIGGER entries_are_not_changed")
        connection.execute("UPDATE entries SET reason = 'Nothing happened.' WHERE seq = 2")
    found = perennial("ledger", "verify", "--against", copy, of=served.root)
    assert (found.status, "Line 2 (" in found.out) == (1, True)


def test_a_lost_registry_is_rebuilt_by_one_command(call, served) -> None:
    """With the database deleted and a process of its own, as on a morning after."""
    for file in (served.root / "home" / "mlflow").glob("mlflow.db*"):
        file.unlink()
    words = ("ledger", "rebuild-registry", "--json", "--project", str(served.root))
    done = call(*words, "--home", str(served.root / "home"))
    assert done.status == 0, done.err
    assert [one["evidence"]["what"] for one in done.json["done"]] == ["version gone", "alias"]
    again = call(*words, "--home", str(served.root / "home"))
    assert (again.status, again.json) == (0, {"done": [], "failed": {}})
    home = {"PERENNIAL_PROJECT": str(served.root), "PERENNIAL_HOME": str(served.root / "home")}
    assert call("run", MODEL, "validate", "--night", NEXT, **home).status == 0
    assert call("run", MODEL, "features", "--night", NEXT, **home).status == 0
    scored = call("run", MODEL, "score", "--night", NEXT, **home)
    assert "scored by version 1" in scored.out, scored.err
