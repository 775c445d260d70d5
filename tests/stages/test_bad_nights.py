"""Nights that no feed should bring: each ends in a stated verdict or a sentence, and never in calm that is not known."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from tests.doubles.projects import FIRST, MODEL, ORDER_COLUMNS, TIMED, Project

from perennial.clock import after, between
from perennial.errors import CorruptPartitionError, PerennialError, UnreadableProfileError
from perennial.stages import datasets
from perennial.stages.candidates import champion
from perennial.stages.labels import labels_known
from perennial.stages.monitor import monitor
from perennial.stages.profiling import inputs_name
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.verdict import Watched
from perennial.workspace import Workspace

LAST = after(FIRST, 84)
"""By then the nightly watch can tell."""
TONIGHT = after(LAST)

pytestmark = pytest.mark.slow
Rows = list[dict[str, object]]


@dataclass(frozen=True)
class Came:
    """What a night came to: its verdict, and the sentence of whatever refused it."""

    watched: Watched
    refused: str = ""


@pytest.fixture(scope="module")
def known(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project of 85 nights whose model serves from the next; never to be written to."""
    project = Project(tmp_path_factory.mktemp("known") / "project").declare().deliver(FIRST, TONIGHT)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, LAST)
    assert renew(workspace, MODEL, LAST).promoted
    return project


@pytest.fixture
def project(known: Project, tmp_path: Path) -> Project:
    """Copy the project, to do with it as a test likes."""
    return known.copied_to(tmp_path / "project")


def passed(workspace: Workspace, night: str = TONIGHT) -> Came:
    """Let a night pass as Airflow does: what validate refuses is red, and the monitor has its own clock."""
    try:
        return Came(pass_night(workspace, MODEL, night).watched)
    except PerennialError as error:
        return Came(monitor(workspace, MODEL, night), str(error))


def with_rows(change: Callable[[Rows], Rows]) -> Callable[[Project], None]:
    """Deliver tonight's orders otherwise."""

    def deliver(project: Project) -> None:
        project.write("orders", TONIGHT, change(project.read("orders", TONIGHT)))

    return deliver


def column(name: str, value: Callable[[int, object], object]) -> Callable[[Project], None]:
    """Change a column of every row."""
    return with_rows(lambda rows: [{**row, name: value(place, row[name])} for place, row in enumerate(rows)])


def no_rows(project: Project) -> None:
    """Deliver the names of the columns alone."""
    file = project.root / "data" / "orders" / f"{TONIGHT}.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")


def no_rows_as_declared(project: Project) -> None:
    """Deliver no rows where that is declared to be a delivery."""
    told = project.folder / "model.yaml"
    told.write_text(told.read_text().replace("    lead_days: 1\n", "    lead_days: 1\n    min_rows: 0\n"))
    no_rows(project)


def without(name: str, other: str = "") -> Callable[[Project], None]:
    """Leave a column out, or deliver it under another name."""
    return with_rows(
        lambda rows: [
            {(other or key if key == name else key): v for key, v in row.items() if other or key != name}
            for row in rows
        ]
    )


