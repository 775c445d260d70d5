"""What was served is compared with what training would assemble: other data are told apart from faults."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.doubles.projects import FEATURES, FIRST, MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.candidates import champion
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.skew import ROW, skew_of, watch_skew
from perennial.stages.validate import take_in_range

NEXT = after(BIRTH)

OUTSIDE = '''

@view(engine="python")
def deliveries_so_far(orders):
    """How many deliveries of outcomes lie in the folder."""
    import pathlib

    return orders["size"] * 0 + len(list(pathlib.Path("{folder}").glob("*.csv")))
'''

CHANCE = '''

@view(engine="python")
def drawn(orders):
    """A number of chance."""
    import numpy as np

    return orders["size"] * 0 + np.random.default_rng().random(len(orders))
'''


def looked_at(workspace, night=NEXT, rows=None):
    """Compare a night of the first version."""
    return skew_of(workspace, MODEL, night, champion(workspace, MODEL, night), rows)


def test_a_night_that_nothing_happened_to_matches(workspace) -> None:
    """Features to the last digit, predictions as well, whether a sample or all rows are looked at."""
    pass_night(workspace, MODEL, NEXT)
    whole, sample = looked_at(workspace), looked_at(workspace, rows=20)
    assert (whole.verdict, whole.rows, whole.outcome) == ("match", 60, "quiet")
    assert (sample.verdict, sample.rows, sample.of_rows) == ("match", 20, 60)
    assert looked_at(workspace, rows=20).as_json() == sample.as_json()


def test_a_corrected_file_is_noted_with_its_rows(served, workspace) -> None:
    """The delivery is named, the largest difference comes with its key, and a row that went is one thing."""
    pass_night(workspace, MODEL, NEXT)
    pass_night(workspace, MODEL, after(NEXT))
    rows = served.read("orders", NEXT)
    rows[3]["size"] = float(str(rows[3]["size"])) + 5
    served.write("orders", NEXT, rows[:-1])
    take_in_range(workspace, MODEL, "orders", NEXT, NEXT)
    found = looked_at(workspace)
    told = {one.difference.column: one for one in found.features}
    assert (found.verdict, found.outcome) == ("differs", "notice")
    assert (told["size"].difference.rows, told["size"].cause) == (1, "corrected")
    assert told["size"].difference.largest == pytest.approx(5)
    assert told["size"].difference.examples[0].key == rows[3]["order_id"]
    assert told[ROW].difference.rows == 1
    assert f"the delivery of orders for {NEXT} was corrected after it was scored" in found.reason
    build_features(workspace, MODEL, NEXT, workspace.plan(MODEL))
    assert looked_at(workspace).features == found.features  # the features that were served are still known


def test_older_nights_that_came_afterwards_are_noted(registry_database, tmp_path) -> None:
    """A window that was short when the night was scored is longer now."""
    project = Project(tmp_path / "late").declare().deliver(FIRST, after(BIRTH, 3))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, after(FIRST, 3), BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    pass_night(workspace, MODEL, NEXT)
    assert looked_at(workspace).verdict == "match"
    version = champion(workspace, MODEL, NEXT)
    early = after(FIRST, 4)
    features = workspace.store.read(datasets.features(MODEL, version.plan), early)
    scored = features.select(["order_id"]).append_column("prediction", pa.array([0.5] * features.num_rows))
    built = workspace.store.manifest(datasets.features(MODEL, version.plan), early)
    meta = {"version": version.version, "features": built.content}
    workspace.store.publish(datasets.predictions(MODEL), early, scored, meta=meta)
    load_history(workspace, MODEL, FIRST, after(FIRST, 2))
    found = skew_of(workspace, MODEL, early, version, None)
    assert {one.cause for one in found.features} == {"late"}
    assert f"older nights of orders, such as {FIRST}" in found.reason


@pytest.mark.parametrize(
    ("code", "name", "cause"),
    [(OUTSIDE, "deliveries_so_far", "outside"), (CHANCE, "drawn", "not_repeatable")],
)
def test_a_view_that_reads_what_it_is_not_given_is_a_finding(
    registry_database, tmp_path, code, name, cause
) -> None:
    """A look ahead, or chance: the feature is named, and nothing but it."""
    project = Project(tmp_path / "project")
    code = code.replace("{folder}", str(project.root / "data" / "outcomes"))
    project.declare(features=FEATURES + code).deliver(FIRST, after(BIRTH, 2))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    renew(workspace, MODEL, BIRTH)
    pass_night(workspace, MODEL, NEXT)
    project.deliver(after(BIRTH, 3), after(BIRTH, 9))
    found = looked_at(workspace)
    assert [(one.difference.column, one.cause) for one in found.features] == [(name, cause)]
    assert (found.outcome, name in found.reason) == ("finding", True)


def test_another_definition_is_told_when_asked_by_hand(served, workspace, registry_database) -> None:
    """The next training would assemble something else under the same name; the monitor does not ask."""
    pass_night(workspace, MODEL, NEXT)
    served.declare(features=FEATURES.replace("orders.size.sum()", "orders.size.mean()"))
    again = served.workspace(registry_database)
    found = looked_at(again)
    assert [(one.difference.column, one.cause) for one in found.features] == [("size_3d", "definition")]
    assert (found.outcome, looked_at(again, rows=200).verdict) == ("notice", "match")


def test_predictions_that_are_not_the_versions_are_a_finding(workspace) -> None:
    """Stored must be what the stored version says of the stored features."""
    pass_night(workspace, MODEL, NEXT)
    dataset = datasets.predictions(MODEL)
    kept, manifest = workspace.store.read(dataset, NEXT), workspace.store.manifest(dataset, NEXT)
    place = kept.column_names.index("prediction")
    other = kept.set_column(place, "prediction", pc.add(kept["prediction"], 1e-6))
    workspace.store.publish(dataset, NEXT, other, meta=dict(manifest.meta))
    found = looked_at(workspace)
    assert (found.verdict, found.outcome, found.predictions.rows) == ("differs", "finding", 60)
    assert "version 1 says otherwise of the same features" in found.reason


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_are_compared_like_many(served, workspace, rows) -> None:
    """One row can match."""
    served.write("orders", NEXT, served.read("orders", NEXT)[:rows])
    pass_night(workspace, MODEL, NEXT)
    assert (looked_at(workspace).verdict, looked_at(workspace).rows) == ("match", rows)


def test_what_cannot_be_told_says_why(workspace) -> None:
    """Nothing was scored, no row, or by another version."""
    version = champion(workspace, MODEL, NEXT)
    assert "nothing was scored" in skew_of(workspace, MODEL, NEXT, version).reason
    assert skew_of(workspace, MODEL, NEXT, version).outcome == "quiet"
    pass_night(workspace, MODEL, NEXT)
    kept = workspace.store.read(datasets.predictions(MODEL), NEXT)
    workspace.store.publish(datasets.predictions(MODEL), NEXT, kept, meta={"version": "7", "features": "x"})
    assert "version 7 scored it" in skew_of(workspace, MODEL, NEXT, version).reason
    workspace.store.publish(datasets.predictions(MODEL), NEXT, kept.slice(0, 0), meta={"version": "1"})
    assert "no row was scored" in skew_of(workspace, MODEL, NEXT, version).reason


def test_the_monitor_asks_once_in_fourteen_nights_and_publishes(workspace) -> None:
    """Of a night that this version scored, the same night again the same."""
    version = champion(workspace, MODEL, NEXT)
    nights = between(NEXT, after(NEXT, 13))
    assert all(watch_skew(workspace, MODEL, night, version) is None for night in nights)
    pass_night(workspace, MODEL, NEXT)
    found = {night: watch_skew(workspace, MODEL, night, version) for night in nights}
    ((asked, skew),) = [(night, one) for night, one in found.items() if one is not None]
    assert (skew.night, skew.verdict) == (NEXT, "match")
    assert workspace.store.keys(datasets.skews(MODEL)) == [asked]
    assert watch_skew(workspace, MODEL, asked, version) == skew
