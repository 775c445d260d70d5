"""A champion is only compared on rows that did not train it, whatever happened to keys, entities and deliveries."""

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
from tests.doubles.projects import FIRST, MODEL, UNTIMED, Project

from perennial.clock import after
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.comparison import compare_on_holdout
from perennial.stages.evaluate import measure
from perennial.stages.recording import record
from perennial.stages.replay import load_history, renew
from perennial.stages.train import assemble, fit
from perennial.stages.unseen import unseen_by
from perennial.workspace import Workspace

BY_OWNER = UNTIMED.replace("columns: {{order_id: text,", "columns: {{order_id: text, owner: text,")
NIGHT = after(FIRST)


def moved(project: Project, *, owners: int, by: int) -> None:
    """Let each order belong to another of the owners."""
    file = project.root / "data" / "orders.csv"
    head, *rows = file.read_text().splitlines()
    names = [f"owner-{(place * 7 + by) % owners}" for place in range(len(rows))]
    given = [f"{row},{name}" for row, name in zip(rows, names, strict=True)]
    file.write_text("\n".join([f"{head},owner", *given]) + "\n")


def trained_keys(workspace: Workspace, version: str) -> set[str]:
    """Name the orders that trained a version."""
    entry = next(
        one for one in workspace.ledger.entries(MODEL, {"trained"}) if one.evidence["version"] == version
    )
    rows = workspace.store.read(datasets.training(MODEL), entry.key)
    return set(rows.filter(pc.invert(rows["holdout"]))["order_id"].to_pylist())


def born(project: Project, database: Path, rows: int = 400) -> Workspace:
    """Let a first champion serve for a table of orders that have owners."""
    project.declare(BY_OWNER, extra="entity: owner", features=None).deliver_table(rows)
    moved(project, owners=100, by=0)
    workspace = project.workspace(database)
    load_history(workspace, MODEL, FIRST, FIRST)
    assert renew(workspace, MODEL, FIRST).promoted
    return workspace


def test_an_entity_that_changed_takes_no_learned_row_into_the_comparison(
    project: Project, registry_database: Path
) -> None:
    """Orders that trained the champion come into the challenger's holdout; they are left out and the rest judges."""
    workspace = born(project, registry_database)
    project.deliver_table(400)
    moved(project, owners=100, by=31)
    load_history(workspace, MODEL, NIGHT, NIGHT)
    version = fit(workspace, MODEL, assemble(workspace, MODEL, NIGHT)).version
    kept_back = workspace.store.read(datasets.holdout(MODEL), version)["order_id"].to_pylist()
    learned = trained_keys(workspace, "1") & set(kept_back)
    assert learned
    found = measure(workspace, MODEL, version, NIGHT)
    assert found.champion == "version 1"
    assert found.training_overlap_rows == 0
    assert found.rows == len(kept_back) - len(learned)


def test_an_unchanged_table_judges_by_the_whole_holdout(project: Project, registry_database: Path) -> None:
    """The same entities are kept back from both, so nothing is left out."""
    workspace = born(project, registry_database)
    project.deliver_table(400)
    moved(project, owners=100, by=0)
    load_history(workspace, MODEL, NIGHT, NIGHT)
    version = fit(workspace, MODEL, assemble(workspace, MODEL, NIGHT)).version
    found = measure(workspace, MODEL, version, NIGHT)
    assert found.rows == workspace.store.read(datasets.holdout(MODEL), version).num_rows
    assert found.training_overlap_rows == 0


def test_where_it_is_not_recorded_what_trained_a_version_the_count_is_unknown(workspace: Workspace) -> None:
    """As for one that was adopted: without time the gates then hold instead of taking it for unbiased."""
    first = candidate(workspace, MODEL, "1")
    rows = workspace.store.read(datasets.holdout(MODEL), "1")
    assert unseen_by(workspace, [first], rows) == (rows, 0)
    assert unseen_by(workspace, [first, replace(first, version="adopted")], rows) == (rows, None)


def test_a_version_older_than_the_champion_has_no_rows_to_be_judged_on(workspace: Workspace) -> None:
    """All nights it kept back have trained the champion since: nothing is judged, and nothing breaks."""
    last = after(FIRST, 65)
    load_history(workspace, MODEL, after(FIRST, 49), last)
    assert fit(workspace, MODEL, assemble(workspace, MODEL, last)).version == "2"
    found = compare_on_holdout(workspace, candidate(workspace, MODEL, "2"), last)
    assert found.tallies
    second = candidate(workspace, MODEL, "2")
    promoted = workspace.ledger.entries(MODEL, {"promoted"})[-1]
    evidence = {**promoted.evidence, "version": "2", "behaviour": second.behaviour, "replaces": "1"}
    said = NewEntry(MODEL, "promoted", "by-hand", after(last), "a person", "Version 2 serves.", evidence)
    record(workspace, said)
    older = compare_on_holdout(workspace, candidate(workspace, MODEL, "1"), after(last))
    assert older.tallies == ()
