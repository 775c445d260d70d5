"""A finding names its true cause and the delivery it came with, from what a project published and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import Night, after
from perennial.facts.reading import Reading
from perennial.stages import datasets
from perennial.stages.attribute import Attributed, attribute, looked_up, published
from perennial.stages.candidates import champion
from perennial.stages.replay import load_history, pass_night, renew
from perennial.workspace import Workspace

CALM = 6
"""Nights that pass before anything changes."""


@dataclass
class OtherRule(World):
    """From some night on, whatever comes from the west is written down as returned."""

    def truth(self, night: str, orders: Iterable[dict[str, object]]) -> list[dict[str, object]]:
        """Say what is written down of orders."""
        return [
            {**row, "returned": 1} if row["place"] == "west" else row for row in super().truth(night, orders)
        ]


def lived(served: Project, workspace: Workspace, nights: int, changed: World) -> Night:
    """Let calm nights pass and then changed ones; return the last."""
    for days in range(1, CALM + nights + 1):
        if days == CALM + 1:
            served.world = changed
        served.deliver(after(BIRTH, days))
        pass_night(workspace, MODEL, after(BIRTH, days))
    return after(BIRTH, CALM + nights)


def over(night: Night, arm: str) -> dict[str, Reading]:
    """Stand for a detector that crossed its threshold."""
    return {arm: Reading(night, arm, "over", "It moved.", 6.0, 4.0)}


def asked(workspace: Workspace, night: Night, arm: str) -> Attributed:
    """Attribute a finding of an arm."""
    made = attribute(workspace, MODEL, night, champion(workspace, MODEL, night), over(night, arm))
    assert made is not None
    return made


def test_a_changed_unit_is_named_with_its_file(served: Project, workspace: Workspace) -> None:
    """On its first night, before any label of it is known."""
    night = lived(served, workspace, 1, World(size_unit=1000.0))
    made = asked(workspace, night, "night_shift")
    first = made.found.causes[0]
    assert (first.kind, first.column, first.segment, first.is_sure) == ("inputs", "size", "", True)
    assert made.headline.startswith("Most of it: the values of size")
    assert first.said in made.sentences
    assert (made.nights, made.found.relations) == ((night,), ())
    assert any("is not assessable" in sentence for sentence in made.sentences)
    delivery = next(one for one in made.deliveries if one.source == "orders")
    table = workspace.store.manifest(datasets.table(MODEL, "orders"), night)
    assert table is not None
    assert (delivery.place, delivery.sha256) == (f"data/orders/{night}.csv", table.meta["sha256"])
    assert any(f"orders of {night} came as data/orders/{night}.csv" in said for said in made.sentences)


def test_a_changed_label_rule_is_named_with_its_segment(served: Project, workspace: Workspace) -> None:
    """Once a window of labels is final: no input changed, and the labels' own file is named."""
    night = lived(served, workspace, 12, OtherRule())
    made = asked(workspace, night, "residual_drift")
    first = made.found.causes[0]
    assert (first.kind, first.segment, first.is_sure) == ("relation", "place = west", True)
    assert made.headline.startswith("Most of it: labels follow otherwise at place = west")
    assert made.found.split is not None
    assert made.found.split.relation.low > 0
    assert "outcomes" in {one.source for one in made.deliveries}


def test_what_is_published_is_what_was_said_and_stays_so(served: Project, workspace: Workspace) -> None:
    """The same night again publishes nothing new; what is looked up is what was published."""
    night = lived(served, workspace, 1, World(size_unit=1000.0))
    made = asked(workspace, night, "night_shift")
    again = asked(workspace, night, "night_shift")
    assert again.as_json() == made.as_json()
    assert workspace.store.version(datasets.attributions(MODEL), night) == 1
    kept = published(workspace, MODEL, night)
    assert kept is not None
    assert kept == looked_up(workspace, MODEL, night)
    assert tuple(kept["sentences"]) == made.sentences


def test_nothing_is_asked_where_nothing_stands(workspace: Workspace) -> None:
    """A quiet night, or one on which nothing predicts, has no cause; looking it up writes nothing."""
    version = champion(workspace, MODEL, after(BIRTH))
    quiet = {"night_shift": Reading(after(BIRTH), "night_shift", "quiet", "Quiet.", 1.0, 4.0)}
    assert attribute(workspace, MODEL, after(BIRTH), version, quiet) is None
    assert attribute(workspace, MODEL, after(BIRTH), None, over(after(BIRTH), "night_shift")) is None
    assert looked_up(workspace, MODEL, after(BIRTH)) is None
    assert workspace.store.keys(datasets.attributions(MODEL)) == []


@pytest.mark.parametrize("rows", [1, 2])
def test_a_night_of_hardly_any_rows_is_not_assessable(
    served: Project, workspace: Workspace, rows: int
) -> None:
    """It says how many rows there were, and names no cause."""
    night = lived(served, workspace, 1, World(rows=rows))
    made = asked(workspace, night, "night_shift")
    assert (made.found.state, made.found.causes, made.deliveries) == ("not_assessable", (), ())
    assert f"and {rows} recent rows; at least 50 of each are needed" in made.headline


def test_a_night_without_features_is_not_assessable(workspace: Workspace) -> None:
    """A finding about a night that never came, asked by mistake."""
    made = asked(workspace, after(BIRTH, 3), "night_shift")
    assert "and 0 recent rows" in made.headline


def test_a_column_that_comes_empty_is_named(served: Project, workspace: Workspace) -> None:
    """All null: its values are not the reference's."""
    night = lived(served, workspace, 1, World(empty=("size",)))
    first = asked(workspace, night, "night_shift").found.causes[0]
    assert (first.kind, first.column) == ("inputs", "size")


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_numbers_and_classes_are_attributed_too(task: str, tmp_path: Path, registry_database: Path) -> None:
    """Of classes, the chance of the one that moved most is explained, and the sentences say so."""
    project = Project(tmp_path / task, task).declare().deliver(FIRST, after(FIRST, 48))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, after(FIRST, 48))
    assert renew(workspace, MODEL, after(FIRST, 48)).promoted
    project.world = World(size_unit=1000.0)
    project.deliver(after(FIRST, 49))
    pass_night(workspace, MODEL, after(FIRST, 49))
    made = asked(workspace, after(FIRST, 49), "night_shift")
    assert made.found.causes[0].column == "size"
    assert any("classes, the chance of" in said for said in made.sentences) == (task == "multiclass")
