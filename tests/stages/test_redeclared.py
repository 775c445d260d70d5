"""Edits of model.yaml over a home with history and a champion: each works, or is told in a sentence; none half.

The list is the promise: what is not among the refusals goes on from taking in to the verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.errors import FormerVersionError, HistoryDiffersError, PerennialError, TooLittleToTrainError
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.monitor import monitor
from perennial.stages.replay import load_history, renew
from perennial.stages.score import score
from perennial.stages.train import assemble, fit
from perennial.stages.training_set import labelled_rows
from perennial.stages.validate import close_night, take_in_range
from perennial.workspace import Workspace

TONIGHT = after(BIRTH)
ORDERS = "uri: data/orders/{night}.csv\n    key: [order_id]"
OUTCOMES = "uri: data/outcomes/{night}.csv\n    key: [order_id]"
COLUMNS = (
    "{order_id: text, ordered_at: timestamp, place: text, size: number, weight: number, clicks: integer}"
)
REORDERED = (
    "{place: text, order_id: text, clicks: integer, ordered_at: timestamp, weight: number, size: number}"
)
OUTCOME_TIME = """event_time: ordered_at
    columns: {order_id: text, ordered_at: timestamp, place: text, returned"""
FEATURES = "columns: [place, size, weight, clicks]"

Ended = dict[str, type[PerennialError]]


@dataclass(frozen=True)
class Edit:
    """A person's change to a folder, and what is delivered from then on."""

    changes: dict[str, str]
    """Texts of model.yaml and what they become."""
    views: dict[str, str] | None = None
    """Texts of features.py and what they become."""
    delivered: tuple[str, str, str] | None = None
    """Source, column, and what it is called from tonight on."""


WORKS: dict[str, Edit] = {
    "columns in another order": Edit({COLUMNS: REORDERED}),
    "a new column that may be missing": Edit(
        {"clicks: integer}": "clicks: integer, gift: boolean}\n    optional: [gift]"}
    ),
    "another feature": Edit({FEATURES: "columns: [place, size, weight, clicks, order_id]"}),
    "a feature less": Edit({FEATURES: "columns: [place, size, clicks]"}),
    "a view less": Edit({FEATURES: f"{FEATURES}\n  views: [size_3d]"}),
    "whole numbers as numbers": Edit({"clicks: integer": "clicks: number"}),
    "a wider key of the labels": Edit({OUTCOMES: OUTCOMES.replace("order_id", "order_id, place")}),
    "another label expression": Edit({"expression: returned": "expression: returned = 0"}),
    "a later label": Edit({"delay_days: 1": "delay_days: 3"}),
    "an entity": Edit({"sources:\n": "entity: place\nsources:\n"}),
}
REFUSED: dict[str, tuple[Edit, Ended, str]] = {
    "a column renamed": (
        Edit(
            {"weight: number": "mass: number", FEATURES: "columns: [place, size, mass, clicks]"},
            delivered=("orders", "weight", "mass"),
        ),
        {"take_in": HistoryDiffersError, "features": HistoryDiffersError, "train": HistoryDiffersError},
        "column 'mass' is not in them (they have 'weight', which is not declared: renamed?)",
    ),
    "the label's column renamed": (
        Edit(
            {"returned: integer": "came_back: integer", "expression: returned": "expression: came_back"},
            delivered=("outcomes", "returned", "came_back"),
        ),
        {"take_in": HistoryDiffersError, "features": HistoryDiffersError, "train": HistoryDiffersError},
        "sources.outcomes is declared otherwise than when 2024-01-01 to 2024-02-18 (49 nights) was taken in",
    ),
    "a number as text": (
        Edit({"weight: number": "weight: text"}),
        {"take_in": HistoryDiffersError, "features": HistoryDiffersError, "train": HistoryDiffersError},
        "column 'weight' is declared as text and was taken in as number",
    ),
    "a date for a time": (
        Edit({"ordered_at: timestamp": "ordered_at: date"}),
        {"take_in": HistoryDiffersError},
        "column 'ordered_at' is declared as date and was taken in as timestamp",
    ),
    "a column that the champion eats is gone": (
        Edit({"weight: number, ": "", FEATURES: "columns: [place, size, clicks]"}),
        {"score": FormerVersionError, "train": FormerVersionError},
        "orders has no column 'weight' any more",
    ),
    "a wider key of the rows": (
        Edit({ORDERS: ORDERS.replace("order_id", "order_id, place")}),
        {"score": FormerVersionError, "train": FormerVersionError},
        "the key of orders is order_id, place and was order_id",
    ),
    "another task": (
        Edit({"task: binary": "task: regression"}),
        {"score": FormerVersionError, "train": FormerVersionError, "monitor": FormerVersionError},
        "the task is regression and was binary",
    ),
    "another event time": (
        Edit({OUTCOME_TIME: OUTCOME_TIME.replace("ordered_at", "at")}, delivered=("outcomes", "ordered_at", "at")),
        {"take_in": HistoryDiffersError, "features": HistoryDiffersError, "train": HistoryDiffersError},
        "column 'at' is not in them (they have 'ordered_at'",
    ),
    "a source renamed": (
        Edit({"  orders:\n": "  purchases:\n"}, views={"(orders)": "(purchases)", "orders.size": "purchases.size"}),
        {"score": FormerVersionError, "train": TooLittleToTrainError},
        "there is no source orders any more",
    ),
}  # fmt: skip


def edited(project: Project, edit: Edit) -> None:
    """Change the folder, and what is delivered from tonight on."""
    for name, changes in {"model.yaml": edit.changes, "features.py": edit.views or {}}.items():
        file = project.folder / name
        text = file.read_text()
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text)
    for night in between(TONIGHT, after(TONIGHT)) if edit.delivered else ():
        redelivered(project, night, *edit.delivered or ("", "", ""))


