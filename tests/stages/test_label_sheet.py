"""People's labels come in by sheets: each with its author, the newer wins, and what cannot be is set aside."""

import csv
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, UNTIMED, Project

from perennial.clock import after
from perennial.errors import LabelSheetError, SheetExistsError
from perennial.stages import datasets
from perennial.stages.label_sheet import QUARANTINE, awaiting, import_sheet, set_aside, write_sheet
from perennial.stages.labels import labels_known
from perennial.stages.replay import load_history
from perennial.stages.validate import take_in_range

LAST = after(FIRST, 5)
NEXT = after(LAST)


@pytest.fixture
def workspace(project, registry_database):
    """Take six nights in; of the orders made on the fourth day nobody has said what became of them."""
    project.declare().deliver(FIRST, after(FIRST, 8))
    rows = project.read("outcomes", after(FIRST, 3))
    project.write("outcomes", after(FIRST, 3), rows[:50])
    opened = project.workspace(registry_database)
    load_history(opened, MODEL, FIRST, LAST)
    return opened


def sheet(path: Path, *rows: tuple[str, object], name: str = "order_id") -> Path:
    """Write a sheet as a person fills it."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([(name, "label"), *rows])
    return path


def labels(workspace, by: str = LAST) -> dict[str, float | str | None]:
    """Read the labels known at the end of a night."""
    return {row["order_id"]: row["label"] for row in labels_known(workspace, MODEL, by=by).to_pylist()}


def order(number: int, day: str = after(FIRST, 3)) -> str:
    """Name an order."""
    return f"{day}-{number:03d}"


def test_the_sheet_lists_the_rows_whose_label_is_due(workspace) -> None:
    """Neither rows that have one, nor those whose time has not come; and nothing that could lead a person."""
    rows = awaiting(workspace, MODEL, by=LAST)
    assert rows["order_id"].to_pylist() == [order(number) for number in range(50, 60)]
    assert rows.column_names == ["order_id", "ordered_at", "night", "label"]


def test_the_prediction_is_shown_only_on_request(workspace) -> None:
    """Without a champion there is none, and the column is there all the same."""
    rows = awaiting(workspace, MODEL, by=LAST, predicted=True)
    assert rows["prediction"].to_pylist() == [None] * 10


def test_a_sheet_is_never_written_over_somebodys_work(workspace, tmp_path) -> None:
    """What exists may be half filled."""
    path = tmp_path / "open.csv"
    assert write_sheet(awaiting(workspace, MODEL, by=LAST), path) == 10
    with pytest.raises(SheetExistsError):
        write_sheet(awaiting(workspace, MODEL, by=LAST), path)


def test_a_filled_sheet_closes_its_rows(workspace, tmp_path) -> None:
    """Exported, filled, imported: the labels are known from the night on, and the next sheet is shorter."""
    path = tmp_path / "open.csv"
    write_sheet(awaiting(workspace, MODEL, by=LAST), path)
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([lines[0], *(f"{line}{'yes' if i < 4 else ''}" for i, line in enumerate(lines[1:]))])
    )
    done = import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert (done.labelled, done.left_open, done.quarantined) == (4, 6, 0)
    assert labels(workspace)[order(50)] == 1.0
    assert order(50) not in labels(workspace, after(LAST, -1))
    assert awaiting(workspace, MODEL, by=LAST).num_rows == 6


def test_the_same_file_again_changes_nothing(workspace, tmp_path) -> None:
    """It is known by its bytes, whatever it is called and whoever brings it."""
    first = import_sheet(
        workspace, MODEL, sheet(tmp_path / "a.csv", (order(50), 1)), author="ann", night=LAST
    )
    again = import_sheet(
        workspace, MODEL, sheet(tmp_path / "b.csv", (order(50), 1)), author="ben", night=NEXT
    )
    assert again == first
    assert len(workspace.ledger.entries(MODEL, {"labels_imported"})) == 1
    assert workspace.store.keys(datasets.labels_by_hand(MODEL)) == [LAST]


def test_a_correction_supersedes_and_the_past_keeps_its_answer(workspace, tmp_path) -> None:
    """A later sheet wins, of one night or of two; asked as of an earlier night, the earlier label stands."""
    import_sheet(workspace, MODEL, sheet(tmp_path / "a.csv", (order(50), 1)), author="ann", night=LAST)
    second = import_sheet(
        workspace, MODEL, sheet(tmp_path / "b.csv", (order(50), 0)), author="ben", night=LAST
    )
    assert (second.corrected, labels(workspace)[order(50)]) == (1, 0.0)
    import_sheet(workspace, MODEL, sheet(tmp_path / "c.csv", (order(50), "yes")), author="ann", night=NEXT)
    assert (labels(workspace)[order(50)], labels(workspace, NEXT)[order(50)]) == (0.0, 1.0)


def test_a_person_corrects_the_source_and_a_newer_delivery_corrects_the_person(
    project, workspace, tmp_path
) -> None:
    """Of two labels for one row the newer wins, whoever gave it."""
    said = labels(workspace)[order(0)]
    path = sheet(tmp_path / "a.csv", (order(0), 1 - said), (order(50), 1))
    import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert (labels(workspace)[order(0)], labels(workspace)[order(50)]) == (1 - said, 1.0)
    take_in_range(workspace, MODEL, "outcomes", NEXT, after(NEXT))
    rows = project.read("outcomes", after(FIRST, 3))
    project.write("outcomes", after(FIRST, 3), [*rows, {**rows[0], "order_id": order(50), "returned": 0}])
    take_in_range(workspace, MODEL, "outcomes", after(FIRST, 3), after(FIRST, 3))
    late = labels(workspace, after(NEXT))
    assert (late[order(0)], late[order(50)]) == (1 - said, 0.0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("nobody", 1)], "no row up to"),
        ([(order(50), 1), (order(50), 0)], "several labels"),
        ([(order(0, NEXT), 1)], "has not happened"),
        ([(order(50), "maybe")], "'maybe' is none of"),
        ([(order(50), "2")], "'2' is none of"),
    ],
)
def test_what_cannot_be_a_label_is_set_aside_with_its_reason(workspace, tmp_path, rows, said) -> None:
    """The other rows of the sheet count; nothing of the bad ones does, and nothing is lost."""
    path = sheet(tmp_path / "a.csv", *rows, (order(59), 1))
    done = import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert (done.labelled, done.quarantined) == (1, len(rows))
    assert all(said in reason for reason in set_aside(workspace, MODEL, done))
    assert order(50) not in labels(workspace)
    aside = workspace.store.read(datasets.quarantine(MODEL, QUARANTINE), LAST)
    assert aside["row"].to_pylist() == list(range(2, 2 + len(rows)))


def test_a_row_twice_with_one_label_is_one_label(workspace, tmp_path) -> None:
    """Two people agree."""
    path = sheet(tmp_path / "a.csv", (order(50), 1), (order(50), "yes"))
    done = import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert (done.labelled, done.quarantined) == (1, 0)


@pytest.mark.parametrize("text", [None, "", "order_id\nx\n", "label\n1\n"])
def test_a_file_that_is_no_sheet_is_refused(workspace, tmp_path, text) -> None:
    """With the way to make one."""
    path = tmp_path / "a.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Exception, match=r"a\.csv") as caught:
        import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert caught.value.exit_code in {1, 2}


@pytest.mark.parametrize(
    ("task", "good", "bad"), [("regression", "-3.5", "inf"), ("multiclass", "lost", "mislaid")]
)
def test_labels_are_read_as_the_task_asks(registry_database, tmp_path, task, good, bad) -> None:
    """A number is finite; a class is one that has been seen."""
    project = Project(tmp_path / "project", task).declare().deliver(FIRST, LAST)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, LAST)
    path = sheet(tmp_path / "a.csv", (order(1), good), (order(2), bad))
    done = import_sheet(workspace, MODEL, path, author="ann", night=LAST)
    assert (done.labelled, done.quarantined) == (1, 1)
    assert str(labels(workspace)[order(1)]) == good


def untimed(project, change) -> None:
    """Deliver a table without time, its rows changed, and with them their labels."""
    path = project.root / "data" / "orders.csv"
    with path.open(newline="") as file:
        rows = [change(place, dict(row)) for place, row in enumerate(csv.DictReader(file))]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_rows_that_bring_their_own_label_await_it_where_it_is_empty(
    project, registry_database, tmp_path
) -> None:
    """A table without time, with some labels missing: people fill them, and the table again undoes nothing."""
    project.declare(UNTIMED, features=None).deliver_table(40)
    untimed(project, lambda place, row: {**row, "returned": ""} if place < 3 else row)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    assert awaiting(workspace, MODEL, by=FIRST).num_rows == 3
    import_sheet(workspace, MODEL, sheet(tmp_path / "a.csv", ("o0-0", 1)), author="ann", night=FIRST)
    untimed(project, lambda place, row: {**row, "order_id": "new"} if place == 39 else row)
    load_history(workspace, MODEL, NEXT, NEXT)
    assert labels(workspace, NEXT)["o0-0"] == 1.0
    assert set(awaiting(workspace, MODEL, by=NEXT)["order_id"].to_pylist()) == {"o0-1", "o0-2"}


def test_text_that_a_spreadsheet_would_calculate_survives_the_way_out_and_back(
    project, registry_database, tmp_path
) -> None:
    """Keys go out behind an apostrophe and come back without it."""
    project.declare(UNTIMED, features=None).deliver_table(10)
    untimed(project, lambda place, row: row if place else {**row, "order_id": "=1+1", "returned": ""})
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    out = tmp_path / "open.csv"
    write_sheet(awaiting(workspace, MODEL, by=FIRST), out)
    assert "'=1+1," in out.read_text()
    out.write_text(out.read_text().rstrip("\n") + "1\n")
    assert import_sheet(workspace, MODEL, out, author="ann", night=FIRST).labelled == 1
    assert labels(workspace, FIRST)["=1+1"] == 1.0


def test_a_sheet_error_names_the_way_to_make_one() -> None:
    """The next step is in the sentence."""
    assert "perennial label export" in str(LabelSheetError("a.csv", "it is empty"))
