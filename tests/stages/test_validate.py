"""Deliveries as they come: twice, late, never, corrected, cut off, empty; each does the right thing once."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, UNTIMED, Project

from perennial.clock import after, between, end_of
from perennial.errors import (
    BatchRejectedError,
    NightNotCompleteError,
    PerennialError,
    SourceSilentError,
    SourceUnreadableError,
)
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.labels import labels_known
from perennial.stages.validate import TakenIn, close_night, take_in_range
from perennial.store.local import LocalStore
from perennial.workspace import Workspace

LAST = after(FIRST, 5)
STATIC = """  places:
    uri: data/places.csv
    static: true
    key: [place]
    columns: {place: text, seats: integer}
label:"""
CHECKS = """    checks:
      - not_null: {columns: [order_id, place]}
      - between: {column: size, low: -1e9, high: 1e9}
      - row_count: {low: 5, on_failure: reject}
"""
CLEANED = """    clean:
      - trim: [place]
      - deduplicate: last
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """Make a project with six nights, a static table, cleaning and checks; some rows are bad."""
    template = TIMED.replace("label:", STATIC.replace("{", "{{").replace("}", "}}"))
    checks = CHECKS.replace("{", "{{").replace("}", "}}")
    begin, end = template.index("    checks:"), template.index("  outcomes:")
    project.declare(template[:begin] + CLEANED + checks + template[end:])
    project.deliver(FIRST, LAST)
    (project.root / "data" / "places.csv").write_text("place,seats\nnorth,10\nsouth,20\n")
    for night in between(FIRST, LAST):
        orders = project.read("orders", night)
        orders[3]["place"] = ""
        orders[4]["place"] = " north "
        orders[5]["size"] = "heavy"
        orders.append({**orders[6], "size": "1.5"})
        project.write("orders", night, orders)
    return project


def opened(project: Project, database: Path, home: str = "home") -> Workspace:
    """Open a workspace."""
    return project.workspace(database, home)


def take(workspace: Workspace, source: str, first: str, last: str | None = None) -> TakenIn:
    """Take one source in."""
    return take_in_range(workspace, MODEL, source, first, last or first)


def contents(store: LocalStore) -> dict[str, str]:
    """Identify the content of every published partition, reports of the contract apart."""
    found = {}
    for folder in sorted(store.root.glob("*/*/*")):
        model, dataset, key = folder.parts[-3:]
        manifest = store.manifest(f"{model}/{dataset}", key)
        if manifest and not dataset.startswith("reports."):
            found[f"{dataset}/{key}"] = manifest.content
    return found


def orders_of(workspace: Workspace, night: str, source: str = "orders") -> pa.Table:
    """Read a published night."""
    return workspace.store.read(datasets.table(MODEL, source), night)


def test_a_range_is_the_same_as_its_nights_one_by_one(shop: Project, registry_database: Path) -> None:
    """Tables, quarantine, changes and features have the same content, whichever way history came in."""
    bulk, nightly = opened(shop, registry_database, "bulk"), opened(shop, registry_database, "nightly")
    for source in ("orders", "outcomes", "places"):
        take(bulk, source, FIRST, LAST)
    build_features(bulk, MODEL, LAST)
    for night in between(FIRST, LAST):
        for source in ("orders", "outcomes", "places"):
            take(nightly, source, night)
        build_features(nightly, MODEL, night)
    assert contents(bulk.store) == contents(nightly.store)
    names = {name.partition("/")[0].partition(".")[0] for name in contents(bulk.store)}
    assert names == {"table", "quarantine", "changes", "features", "plans"}
    for key in bulk.store.keys(datasets.features(MODEL, bulk.plan(MODEL).hash)):
        dataset = datasets.features(MODEL, bulk.plan(MODEL).hash)
        assert bulk.store.read(dataset, key).equals(nightly.store.read(dataset, key))


def test_every_row_is_published_set_aside_or_a_counted_duplicate(
    shop: Project, registry_database: Path
) -> None:
    """Rows in are rows out; each row set aside has its reason and its original."""
    workspace = opened(shop, registry_database)
    done = take(workspace, "orders", FIRST)
    assert done.rows_in == done.published + done.quarantined + done.duplicates == 61
    aside = workspace.store.read(datasets.quarantine(MODEL, "orders"), FIRST).to_pylist()
    assert done.quarantined == len(aside) == 2
    assert "heavy" in "".join(row["original"] for row in aside)
    assert all(row["reasons"] for row in aside)


def test_a_night_twice_is_published_once(shop: Project, registry_database: Path) -> None:
    """The second time there is nothing new, and nothing changes."""
    workspace = opened(shop, registry_database)
    take(workspace, "orders", FIRST)
    before = contents(workspace.store)
    assert take(workspace, "orders", FIRST).nights == 0
    assert contents(workspace.store) == before
    assert workspace.store.version(datasets.table(MODEL, "orders"), FIRST) == 1