def redelivered(project: Project, night: str, source: str, old: str, new: str) -> None:
    """Write a night's delivery with a column of another name."""
    rows = project.read(source, night)
    project.write(source, night, [{new if k == old else k: v for k, v in row.items()} for row in rows])


def lived(workspace: Workspace) -> dict[str, PerennialError]:
    """Let tonight pass, stage by stage, and collect what each is refused with."""

    def take_in() -> None:
        for source in workspace.spec(MODEL).sources:
            take_in_range(workspace, MODEL, source, TONIGHT, TONIGHT)
        close_night(workspace, MODEL, TONIGHT)

    stages: dict[str, Callable[[], object]] = {
        "take_in": take_in,
        "features": lambda: build_features(workspace, MODEL, TONIGHT),
        "train": lambda: renew(workspace, MODEL, TONIGHT),
        "score": lambda: score(workspace, MODEL, TONIGHT),
        "monitor": lambda: monitor(workspace, MODEL, TONIGHT),
    }
    told = {}
    for name, stage in stages.items():
        try:
            stage()
        except PerennialError as error:
            told[name] = error
    return told


@pytest.mark.parametrize("edit", WORKS.values(), ids=list(WORKS))
def test_what_can_go_on_goes_on(served: Project, registry_database: Path, edit: Edit) -> None:
    """From taking in to the verdict, beside what was published under the earlier declaration."""
    edited(served, edit)
    workspace = served.workspace(registry_database)
    assert lived(workspace) == {}
    assert workspace.ledger.entries(MODEL, kinds={"trained"})[-1].night == TONIGHT


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_go_on_says_so(served: Project, registry_database: Path, name: str) -> None:
    """Which column, which nights, which version, and what to do; nothing is published beside what does not fit."""
    edit, expected, words = REFUSED[name]
    edited(served, edit)
    workspace = served.workspace(registry_database)
    told = lived(workspace)
    assert {stage: type(told[stage]) for stage in expected} == expected
    assert any(words in str(error) for error in told.values())
    for error in told.values():
        assert not isinstance(
            error, HistoryDiffersError
        ) or "perennial run orders_model validate --since" in str(error)
    if "take_in" in expected:
        changed = edit.delivered[0] if edit.delivered else "orders"
        assert not workspace.store.version(datasets.table(MODEL, changed), TONIGHT)


def test_history_is_taken_in_again_where_its_deliveries_are_there(
    served: Project, registry_database: Path
) -> None:
    """As the error says: the same nights, under the new name; a new model learns from all of them."""
    edit = REFUSED["a column renamed"][0]
    edited(served, edit)
    for night in between(FIRST, BIRTH):
        redelivered(served, night, "orders", "weight", "mass")
    workspace = served.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, TONIGHT)
    rows = labelled_rows(workspace, MODEL, workspace.plan(MODEL).hash, TONIGHT)
    assert len(set(rows["night"].to_pylist())) == 49
    assert rows["f:mass"].null_count == 0


def test_a_key_may_be_widened_before_anything_serves(project: Project, registry_database: Path) -> None:
    """Nothing rests on the narrower one but features, which are built anew."""
    project.declare().deliver(FIRST, TONIGHT)
    load_history(project.workspace(registry_database), MODEL, FIRST, BIRTH)
    edited(project, REFUSED["a wider key of the rows"][0])
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, TONIGHT)
    assert fit(workspace, MODEL, assemble(workspace, MODEL, TONIGHT)).version == "1"
