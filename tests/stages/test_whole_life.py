"""A model's whole life in one process: born, scored, corrected, repeated, and the same wherever it runs."""

from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, TRUTH, UNTIMED, Project
from tests.stages.conftest import BIRTH
from tests.stages.test_roll_back import tamper

from perennial.clock import after, between
from perennial.errors import NoChampionError, RefusedArtefactError
from perennial.facts.decision import Verdict
from perennial.stages import datasets, deploy
from perennial.stages.build_features import build_features
from perennial.stages.candidates import Predictor, candidate
from perennial.stages.evaluate import ask, conclude, gates, measure
from perennial.stages.performance import settle
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.score import score
from perennial.stages.train import assemble, fit
from perennial.stages.training_set import labelled_rows
from perennial.stages.validate import close_night, take_in_range
from perennial.store.local import LocalStore
from perennial.workspace import Workspace


def contents(store: LocalStore) -> dict[str, str]:
    """Identify the content of every published partition."""
    found = {}
    for folder in sorted(store.root.glob("*/*/*")):
        model, dataset, key = folder.parts[-3:]
        manifest = store.manifest(f"{model}/{dataset}", key)
        if manifest:
            found[f"{dataset}/{key}"] = manifest.content
    return found


def said(workspace: Workspace) -> list[tuple[str, str, str]]:
    """List what the ledger says, but the hashes of bytes, which no two trainings share."""
    return [
        (entry.kind, entry.key, entry.evidence_hash)
        for entry in workspace.ledger.entries()
        if entry.kind != "registered"
    ]


@pytest.mark.parametrize(("estimator", "trials"), [("linear", 0), ("gradient_boosting", 2)])
def test_the_same_deliveries_in_two_homes_give_the_same_decisions_and_partitions(
    project: Project, registry_database: Path, estimator: str, trials: int
) -> None:
    """Every evidence hash and every content, from the first table to the last verdict."""
    last = after(FIRST, 34)
    template = TIMED.replace("trials: 0", f"trials: {trials}")
    project.declare(template, estimator=estimator).deliver(FIRST, after(last, 2))
    workspaces = [project.workspace(registry_database, home) for home in ("one", "two")]
    for workspace in workspaces:
        load_history(workspace, MODEL, FIRST, last)
        renew(workspace, MODEL, last)
        for night in between(after(last), after(last, 2)):
            pass_night(workspace, MODEL, night)
    first, second = workspaces
    assert said(first) == said(second)
    assert contents(first.store) == contents(second.store)
    assert {"trained", "gate", "watched"} <= {kind for kind, _, _ in said(first)}
    assert first.ledger.verify() == second.ledger.verify() == []


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
def test_a_model_of_every_task_is_born_and_serves(tmp_path: Path, registry_database: Path, task: str) -> None:
    """History, training, gates, production, and a scored night; a refusal would have to say why."""
    project = Project(tmp_path / "project", task).declare()
    last = after(FIRST, 41)
    project.deliver(FIRST, after(last))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, last)
    renewal = renew(workspace, MODEL, last)
    assert renewal.promoted, renewal.gates and renewal.gates.reason
    passed = pass_night(workspace, MODEL, after(last))
    assert passed.scored is not None
    assert passed.scored.rows == 60
    table = workspace.store.read(datasets.predictions(MODEL), after(last))
    if task == "multiclass":
        shares = np.stack([table[f"p:{name}"].to_numpy() for name in ("kept", "lost", "returned")])
        assert np.allclose(shares.sum(axis=0), 1)
        assert set(table["prediction"].to_pylist()) <= {"kept", "lost", "returned"}
    else:
        assert np.isfinite(table["prediction"].to_numpy()).all()
    assert set(table["version"].to_pylist()) == {"1"}


