"""`perennial new`: any sound table becomes a folder that loads and takes its own table in without a loss."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from perennial.engine.intake import Intake, IntakePlan, take_in
from perennial.engine.plan import compile_plan
from perennial.errors import NotATableError
from perennial.scaffold.naming import unnamed
from perennial.scaffold.new import NewModel, new
from perennial.sources import source_for
from perennial.spec.load import load
from perennial.spec.places import Roots

NIGHT = "2024-01-03"


@pytest.fixture
def models_root(tmp_path: Path) -> Path:
    """Lay out an empty project."""
    root = tmp_path / "include" / "models"
    root.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    return root


def orders(rows: int = 400) -> pd.DataFrame:
    """Make a table with time, entity, persons, gaps, odd names and ids with leading zeros."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(1, 60, rows),
            "ordered at": pd.date_range("2024-01-01", periods=rows, freq="7h"),
            "Größe": rng.normal(size=rows).round(3),
            'it\'s "odd"': rng.choice(["a", "b: c", "no", "007"], rows),
            "zip": rng.choice(["01234", "99999"], rows),
            "email": [f"u{k}@example.org" for k in range(rows)],
            "first_name": rng.choice(["Ann", "Bo"], rows),
            "score": rng.choice(["1.0", "2.5", "NA"], rows),
            "amount": np.where(rng.random(rows) < 0.05, -999, rng.integers(0, 100, rows)),
            "note": [f"this is remark number {k}, quite long and never the same" for k in range(rows)],
            "constant": 1,
            "returned": rng.choice(["yes", "no"], rows),
        }
    )


def made(frame: pd.DataFrame, label: str, models_root: Path, **options: str) -> NewModel:
    """Write a table as CSV into the project and make a model of it."""
    file = models_root.parents[1] / "data" / "table.csv"
    frame.to_csv(file, index=False)
    return new("mine", file, label, models_root=models_root, **options)


def taken_in(model: NewModel, source: str) -> Intake:
    """Read and judge one night of a new model's source, as `validate` does."""
    spec = load(model.folder)
    plan = IntakePlan(source, spec.sources[source], spec.timezone)
    request = plan.request(NIGHT, root=model.folder.parents[2])
    return take_in(source_for(request.location, request.format).read(request), plan, contract=False)


@pytest.mark.parametrize(
    ("table", "task", "rows"),
    [
        (load_iris, "multiclass", 149),  # two of its flowers are alike in everything
        (load_wine, "multiclass", 178),
        (load_diabetes, "regression", 442),
        (load_breast_cancer, "binary", 569),
    ],
)
def test_tables_that_packages_ship_become_models(table, task: str, rows: int, models_root: Path) -> None:
    """Scikit-learn's tables load, and every different row is published."""
    model = made(table(as_frame=True).frame, "target", models_root)
    spec = load(model.folder)
    assert (spec.task, spec.scored.event_time, spec.label.expression) == (task, None, "target")
    assert "target" not in spec.scored.columns
    assert len((model.folder / "model.yaml").read_text().splitlines()) < 60
    for source in ("rows", "labels"):
        intake = taken_in(model, source)
        assert (intake.published.num_rows, intake.quarantined.num_rows) == (rows, 0)


def test_a_table_with_time_and_customers(models_root: Path) -> None:
    """Time, entity, key, persons, missing words and odd names are found, written and read back."""
    frame = orders()
    model = made(frame, "returned", models_root)
    spec = load(model.folder)
    rows = spec.scored
    assert (spec.task, spec.entity, rows.event_time) == ("binary", "customer_id", "ordered at")
    assert rows.key == ("customer_id", "ordered at")
    assert spec.sources["labels"].columns["returned"] == "boolean"
    assert rows.columns["zip"] == "text"
    assert spec.privacy.pii == ("email", "first_name")
    assert spec.features.columns == ("Größe", 'it\'s "odd"', "zip", "score", "amount")
    assert rows.available is not None
    assert rows.available.first == "2024-01-01"
    intake = taken_in(model, "rows")
    day = frame["ordered at"].dt.strftime("%Y-%m-%d") == NIGHT
    assert (intake.published.num_rows, intake.quarantined.num_rows) == (day.sum(), 0)


def test_a_number_that_counts_rows_names_them(models_root: Path) -> None:
    """Whatever it is called: as a feature it would move every night, and say nothing."""
    rng = np.random.default_rng(7)
    frame = orders().assign(parcel=np.arange(90_001, 90_401), cents=rng.integers(0, 10**9, 400))
    spec = load(made(frame, "returned", models_root, time="ordered at", entity="customer_id").folder)
    assert spec.scored.key == ("parcel",)
    assert "parcel" not in spec.features.columns
    assert "cents" in spec.features.columns