def test_a_night_that_never_came_is_said_and_cannot_be_closed(shop: Project, registry_database: Path) -> None:
    """Silence is an error for the night and leaves a range otherwise whole."""
    (shop.root / "data" / "orders" / f"{after(FIRST, 2)}.csv").unlink()
    workspace = opened(shop, registry_database)
    assert take(workspace, "orders", FIRST, LAST).nights == 5
    with pytest.raises(SourceSilentError, match="orders"):
        take(workspace, "orders", after(FIRST, 2))
    with pytest.raises(NightNotCompleteError, match="orders"):
        close_night(workspace, MODEL, after(FIRST, 2))


def test_a_late_night_is_known_from_when_it_came(shop: Project, registry_database: Path) -> None:
    """Nights in between were decided without it, and are not rebuilt as if it had been there."""
    late = after(FIRST, 2)
    path = shop.root / "data" / "orders" / f"{late}.csv"
    kept = path.read_bytes()
    path.unlink()
    workspace = opened(shop, registry_database)
    for night in between(FIRST, LAST):
        if night != late:
            take(workspace, "orders", night)
            take(workspace, "outcomes", night)
            build_features(workspace, MODEL, night)
    dataset = datasets.features(MODEL, workspace.plan(MODEL).hash)
    decided = {key: workspace.store.read(dataset, key) for key in workspace.store.keys(dataset)}
    path.write_bytes(kept)
    assert take(workspace, "orders", late).nights == 1
    assert set(orders_of(workspace, late)["known_at"].to_pylist()) == {end_of(LAST, "UTC")}
    for night in between(after(late), after(LAST, -1)):
        build_features(workspace, MODEL, night)
        assert workspace.store.read(dataset, night).equals(decided[night])
    assert late in workspace.store.keys(dataset)


def test_history_brought_in_later_but_older_than_all_is_not_late(
    shop: Project, registry_database: Path
) -> None:
    """The first half of a year may be loaded after the second."""
    workspace = opened(shop, registry_database)
    take(workspace, "orders", after(FIRST, 3), LAST)
    take(workspace, "orders", FIRST, after(FIRST, 2))
    for night in between(FIRST, LAST):
        assert set(orders_of(workspace, night)["known_at"].to_pylist()) == {end_of(night, "UTC")}


def test_a_correction_after_later_nights_leaves_what_they_knew(
    shop: Project, registry_database: Path
) -> None:
    """Both versions are kept with their times; a rebuilt night in between has the same features to the bit."""
    workspace = opened(shop, registry_database)
    for source in ("orders", "outcomes", "places"):
        take(workspace, source, FIRST, LAST)
    build_features(workspace, MODEL, LAST)
    dataset = datasets.features(MODEL, workspace.plan(MODEL).hash)
    decided = {key: workspace.store.read(dataset, key) for key in workspace.store.keys(dataset)}
    wrong = after(FIRST, 1)
    corrected = shop.read("orders", wrong)
    corrected[0]["size"] = "99"
    del corrected[1]
    shop.write("orders", wrong, corrected)
    assert take(workspace, "orders", wrong).nights == 1
    table = orders_of(workspace, wrong)
    assert len(table) == 58 + 1  # one row changed and is there in both versions, one has gone
    assert len(table) - table["superseded_at"].null_count == 2
    for night in between(after(FIRST, 2), after(LAST, -1)):
        build_features(workspace, MODEL, night)
        assert workspace.store.read(dataset, night).equals(decided[night])
    assert take(workspace, "orders", wrong).nights == 0


def test_a_correction_of_the_newest_night_takes_its_place(shop: Project, registry_database: Path) -> None:
    """Nothing was decided on it yet: one version, the corrected one."""
    workspace = opened(shop, registry_database)
    take(workspace, "orders", FIRST, LAST)
    corrected = shop.read("orders", LAST)[:10]
    shop.write("orders", LAST, corrected)
    take(workspace, "orders", LAST)
    assert orders_of(workspace, LAST)["superseded_at"].null_count == len(orders_of(workspace, LAST)) == 8


@pytest.mark.parametrize(
    "content", ["", "order_id,ordered_at", "order_id,ordered_at,place,size,weight,clicks\n", "PAR1", "\0\0"]
)
def test_an_empty_or_broken_file_publishes_nothing(
    shop: Project, registry_database: Path, content: str
) -> None:
    """Truncated, empty, or of another kind: an error with a code, nothing half-published, and later it may come."""
    path = shop.root / "data" / "orders" / f"{FIRST}.csv"
    whole = path.read_bytes()
    path.write_text(content)
    workspace = opened(shop, registry_database)
    with pytest.raises(PerennialError) as error:
        take(workspace, "orders", FIRST)
    assert error.value.code.startswith("PER-")
    assert not workspace.store.version(datasets.table(MODEL, "orders"), FIRST)
    path.write_bytes(whole)
    assert take(workspace, "orders", FIRST).nights == 1