@pytest.mark.parametrize(
    ("metric", "followed"),
    [
        ("auc", "squared error of the probability"),
        ("average_precision", "squared error of the probability"),
        ("f1", "squared error of the probability"),
        ("value, value: {true_positive: 2.0, false_positive: -2.0}", "value missed"),
    ],
)
def test_a_model_may_be_judged_by_any_metric(
    project: Project, registry_database: Path, metric: str, followed: str
) -> None:
    """Gates judge by it, and nights are followed by it or, where one night has none, by a mean over rows."""
    last = after(FIRST, 41)
    lines = "".join(f"\n  {line}" for line in f"metric: {metric}".split(", ", 1))
    search = "  search: {{trials: 0}}"
    template = TIMED.replace(search, search + lines.replace("{", "{{").replace("}", "}}"))
    project.declare(template).deliver(FIRST, after(last, 6))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, last)
    renewal = renew(workspace, MODEL, last)
    assert renewal.promoted, renewal.gates and renewal.gates.reason
    for night in between(after(last), after(last, 4)):
        passed = pass_night(workspace, MODEL, night)
    assert passed.watched.performance["loss"] == followed
    gate = workspace.ledger.last(MODEL, "gate")
    assert gate is not None
    assert "not numbers" not in gate.reason


@pytest.mark.parametrize("nights", [2, 7, 8, 12, 30])
def test_a_short_history_trains_with_the_default_search(
    project: Project, registry_database: Path, nights: int
) -> None:
    """However few nights there are, tuning and training come to a version and the gates to an answer."""
    last = after(FIRST, nights)
    project.declare(TIMED.replace("trials: 0", "trials: 2")).deliver(FIRST, last)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, last)
    renewal = renew(workspace, MODEL, last)
    assert renewal.version == "1"
    assert renewal.gates is not None
    trained = workspace.ledger.last(MODEL, "trained")
    assert trained is not None
    assert (trained.evidence["cutoff"] is None) == (nights < 7)


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
def test_a_table_without_time_goes_through_the_whole_loop(
    tmp_path: Path, registry_database: Path, task: str
) -> None:
    """It trains on a hashed split and says so; a second delivery is scored; the same table again is no event."""
    project = Project(tmp_path / "project", task).declare(UNTIMED, features=None).deliver_table(600)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    renewal = renew(workspace, MODEL, FIRST)
    assert renewal.promoted, renewal.gates and renewal.gates.reason
    quality = next(
        e for e in workspace.ledger.entries(MODEL, {"gate"}) if e.evidence["gate"] == "minimum_quality"
    )
    assert "no time: independence assumed" in quality.reason
    project.deliver_table(300, begin=5)
    second, third = (pass_night(workspace, MODEL, after(FIRST, days)) for days in (1, 2))
    assert second.scored is not None
    assert (second.scored.rows, second.scored.fresh) == (300, True)
    assert third.scored is not None
    assert (third.scored.rows, third.scored.fresh) == (0, False)
    assert second.watched.state == third.watched.state == "learning"
    assert TRUTH[task] not in workspace.store.read(datasets.predictions(MODEL), after(FIRST)).column_names


@pytest.mark.parametrize("shops", [3, 1])
def test_few_entities_leave_something_to_learn_from_and_something_to_judge_by(
    tmp_path: Path, registry_database: Path, shops: int
) -> None:
    """A table about three shops, or about one: both parts have rows, whichever way the hash falls."""
    project = Project(tmp_path / "project").declare(UNTIMED, features=None, extra="entity: place")
    project.deliver_table(300)
    if shops == 1:
        path = project.root / "data" / "orders.csv"
        path.write_text(path.read_text().replace("south", "north").replace("west", "north"))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    renewal = renew(workspace, MODEL, FIRST)
    assert renewal.version == "1"
    held = workspace.store.read(datasets.holdout(MODEL), "1")
    trained = candidate(workspace, MODEL, "1").rows
    assert held.num_rows >= 30
    assert trained >= 30
    assert held.num_rows + trained == 300


def test_a_model_serves_from_the_night_after_it_passed(workspace: Workspace) -> None:
    """On the night of its training nobody served."""
    with pytest.raises(NoChampionError):
        score(workspace, MODEL, BIRTH)
    assert pass_night(workspace, MODEL, after(BIRTH)).scored is not None


