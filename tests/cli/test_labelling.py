"""A sheet goes out to people and comes back, in two commands."""

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

NEXT = after(BIRTH)


def test_a_sheet_goes_out_and_comes_back(perennial, served, tmp_path) -> None:
    """Rows that await a label, filled by a person, known from the night on."""
    rows = served.read("outcomes", after(NEXT))
    served.write("outcomes", after(NEXT), rows[:57])
    for night in (NEXT, after(NEXT)):
        perennial("night", MODEL, night, of=served.root)
    path = tmp_path / "open.csv"
    out = perennial(
        "label", "export", MODEL, "--to", str(path), "--show-prediction", "--json", of=served.root
    )
    assert (out.status, out.json["rows"]) == (0, 3)
    header, *lines = path.read_text().splitlines()
    assert header == "order_id,ordered_at,night,label,prediction"
    assert all(line.rpartition(",")[2] for line in lines)
    path.write_text("order_id,label\n" + "\n".join(f"{line.split(',')[0]},1" for line in lines))
    done = perennial("label", "import", MODEL, str(path), "--author", "Ann Smith", "--json", of=served.root)
    assert (done.status, done.json["labelled"], done.json["night"]) == (0, 3, after(NEXT))
    assert perennial("label", "export", MODEL, "--to", str(path), of=served.root).status == 2


def test_rows_that_are_set_aside_make_the_answer_no(perennial, served, tmp_path) -> None:
    """With the line and the reason of each."""
    path = tmp_path / "filled.csv"
    path.write_text("order_id,label\nnobody,1\n")
    answer = perennial("label", "import", MODEL, str(path), of=served.root)
    assert (answer.status, "line 2: key: no row" in answer.out) == (1, True)


def test_suspects_are_listed_and_go_out_as_a_sheet(perennial, served, tmp_path) -> None:
    """Most doubtful first, with the reason; one file is asked for, not two and not none."""
    told = perennial("label", "suspects", MODEL, "--most", "3", "--json", of=served.root)
    assert (told.status, len(told.json["listed"])) == (0, 3)
    assert "decides nothing" in perennial("label", "suspects", MODEL, "--most", "3", of=served.root).out
    path = tmp_path / "doubtful.csv"
    out = perennial("label", "export", MODEL, "--suspects", str(path), "--most", "3", of=served.root)
    assert (out.status, len(path.read_text().splitlines())) == (0, 4)
    assert "perennial label import" in out.out
    assert perennial("label", "export", MODEL, "--suspects", str(path), of=served.root).status == 2
    assert perennial("label", "export", MODEL, of=served.root).status == 2