def test_a_file_cut_off_in_a_row_is_not_taken_for_the_whole(shop: Project, registry_database: Path) -> None:
    """It is said to be cut, nothing of it is published, and whole it is taken in."""
    path = shop.root / "data" / "orders" / f"{FIRST}.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    workspace = opened(shop, registry_database)
    with pytest.raises(SourceUnreadableError, match="ends in the middle of line 62"):
        take(workspace, "orders", FIRST)
    assert contents(workspace.store) == {}
    path.write_bytes(whole)
    assert take(workspace, "orders", FIRST).rows_in == 61


def test_a_rejected_batch_publishes_nothing_and_keeps_every_row(
    shop: Project, registry_database: Path
) -> None:
    """Too few rows: all of them wait in quarantine, the night cannot be closed, and the ledger has a line."""
    shop.write("orders", FIRST, shop.read("orders", FIRST)[:4])
    workspace = opened(shop, registry_database)
    with pytest.raises(BatchRejectedError):
        take(workspace, "orders", FIRST)
    assert not workspace.store.version(datasets.table(MODEL, "orders"), FIRST)
    assert len(workspace.store.read(datasets.quarantine(MODEL, "orders"), FIRST)) == 4
    assert [entry.kind for entry in workspace.ledger.entries(MODEL)] == ["quarantined"]
    with pytest.raises(NightNotCompleteError):
        close_night(workspace, MODEL, FIRST)


def test_one_rejected_night_does_not_stop_the_nights_after_it(shop: Project, registry_database: Path) -> None:
    """History comes in as far as it is good; what is held back is said."""
    bad = after(FIRST, 2)
    shop.write("orders", bad, shop.read("orders", bad)[:4])
    workspace = opened(shop, registry_database)
    done = take(workspace, "orders", FIRST, LAST)
    assert done.nights == 5
    assert any(bad in text for text in done.said)
    assert workspace.store.keys(datasets.table(MODEL, "orders")) == [
        n for n in between(FIRST, LAST) if n != bad
    ]


def test_a_rejected_correction_leaves_what_is_published_and_what_was_set_aside(
    shop: Project, registry_database: Path
) -> None:
    """The night stands as it was, its quarantine too; the held rows lie beside it."""
    workspace = opened(shop, registry_database)
    take(workspace, "orders", FIRST)
    before = contents(workspace.store)
    shop.write("orders", FIRST, shop.read("orders", FIRST)[:4])
    with pytest.raises(BatchRejectedError):
        take(workspace, "orders", FIRST)
    assert {name: content for name, content in contents(workspace.store).items() if name in before} == before
    assert len(workspace.store.read(datasets.quarantine(MODEL, "orders"), f"{FIRST}-held")) == 4


def test_a_static_table_is_published_when_it_changes(shop: Project, registry_database: Path) -> None:
    """Unchanged it is not repeated; a row that is gone is gone from the features of later nights only."""
    features = '''from perennial import view


@view(entity="place")
def seats(places):
    """Seats of the place."""
    return places.seats
'''
    (shop.folder / "features.py").write_text(features)
    workspace = opened(shop, registry_database)
    for night in between(FIRST, after(FIRST, 1)):
        take(workspace, "orders", night)
        take(workspace, "places", night)
    (shop.root / "data" / "places.csv").write_text("place,seats\nnorth,11\nwest,30\n")
    take(workspace, "orders", after(FIRST, 2))
    assert take(workspace, "places", after(FIRST, 2)).nights == 1
    assert take(workspace, "places", FIRST).nights == 0  # an old night run again must not learn of it
    assert workspace.store.keys(datasets.table(MODEL, "places")) == [FIRST, after(FIRST, 2)]
    build_features(workspace, MODEL, after(FIRST, 2))
    seats = {}
    for night in between(FIRST, after(FIRST, 2)):
        table = workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), night)
        places = orders_of(workspace, night)["place"].to_pylist()
        seats[night] = dict(zip(places, table["f:seats"].to_pylist(), strict=True))
    assert seats[after(FIRST, 1)] == {"north": 10, "south": 20, "west": None}
    assert seats[after(FIRST, 2)] == {"north": 11, "south": None, "west": 30}


