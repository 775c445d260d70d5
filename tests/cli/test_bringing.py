"""A model comes into the project from a table, or from somewhere else, in one command."""

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression
from tests.doubles.projects import FIRST, MODEL

from perennial.clock import after


def table(folder) -> str:
    """Write a table as somebody has it."""
    chance = np.random.default_rng(7)
    rows = pd.DataFrame(
        {
            "customer": [f"c{i}" for i in range(400)],
            "age": chance.integers(18, 90, 400),
            "plan": chance.choice(["basic", "plus"], 400),
        }
    )
    rows["left"] = (rows["age"] + chance.normal(0, 10, 400) > 60).map({True: "yes", False: "no"})
    rows.to_csv(folder / "customers.csv", index=False)
    return str(folder / "customers.csv")


def test_a_table_becomes_a_folder_that_passes_its_check(perennial, tmp_path) -> None:
    """What was assumed is said in sentences, with the next step."""
    (tmp_path / "project").mkdir()
    root = tmp_path / "project"
    answer = perennial("new", "churn", "--from", table(root), "--label", "left", "--json", of=root)
    assert (answer.status, bool(answer.json["assumptions"])) == (0, True)
    assert answer.json["next"][0] == "perennial check churn"
    assert perennial("check", "churn", of=root).status == 0


def test_a_label_that_is_no_column_is_misuse(perennial, tmp_path) -> None:
    """Nothing is left behind."""
    answer = perennial("new", "churn", "--from", table(tmp_path), "--label", "lift", of=tmp_path)
    assert (answer.status, (tmp_path / "include" / "models" / "churn").exists()) == (2, False)


def test_a_fitted_model_is_adopted(perennial, project, tmp_path) -> None:
    """And the status says by whose word it serves."""
    project.declare().deliver(FIRST, after(FIRST, 3))
    perennial("run", MODEL, "validate", "--since", FIRST, "--night", after(FIRST, 3), of=project.root)
    rows = pd.DataFrame({"size": [1.0, 5.0, 12.0, 14.0]})
    skops.io.dump(LogisticRegression().fit(rows, [0, 0, 1, 1]), tmp_path / "mine.skops")
    words = ("adopt", MODEL, "--from", str(tmp_path / "mine.skops"), "--actor", "ann")
    assert perennial(*words, of=project.root).status == 0
    assert "adopted by the word of ann" in perennial("status", MODEL, of=project.root).out
    again = perennial(*words, "--night", after(FIRST, 2), of=project.root)
    assert (again.status, "adopted already" in again.out) == (0, True)
    assert perennial(*words[:3], str(tmp_path / "mine.pkl"), of=project.root).status == 1
