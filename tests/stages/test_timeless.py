"""Rows without time, or with too few nights: what trained whom stays known when deliveries and nights add up."""

from pathlib import Path

from tests.doubles.projects import FIRST, MODEL, TIMED, UNTIMED, Project

from perennial.clock import after
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.score import deliver
from perennial.stages.training_set import labelled_rows, split


def test_a_row_that_is_delivered_again_counts_once(project: Project, registry_database: Path) -> None:
    """Each delivery is the whole table: rows that stay in it are the same rows, new ones are added."""
    project.declare(UNTIMED, features=None).deliver_table(200)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    project.deliver_table(260)
    night = after(FIRST)
    passed = pass_night(workspace, MODEL, night)
    assert passed.taken_in["rows"] == 260
    said = (
        f"not yet able to tell: 2 deliveries so far, the newest 200 rows on {FIRST} and 260 rows on {night}."
    )
    assert said in passed.watched.reason
    rows = labelled_rows(workspace, MODEL, workspace.plan(MODEL).hash, night)
    assert rows.num_rows == 260
    assert set(rows["night"].to_pylist()) == {night}
    parted, how = split(workspace, MODEL, rows)
    groups = parted.filter(parted["holdout"])["group"].to_pylist()
    assert not how.timed
    assert len(set(groups)) > 12
    assert 0.15 < len(groups) / 260 < 0.35


def test_a_night_that_brings_no_new_table_delivers_nothing(project: Project, registry_database: Path) -> None:
    """There is nothing to score, so there is nothing to bring to the sink, and nothing is wrong."""
    project.declare(UNTIMED, features=None, extra="sink: {uri: 'data/scores/{night}.csv'}").deliver_table(200)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    night = after(FIRST)
    load_history(workspace, MODEL, night, night)
    assert deliver(workspace, MODEL, night) == {"delivered": 0, "reason": f"nothing new came on {night}"}


def test_a_champion_of_few_nights_is_compared_on_the_nights_after_its_own(
    project: Project, registry_database: Path
) -> None:
    """Born on a hashed split of four nights, it is judged on later ones, and can be replaced."""
    born, last = after(FIRST, 4), after(FIRST, 30)
    project.declare(TIMED).deliver(FIRST, last)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, born)
    assert renew(workspace, MODEL, born).promoted
    load_history(workspace, MODEL, after(born), last)
    renewal = renew(workspace, MODEL, last)
    told = [e for e in workspace.ledger.entries(MODEL, {"gate"}) if e.evidence["gate"] == "against_champion"]
    assert "not known which nights" not in told[-1].reason
    assert "version 1" in told[-1].reason
    assert renewal.version == "2"
    assert renewal.promoted, renewal.gates and renewal.gates.reason