def test_the_reference_holds_no_night_as_its_model_had_learned_it(workspace: Workspace) -> None:
    """Predictions for nights that trained come from folds before them, not from the model that knows them."""
    first = candidate(workspace, MODEL, "1")
    assert first.cutoff is not None
    reference = workspace.store.read(datasets.reference(MODEL), "1")
    held = workspace.store.read(datasets.holdout(MODEL), "1")
    nights = reference["night"].to_pylist()
    assert nights == sorted(nights)
    assert {night for night in nights if night > first.cutoff} == set(held["night"].to_pylist())
    training = labelled_rows(workspace, MODEL, first.plan, first.night)
    own = Predictor(workspace, first).predict(training)
    by_night: dict[str, float] = {}
    for night, value in zip(training["night"].to_pylist(), own, strict=True):
        by_night[night] = by_night.get(night, 0.0) + float(value)
    for night in sorted(set(nights)):
        told = sum(v for n, v in zip(nights, reference["prediction"].to_pylist(), strict=True) if n == night)
        assert (abs(told - by_night[night]) < 1e-9) == (night > first.cutoff)


def test_every_step_repeated_changes_nothing(served: Project, workspace: Workspace) -> None:
    """A task that was killed after its work was done does it again, and nothing is there twice."""
    pass_night(workspace, MODEL, after(BIRTH))
    before, lines = contents(workspace.store), said(workspace)
    again = Workspace.open(workspace.home, served.root)
    run = assemble(again, MODEL, BIRTH)
    assert fit(again, MODEL, run).version == "1"
    measure(again, MODEL, "1", BIRTH)
    for gate in gates(again, MODEL):
        ask(again, MODEL, "1", BIRTH, gate)
    conclude(again, MODEL, "1", BIRTH)
    deploy.test(again, MODEL, "1", BIRTH)
    deploy.stage(again, MODEL, "1", BIRTH)
    deploy.promote(again, MODEL, "1", BIRTH)
    pass_night(again, MODEL, after(BIRTH))
    assert contents(again.store) == before
    assert said(again) == lines
    assert [version.version for version in again.registry.versions(MODEL)] == ["1"]


def test_what_was_lost_is_made_again_the_same(workspace: Workspace) -> None:
    """Predictions that are gone come back with the same content when the night is scored again."""
    night = after(BIRTH)
    pass_night(workspace, MODEL, night)
    before = contents(workspace.store)
    for path in (workspace.store.root / datasets.predictions(MODEL) / night).iterdir():
        path.unlink()
    assert score(workspace, MODEL, night).fresh
    assert contents(workspace.store) == before


def test_a_corrected_night_is_scored_on_its_correction_also_by_an_older_plan(
    served: Project, registry_database: Path, workspace: Workspace
) -> None:
    """features.py has changed since the champion was trained; it is fed by its own views all the same."""
    night = after(BIRTH)
    pass_night(workspace, MODEL, night)
    path = served.folder / "features.py"
    path.write_text(path.read_text().replace('window="3d"', 'window="5d"'))
    changed = served.workspace(registry_database)
    assert changed.plan(MODEL).hash != workspace.plan(MODEL).hash
    orders = served.read("orders", night)
    served.write("orders", night, [{**orders[0], "size": "25"}, *orders[1:40]])
    for source in ("orders", "outcomes"):
        take_in_range(changed, MODEL, source, night, night)
    close_night(changed, MODEL, night)
    build_features(changed, MODEL, night)
    assert score(changed, MODEL, night).rows == 40
    table = changed.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), night)
    assert table["f:size"].to_pylist()[0] == 25
    with_typo = path.read_text() + "\n1 / 0\n"
    path.write_text(with_typo)
    assert score(served.workspace(registry_database), MODEL, night).rows == 40


def test_a_champion_whose_bytes_were_changed_is_not_loaded(served: Project, workspace: Workspace) -> None:
    """One bit: nothing is scored, nothing is published, and the hash is named."""
    night = after(BIRTH)
    for source in ("orders", "outcomes"):
        take_in_range(workspace, MODEL, source, night, night)
    build_features(workspace, MODEL, night)
    tamper(served.root)
    with pytest.raises(RefusedArtefactError, match="the ledger says"):
        score(workspace, MODEL, night)
    assert not workspace.store.version(datasets.predictions(MODEL), night)