REFUSED = {
    "no rows": (no_rows, "has 0 rows; at least 1 make a delivery"),
    "a lost column": (without("weight"), "lacks column 'weight'"),
    "a renamed column": (without("weight", "mass"), "It has: order_id, ordered_at, place, size, mass"),
    "a retyped column": (column("weight", lambda _, __: "heavy"), "weight 'heavy' is not a number"),
    "infinities": (column("weight", lambda i, v: "inf" if i % 2 else v), "weight 'inf' is not finite"),
    "one infinity too much": (column("size", lambda i, v: "-inf" if i < 13 else v), "13 of 60 rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_night_that_cannot_be_read_is_refused_in_a_sentence_and_silent(
    project: Project, registry_database: Path, case: str
) -> None:
    """What is wrong is said where it came in, and the verdict says that nothing was judged."""
    deliver, said = REFUSED[case]
    deliver(project)
    came = passed(project.workspace(registry_database))
    assert said in came.refused
    assert (came.watched.state, came.watched.cause) == ("silent", "silent_source")
    assert "absent data are not quiet data" in came.watched.reason


PAGED = {
    "no rows, as declared": (no_rows_as_declared, "rows 60 -> 0"),
    "one row": (with_rows(lambda rows: rows[:1]), "rows 60 -> 1"),
    "two rows": (with_rows(lambda rows: rows[:2]), "rows 60 -> 2"),
    "an empty column": (column("weight", lambda _, __: ""), "weight missing share 0 -> 1"),
    "a constant column": (column("weight", lambda _, __: "3.5"), "weight has one value in all rows"),
    "as many categories as rows": (
        column("place", lambda i, _: f"p{i}"),
        "place has none of its usual values",
    ),
}


@pytest.mark.parametrize("case", PAGED)
def test_a_night_that_is_not_itself_pages_and_says_what_moved(
    project: Project, registry_database: Path, case: str
) -> None:
    """It can be read, so it is judged, and by what is strange of it."""
    deliver, said = PAGED[case]
    deliver(project)
    came = passed(project.workspace(registry_database))
    assert (came.watched.state, came.refused) == ("page", "")
    assert said in came.watched.reason
    assert came.watched.cause == "broken_feed"


QUIET = {
    "a new column": with_rows(lambda rows: [{**row, "colour": "red"} for row in rows]),
    "a category of ten megabytes": column("place", lambda i, v: "x" * 10_000_000 if i == 0 else v),
    "a few infinities": column("weight", lambda i, v: "inf" if i < 2 else v),
}


@pytest.mark.parametrize("case", QUIET)
def test_what_does_no_harm_is_quiet_and_still_told(
    project: Project, registry_database: Path, case: str
) -> None:
    """A column nobody asked for, one enormous text, two rows set aside: counted, and the rest judged."""
    QUIET[case](project)
    workspace = project.workspace(registry_database)
    came = passed(workspace)
    assert (came.watched.state, came.refused) == ("quiet", "")
    told = json.dumps(workspace.store.manifest(datasets.table(MODEL, "orders"), TONIGHT).meta)
    assert {"a new column": "colour"}.get(case, "") in told
    if case == "a few infinities":
        held = workspace.store.read(datasets.quarantine(MODEL, "orders"), TONIGHT).to_pylist()
        assert ["not finite" in str(row) for row in held] == [True, True]


@pytest.mark.parametrize("nights", [1, 2])
def test_a_reference_of_one_night_is_too_little_and_says_so(
    registry_database: Path, tmp_path: Path, nights: int
) -> None:
    """Learning, with the number of nights that are needed; never quiet."""
    young = Project(tmp_path / "young").declare().deliver(FIRST, after(FIRST, nights - 1))
    workspace = young.workspace(registry_database)
    last = after(FIRST, nights - 1)
    load_history(workspace, MODEL, FIRST, last)
    watched = monitor(workspace, MODEL, last)
    assert watched.state == "learning"
    assert f"{watched.nights_needed} more nights are needed" in watched.reason


def test_a_history_with_gaps_names_them_and_waits_for_what_it_lacks(
    registry_database: Path, tmp_path: Path
) -> None:
    """Two weeks that never came, and nights of tonight's weekday: what was left out is named; a gap is silent."""
    last = after(FIRST, 129)
    project = Project(tmp_path / "gaps").declare()
    gone = {*between(after(FIRST, 40), after(FIRST, 53)), *(after(last, -days) for days in (1, 7, 14))}
    for day in between(FIRST, last):
        if day not in gone:
            project.deliver(day)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, last)
    watched = monitor(workspace, MODEL, last)
    assert watched.state == "quiet"
    reference = watched.arms["night_shift"]["evidence"]["reading"]["evidence"]["reference"]
    assert reference["left_out"] == {after(last, -days): "nothing came" for days in (7, 14)}
    assert monitor(workspace, MODEL, after(last, -1)).state == "silent"


LOCAL = TIMED.replace("{extra}", "timezone: Europe/Berlin\n{extra}")


@pytest.mark.parametrize("change", ["2024-03-31", "2024-10-27"], ids=["an hour less", "an hour more"])
def test_a_night_on_which_clocks_are_changed_is_a_night(
    registry_database: Path, tmp_path: Path, change: str
) -> None:
    """Its rows are of that day by the local clock, none is set aside, and it is as quiet as any other."""
    first, last = after(change, -85), after(change, -1)
    project = Project(tmp_path / "clocks").declare(LOCAL)
    for night in between(first, last):
        project.deliver(night)
        for source in ("orders", "outcomes"):
            rows = project.read(source, night)
            project.write(
                source, night, [{**row, "ordered_at": _local(str(row["ordered_at"]))} for row in rows]
            )
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, first, last)
    watched = monitor(workspace, MODEL, last)
    assert watched.state == "quiet"
    assert workspace.store.manifest(datasets.table(MODEL, "orders"), last).rows == project.world.rows


