"""Wrong labels of a real project are found, go out as a sheet, and are right once the sheet has come back."""

import csv

import pytest
from tests.doubles.projects import FIRST, MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.stages import datasets
from perennial.stages.candidates import champion
from perennial.stages.label_sheet import import_sheet, write_sheet
from perennial.stages.labels import labels_known
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.suspect_labels import sheet, suspect_labels

NEXT = after(BIRTH)


def found(workspace, night=BIRTH, most=20):
    """Rank the labels of the first version."""
    return suspect_labels(workspace, MODEL, night, champion(workspace, MODEL, NEXT), most)


def turn_surest(served, workspace, rows=8):
    """Turn the labels around of the rows of the next night that the version was surest of."""
    pass_night(workspace, MODEL, NEXT)
    said = workspace.store.read(datasets.predictions(MODEL), NEXT).to_pylist()
    surest = sorted(said, key=lambda row: min(row["prediction"], 1 - row["prediction"]))[:rows]
    wrong = {row["order_id"]: int(row["prediction"] < 0.5) for row in surest}
    told = served.read("outcomes", after(NEXT))
    served.write(
        "outcomes",
        after(NEXT),
        [{**row, "returned": wrong.get(row["order_id"], row["returned"])} for row in told],
    )
    pass_night(workspace, MODEL, after(NEXT))
    return wrong


def test_every_unseen_row_is_named_and_looked_at(workspace) -> None:
    """Forward folds, holdout and served nights: each key once, with its present label."""
    whole = found(workspace, most=10_000)
    keys = [row["order_id"] for row in whole.listed]
    reference = workspace.store.read(datasets.reference(MODEL), "1")
    assert whole.ranking.rows == reference.num_rows
    assert len(keys) == len(set(keys))
    labels = {row["order_id"]: row["label"] for row in labels_known(workspace, MODEL, by=BIRTH).to_pylist()}
    assert all(row["given"] == labels[row["order_id"]] for row in whole.listed)


def test_turned_labels_come_first_go_out_and_come_back(served, workspace, tmp_path) -> None:
    """With the probability and the reason; what a person corrects is right, and no suspect any more."""
    wrong = turn_surest(served, workspace)
    before = found(workspace, after(NEXT))
    first = {row["order_id"] for row in before.listed}
    assert len(first & set(wrong)) >= 5
    path = tmp_path / "doubtful.csv"
    assert write_sheet(sheet(before, ("order_id",)), path) == 20
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {""}
    assert "the model gave this label 0." in rows[0]["why"]
    filled = [
        {**row, "label": 1 - wrong[row["order_id"]]} if row["order_id"] in wrong else row for row in rows
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(filled)
    done = import_sheet(workspace, MODEL, path, author="ann", night=after(NEXT))
    assert done.corrected == len(first & set(wrong))
    again = found(workspace, after(NEXT))
    assert not {row["order_id"] for row in again.listed} & first & set(wrong)
    assert again.loss < before.loss


def test_the_effect_is_shown_and_decides_nothing(workspace) -> None:
    """Loss with and without, the gate's answer before and after; nothing is recorded."""
    entries = len(workspace.ledger.entries(MODEL))
    told = found(workspace)
    assert told.loss_without < told.loss
    assert told.gate.dropped <= 20
    assert (told.gate.before, told.gate.after) == ("pass", "pass")
    assert "beats the constant baseline" in told.gate.reason
    assert len(workspace.ledger.entries(MODEL)) == entries
    assert found(workspace).as_json() == told.as_json()


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_numbers_and_classes_have_suspects_of_their_own(registry_database, tmp_path, task) -> None:
    """A number has the distance as its reason, a class the class that is likelier."""
    project = Project(tmp_path / "project", task).declare().deliver(FIRST, BIRTH)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    told = found(workspace, most=3)
    assert told.ranking.rows > 100
    assert ("standard deviations from" if task == "regression" else "the model gave") in told.listed[0]["why"]
    assert sheet(told, ("order_id",)).num_rows == 3


def test_too_few_labels_are_said_to_be_too_few(workspace) -> None:
    """As of a night on which nothing was known, nothing is ranked, and the sheet is empty."""
    told = suspect_labels(workspace, MODEL, after(FIRST, 1), champion(workspace, MODEL, NEXT))
    assert told.reason.startswith("Suspect labels cannot be told")
    assert (told.listed, told.gate) == ((), None)
    assert sheet(told, ("order_id",)).num_rows == 0