def test_a_high_risk_model_stops_after_staging(project: Project, registry_database: Path) -> None:
    """It passed its gates and is staged; a person has to say the rest."""
    last = after(FIRST, 41)
    project.declare(extra="risk: high").deliver(FIRST, after(last))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, last)
    renewal = renew(workspace, MODEL, last)
    assert renewal.version == "1"
    assert not renewal.promoted
    waiting = workspace.ledger.last(MODEL, "awaits_approval")
    assert waiting is not None
    assert "needs approval" in waiting.reason
    assert workspace.ledger.champion(MODEL) is None
    assert workspace.registry.alias(MODEL, "champion") is None
    assert pass_night(workspace, MODEL, after(last)).scored is None


def performance(workspace: Workspace, night: str) -> dict[str, object]:
    """Read what is said of a settled night."""
    manifest = workspace.store.manifest(datasets.performance(MODEL), night)
    return {**manifest.meta, "labelled": manifest.rows} if manifest else {}


def test_a_night_is_mature_when_its_labels_have_come(served: Project, workspace: Workspace) -> None:
    """Half of them late: not mature until they come, and then settled with all of them."""
    night = after(BIRTH)
    whole = served.read("outcomes", after(night))
    served.write("outcomes", after(night), whole[:30])
    pass_night(workspace, MODEL, night)
    pass_night(workspace, MODEL, after(night))
    assert (performance(workspace, night)["labelled"], performance(workspace, night)["mature"]) == (30, False)
    next_outcomes = served.read("outcomes", after(night, 2))
    late = [{**row, "ordered_at": next_outcomes[0]["ordered_at"]} for row in whole[30:]]
    served.write("outcomes", after(night, 2), [*next_outcomes, *late])
    pass_night(workspace, MODEL, after(night, 2))
    assert (performance(workspace, night)["labelled"], performance(workspace, night)["mature"]) == (60, True)


def test_labels_that_never_come_do_not_hold_a_night_open_for_ever(
    served: Project, workspace: Workspace
) -> None:
    """After three nights more it counts with the labels it has, and is settled no more."""
    night = after(BIRTH)
    served.write("outcomes", after(night), served.read("outcomes", after(night))[:30])
    for days in range(5):
        pass_night(workspace, MODEL, after(night, days))
    found = performance(workspace, night)
    assert (found["labelled"], found["mature"]) == (30, True)
    by = found["by"]
    settle(workspace, MODEL, after(night, 5))
    assert performance(workspace, night)["by"] == by


def test_an_old_night_watched_again_undoes_nothing_and_says_the_same(workspace: Workspace) -> None:
    """What later nights settled stays, and what was concluded then is concluded again."""
    passed = [pass_night(workspace, MODEL, after(BIRTH, days)) for days in range(1, 6)]
    before, lines = contents(workspace.store), said(workspace)
    again = pass_night(workspace, MODEL, passed[1].night)
    assert again.watched == passed[1].watched
    assert contents(workspace.store) == before
    assert said(workspace) == lines


def test_nights_that_the_monitor_missed_are_settled_later(workspace: Workspace) -> None:
    """Nobody watched for ten nights: their labels count all the same."""
    for night in between(after(BIRTH), after(BIRTH, 11)):
        for source in ("orders", "outcomes"):
            take_in_range(workspace, MODEL, source, night, night)
        build_features(workspace, MODEL, night)
        score(workspace, MODEL, night)
    settle(workspace, MODEL, after(BIRTH, 11))
    assert all(performance(workspace, night)["mature"] for night in between(after(BIRTH), after(BIRTH, 10)))


def test_a_champion_that_cannot_be_loaded_lets_nothing_pass_and_says_why(workspace: Workspace) -> None:
    """A challenger is compared with nobody then: the gates hold it, in the words of what went wrong."""
    night = after(BIRTH)
    load_history(workspace, MODEL, night, night)
    tamper(workspace.home)
    version = fit(workspace, MODEL, assemble(workspace, MODEL, night)).version
    evaluation = measure(workspace, MODEL, version, night)
    assert evaluation.champion_trouble
    assert all(tally.champion is None for tally in evaluation.tallies)
    for gate in gates(workspace, MODEL):
        ask(workspace, MODEL, version, night, gate)
    concluded = conclude(workspace, MODEL, version, night)
    assert concluded.verdict is not Verdict.PASS
    assert evaluation.champion_trouble in concluded.reason