def _local(written: str) -> str:
    """Write the local clock's time; the hour that a spring day lacks is the one after it."""
    return written.removesuffix("Z").replace("T02:", "T03:")


def spoilt(workspace: Workspace, night: str, **change: object) -> None:
    """Write a night's profile otherwise, as somebody who edits what was published does."""
    version = champion(workspace, MODEL, TONIGHT)
    assert version is not None
    dataset = datasets.profiles(MODEL, inputs_name(workspace, MODEL, version.plan))
    kept = workspace.store.read(dataset, night)
    found = json.loads(kept["profile"][0].as_py()) | change
    place = kept.column_names.index("profile")
    workspace.store.publish(dataset, night, kept.set_column(place, "profile", pa.array([json.dumps(found)])))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"rows": 7}, "not what its checksum says"), ({"version": 9}, "it has version 9")],
    ids=["a wrong checksum", "a later version"],
)
def test_a_profile_that_nobody_vouches_for_is_refused_when_a_cause_is_sought(
    project: Project, registry_database: Path, change: dict[str, object], said: str
) -> None:
    """A page is not explained with numbers that were changed: it is an error with the way back."""
    PAGED["an empty column"][0](project)
    workspace = project.workspace(registry_database)
    monitor(workspace, MODEL, LAST)
    spoilt(workspace, LAST, **change)
    with pytest.raises(UnreadableProfileError, match=said):
        pass_night(workspace, MODEL, TONIGHT)


def test_a_profile_of_the_first_version_is_still_compared_with(
    project: Project, registry_database: Path
) -> None:
    """An update loses no year of nights."""
    PAGED["an empty column"][0](project)
    workspace = project.workspace(registry_database)
    monitor(workspace, MODEL, LAST)
    spoilt(workspace, LAST, version=1)
    assert passed(workspace).watched.cause == "broken_feed"


def test_a_profile_whose_file_was_damaged_is_refused(project: Project, registry_database: Path) -> None:
    """A byte that turned on the disk is told with its file, and no cause is named by it."""
    PAGED["an empty column"][0](project)
    workspace = project.workspace(registry_database)
    monitor(workspace, MODEL, LAST)
    store = project.root / "home" / "store"
    files = [one for one in store.rglob("*.parquet") if "profiles" in str(one) and LAST in str(one)]
    for file in files:
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 0xFF
        file.chmod(0o644)
        file.write_bytes(bytes(whole))
    assert files
    with pytest.raises(CorruptPartitionError):
        pass_night(workspace, MODEL, TONIGHT)


def test_outcomes_before_their_order_are_set_aside(project: Project, registry_database: Path) -> None:
    """Whoever knows the outcome of tomorrow's order is wrong: kept out with its reason, and no label of it."""
    known, early = project.read("outcomes", TONIGHT), project.read("orders", TONIGHT)[:3]
    project.write(
        "outcomes", TONIGHT, [*known, *({**row, "returned": 1} for row in early)], drop=ORDER_COLUMNS[3:]
    )
    workspace = project.workspace(registry_database)
    assert passed(workspace).watched.state == "quiet"
    quarantined = workspace.store.read(datasets.quarantine(MODEL, "outcomes"), TONIGHT)
    assert quarantined.num_rows == len(early)
    labels = labels_known(workspace, MODEL, by=TONIGHT)
    assert not {str(row["order_id"]) for row in early} & set(labels["order_id"].to_pylist())


@pytest.mark.parametrize("returned", [0, 1])
def test_labels_of_one_class_are_no_calm_that_is_not_known(
    project: Project, registry_database: Path, returned: int
) -> None:
    """A fortnight on which every order ends alike is found, or still learned about; a verdict either way."""
    states = []
    for night in between(TONIGHT, after(TONIGHT, 9)):
        project.deliver(night)
        rows = project.read("outcomes", night)
        project.write("outcomes", night, [{**row, "returned": returned} for row in rows])
        workspace = project.workspace(registry_database)
        watched = passed(workspace, night).watched
        states.append((watched.state, watched.arms["residual_drift"]["outcome"]))
        assert watched.reason
    assert states[-1][1] in ("page", "notice", "learning"), states