def test_every_assumption_is_in_the_file_and_the_readme(models_root: Path) -> None:
    """What was guessed can be read where it can be corrected."""
    model = made(orders(), "returned", models_root)
    declaration = " ".join((model.folder / "model.yaml").read_text().replace("\n#", " ").split())
    page = (model.folder / "README.md").read_text()
    topics = [note.partition(":")[0] for note in model.assumptions]
    assert topics == ["task", "time", "entity", "privacy", "key", "features", "estimator"]
    for note in model.assumptions:
        assert note in declaration
        assert note in page
    assert "perennial run mine validate --since 2024-01-01 --night 2024-04-26" in page


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "sqlite", "duckdb"])
def test_each_kind_of_table_says_the_same(kind: str, models_root: Path) -> None:
    """The same rows make the same model, whatever holds them."""
    frame = orders().drop(columns=["score"]).astype({"ordered at": str})
    file = models_root.parents[1] / "data" / f"table.{kind}"
    if kind == "sqlite":
        with closing(sqlite3.connect(file)) as database:
            frame.to_sql("orders", database, index=False)
    elif kind == "duckdb":
        with duckdb.connect(str(file)) as database:
            database.register("frame", frame)
            database.execute("CREATE TABLE orders AS FROM frame")
    elif kind == "csv":
        frame.to_csv(file, index=False)
    elif kind == "parquet":
        frame.to_parquet(file)
    else:
        frame.to_json(file, orient="records", lines=True)
    model = new("mine", file, "returned", models_root=models_root)
    spec = load(model.folder)
    assert spec.scored.key == ("customer_id", "ordered at")
    assert spec.features.columns == ("Größe", 'it\'s "odd"', "zip", "amount")
    assert taken_in(model, "rows").published.num_rows > 0


def test_a_table_outside_the_project_opens_its_folder(models_root: Path, tmp_path_factory) -> None:
    """The folder is added to the project's settings, other settings stay, and it is said."""
    (models_root.parent / "perennial.toml").write_text('# ours\ndata_roots = ["/srv/x"]\nother = 1\n')
    file = tmp_path_factory.mktemp("elsewhere") / "table.csv"
    orders().to_csv(file, index=False)
    model = new("mine", file, "returned", models_root=models_root)
    settings_text = (models_root.parent / "perennial.toml").read_text()
    assert settings_text.startswith(f'# ours\ndata_roots = ["/srv/x", "{file.parent}"]\nother = 1')
    assert Roots.of(models_root).path(str(file)) == file
    assert any(note.startswith("place:") for note in model.assumptions)


def test_several_tables_are_asked_for(models_root: Path) -> None:
    """A database with several tables needs the name of one."""
    file = models_root.parents[1] / "data" / "shop.db"
    with closing(sqlite3.connect(file)) as database:
        orders().to_sql("orders", database, index=False)
        orders().to_sql("returns", database, index=False)
    with pytest.raises(NotATableError, match=r"several tables.*orders, returns"):
        new("mine", file, "returned", models_root=models_root)
    new("mine", file, "returned", models_root=models_root, table="orders")
    assert load(models_root / "mine").scored.table == "orders"


def test_a_table_without_any_key_is_refused(models_root: Path) -> None:
    """Where rows cannot be told apart nothing is invented; the sentence says what to add."""
    frame = pd.DataFrame({"size": ["S", "M"] * 100, "late": [0, 1, 1, 0] * 50})
    with pytest.raises(NotATableError, match="Add a column that names each row"):
        made(frame, "late", models_root)
    assert not (models_root / "mine").exists()


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda f: f, {"label": "retruned"}, 'Did you mean "returned"'),
        (lambda f: f, {"label": "returned", "time": "zip"}, "holds no times"),
        (lambda f: f, {"label": "returned", "entity": "customer"}, 'Did you mean "customer_id"'),
        (lambda f: f.assign(returned="yes"), {"label": "returned"}, "nothing to predict"),
        (lambda f: f.head(20), {"label": "returned"}, "at least 50"),
        (lambda f: f, {"label": "email"}, "at most 50 can be classes"),
        (lambda f: f.rename(columns={"zip": "z\nip"}), {"label": "returned"}, "no readable name"),
    ],
)
def test_what_cannot_be_a_model_is_said(
    change, options: dict[str, str], said: str, models_root: Path
) -> None:
    """Each refusal is one sentence, and leaves no folder behind."""
    with pytest.raises(NotATableError, match=said):
        made(change(orders()), models_root=models_root, **options)
    assert not (models_root / "mine").exists()


def test_a_taken_or_bad_name_is_refused(models_root: Path) -> None:
    """Nothing is overwritten, and a bad name is answered with a good one."""
    made(orders(), "returned", models_root)
    with pytest.raises(NotATableError, match="already a folder"):
        made(orders(), "returned", models_root)
    with pytest.raises(NotATableError, match="for example 'my_model'"):
        new("My Model", models_root / "x.csv", "returned", models_root=models_root)


def test_a_renamed_answer_is_no_feature(models_root: Path) -> None:
    """A column that says the same as the label in other words is left out, and that is said."""
    frame = orders()
    frame["sent back"] = frame["returned"].map({"yes": "Y", "no": "N"})
    model = made(frame, "returned", models_root)
    assert "sent back" not in load(model.folder).features.columns
    assert any("sent back (says the same as the label)" in note for note in model.assumptions)