def test_outside_its_availability_a_source_is_not_missed(project: Project, registry_database: Path) -> None:
    """Nothing is due, nothing is an error, and the night can be closed without it."""
    project.declare(TIMED.replace("    key: [order_id]\n    event_time: ordered_at\n    columns",
                                  f"    available: {after(FIRST)}/{LAST}\n    key: [order_id]\n    event_time: ordered_at\n    columns"))  # fmt: skip
    project.deliver(FIRST, LAST)
    workspace = opened(project, registry_database)
    assert take(workspace, "outcomes", FIRST).said == (f"outcomes delivers nothing for {FIRST} to {FIRST}",)
    take(workspace, "orders", FIRST, LAST)
    assert close_night(workspace, MODEL, FIRST)["rows"] == 60
    assert take(workspace, "outcomes", FIRST, LAST).nights == 4
    with pytest.raises(NightNotCompleteError):
        close_night(opened(project, registry_database, "other"), MODEL, after(FIRST))


def test_a_table_without_time_is_one_delivery_however_often_it_is_looked_at(
    project: Project, registry_database: Path
) -> None:
    """The same table on the next night brings nothing new, and the night is closed all the same."""
    project.declare(UNTIMED, features=None).deliver_table(80)
    workspace = opened(project, registry_database)
    assert take(workspace, "orders", FIRST).published == 80
    assert take(workspace, "orders", after(FIRST)).nights == 0
    close_night(workspace, MODEL, after(FIRST))
    project.deliver_table(90, begin=1)
    assert take(workspace, "orders", after(FIRST, 2)).published == 90
    assert take(workspace, "orders", FIRST).nights == 0
    assert workspace.store.keys(datasets.table(MODEL, "orders")) == [FIRST, after(FIRST, 2)]


def outcomes(project: Project, night: str, **changed: str) -> None:
    """Deliver a night's outcomes with the first one changed."""
    rows = project.read("outcomes", night)
    project.write("outcomes", night, [{**rows[0], **changed}, *rows[1:]])


def test_labels_are_the_newest_version_known_by_the_night(project: Project, registry_database: Path) -> None:
    """A label corrected by a later delivery changes from then on; nothing known after the night is used."""
    project.declare().deliver(FIRST, LAST)
    first = project.read("outcomes", after(FIRST))[0]
    opposite = str(1 - int(str(first["returned"])))
    later = project.read("outcomes", after(FIRST, 3))
    workspace = opened(project, registry_database)
    take(workspace, "outcomes", FIRST, after(FIRST, 2))
    outcomes(project, after(FIRST), returned=opposite)
    take(workspace, "outcomes", after(FIRST))  # corrected after the night of FIRST + 2
    assert later

    def label(by: str) -> float:
        known = labels_known(workspace, MODEL, by=by).to_pylist()
        (found,) = [row["label"] for row in known if row["order_id"] == first["order_id"]]
        return float(found)

    assert label(after(FIRST, 1)) == float(str(first["returned"]))
    assert label(after(FIRST, 2)) == float(opposite)
    assert labels_known(workspace, MODEL, by=FIRST).num_rows == 60


def test_a_label_delivered_in_two_nights_is_the_later_one(project: Project, registry_database: Path) -> None:
    """Also where the source itself says that both became known at the same moment."""
    template = TIMED.replace("place: text, {truth}", "known: timestamp, {truth}").replace(
        "    key: [order_id]\n    event_time: ordered_at\n    columns: {{order_id: text, ordered_at: timestamp, known",
        "    key: [order_id]\n    event_time: ordered_at\n    known_at: known\n    columns: {{order_id: text, ordered_at: timestamp, known",
    )
    project.declare(template, features=None)
    moment = f"{FIRST}T10:00:00Z"
    for night, label in ((FIRST, 0), (after(FIRST), 1)):
        row: dict[str, object] = {"order_id": "a", "ordered_at": moment, "known": moment, "returned": label}
        project.write("outcomes", night, [row])
    workspace = opened(project, registry_database)
    take(workspace, "outcomes", FIRST, after(FIRST))
    assert labels_known(workspace, MODEL, by=FIRST)["label"].to_pylist() == [0.0]
    assert labels_known(workspace, MODEL, by=after(FIRST))["label"].to_pylist() == [1.0]


def test_an_outcome_without_a_label_is_known_to_have_none(project: Project, registry_database: Path) -> None:
    """It is a row whose label is missing, not a row that is missing."""
    project.declare().deliver(FIRST, FIRST)
    outcomes(project, FIRST, returned="")
    workspace = opened(project, registry_database)
    take(workspace, "outcomes", FIRST)
    labels = labels_known(workspace, MODEL, by=FIRST)
    assert (labels.num_rows, labels["label"].null_count) == (60, 1)


def test_a_file_that_cannot_be_read_is_named(shop: Project, registry_database: Path) -> None:
    """A folder in the place of a file is said to be none."""
    path = shop.root / "data" / "orders" / f"{FIRST}.csv"
    path.unlink()
    path.mkdir()
    with pytest.raises(SourceUnreadableError, match="is not a file"):
        take(opened(shop, registry_database), "orders", FIRST)
