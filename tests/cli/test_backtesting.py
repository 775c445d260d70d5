"""``perennial backtest``: a table and sentences for people, all of it for programs, misuse of windows named."""

from tests.doubles.projects import MODEL


def test_a_backtest_is_told_and_kept_on_request(perennial, served) -> None:
    """Baselines beside the model; a history this short says so; the ledger has a line only where it was asked for."""
    told = perennial("backtest", MODEL, of=served.root)
    assert told.status == 0
    assert all(name in told.out for name in ("model", "constant", "seasonal", "linear", "one_feature"))
    assert "there are not nights enough" in told.out
    words = ("backtest", MODEL, "--windows", "all,14", "--record", "--json")
    plain = perennial(*words, of=served.root)
    assert (plain.status, plain.json["chosen"], len(plain.json["windows"])) == (0, None, 1)
    lines = perennial("ledger", MODEL, "--kind", "backtested", "--json", of=served.root).json
    assert len(lines) == 1


def test_a_window_that_is_no_number_of_nights_is_misuse(perennial, served) -> None:
    """The message shows how to write it."""
    answer = perennial("backtest", MODEL, "--windows", "all,few", of=served.root)
    assert (answer.status, "all,90,180" in answer.err) == (2, True)