NAMES = st.text(st.characters(blacklist_categories=("C", "Zl", "Zp")), min_size=1, max_size=12)


@given(names=st.lists(NAMES.filter(str.strip), min_size=3, max_size=3, unique=True))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_readable_names_of_columns_are_written_and_read_back(names: list[str], tmp_path_factory) -> None:
    """Quotes, colons, brackets and words of YAML are names like others; a taken name is not."""
    assume(not unnamed(names, set()))
    root = tmp_path_factory.mktemp("project") / "include" / "models"
    (root.parents[1] / "data").mkdir(parents=True)
    first, second, label = names
    frame = pd.DataFrame(
        {first: range(60), second: [f"k{i % 7}" for i in range(60)], label: [i % 5 / 7 for i in range(60)]}
    )
    file = root.parents[1] / "data" / "table.parquet"
    frame.to_parquet(file)
    spec = load(new("mine", file, label, models_root=root).folder)
    assert list(spec.scored.columns) == [first, second]
    assert spec.label.expression == label


def test_columns_whose_names_are_taken_are_left_out_and_the_folder_is_sound(models_root: Path) -> None:
    """Whatever stands beside features and predictions keeps its name; the table's column is left out, and that is said."""
    frame = orders().drop(columns="customer_id")
    frame["night"] = [f"{k:05d}" for k in range(len(frame))]
    frame = frame.assign(predict_at=frame["amount"], known_at=1.5, ZIP="x", label=frame["amount"] % 7)
    model = made(frame, "returned", models_root)
    spec = load(model.folder)
    assert not {"predict_at", "known_at", "ZIP"} & set(spec.scored.columns)
    assert "night" not in spec.scored.key
    assert "label" in spec.features.columns
    assert any("predict_at (its name is taken" in note for note in model.assumptions)
    assert compile_plan(spec, model.folder).keys == spec.scored.key
    assert taken_in(model, "rows").published.num_rows > 0
    assert taken_in(model, "labels").published.num_rows > 0


def test_a_name_that_is_taken_and_needed_is_refused(models_root: Path) -> None:
    """A label that cannot be read by its name cannot be left out."""
    with pytest.raises(NotATableError, match="Rename that column"):
        made(orders().rename(columns={"returned": "Known_At"}), "Known_At", models_root)


@pytest.mark.parametrize("timed", [True, False])
def test_a_table_that_a_line_explains_is_given_a_line(*, timed: bool, models_root: Path) -> None:
    """Where trees miss more than a line on rows that neither saw, the folder says linear; where not, it says nothing."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 900))
    table = pd.DataFrame({"id": [f"r{k:04d}" for k in range(900)], "x": x, "z": z})
    if timed:
        table["at"] = pd.date_range("2024-01-01", periods=900, freq="2h")
    line = made(table.assign(y=2 * x - z + rng.normal(size=900)), "y", models_root)
    assert load(line.folder).training.estimator == "linear"
    steps = table.assign(y=np.where(np.abs(x) > 0.7, 5.0, 0.0) + rng.normal(size=900) / 5)
    (models_root / "mine").rename(models_root / "other")
    assert load(made(steps, "y", models_root).folder).training.estimator == "gradient_boosting"


@pytest.mark.parametrize(("nights", "said"), [(13, True), (14, False), (6, False)])
def test_a_table_of_few_nights_is_told_when_its_first_model_comes(
    *, nights: int, said: bool, models_root: Path
) -> None:
    """Of 7 to 13 nights too few can be kept back for the gates, and who brings such a table is told before waiting."""
    days = pd.date_range("2024-05-01", periods=nights).repeat(20)
    rng = np.random.default_rng(11)
    table = pd.DataFrame(
        {"id": range(len(days)), "day": days.astype(str), "x": rng.normal(size=len(days)).round(3)}
    )
    notes = made(table.assign(late=rng.integers(0, 2, len(days))), "late", models_root).assumptions
    assert any(note.startswith(f"nights: only {nights}") for note in notes) is said


@pytest.mark.parametrize(("between", "spoken"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_found_and_said(models_root: Path, between: str, spoken: str) -> None:
    """The folder declares it, says so, and takes the file in; numbers with a decimal comma are pointed out."""
    file = models_root.parents[1] / "data" / "table.csv"
    frame = orders()
    frame["price"] = [f"{k},{k % 10}" for k in range(len(frame))]
    frame.to_csv(file, index=False, sep=between)
    found = new("orders", file, "returned", models_root=models_root)
    assert f"delimiter: the file is separated by {spoken}." in found.assumptions
    assert any("price: its numbers have a decimal comma" in said for said in found.assumptions)
    spec = load(found.folder)
    assert {source.delimiter for source in spec.sources.values()} == {between}
    assert taken_in(found, "rows").report.rows_quarantined == 0
