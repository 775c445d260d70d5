"""Folds that roll forward: nobody learns from what was not known, and no window is chosen by luck."""

from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, UNTIMED, Project, World

from perennial.clock import after
from perennial.engine.folds import backward_folds, of_unseen_entities
from perennial.facts.paired import mean_per_row
from perennial.stages.backtest import Asked, Bench, backtest, better_windows, keep_backtest
from perennial.stages.replay import load_history
from perennial.workspace import Workspace

LAST = after(FIRST, 149)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, registry_database: Path) -> Workspace:
    """Load 150 nights of a model that was never trained."""
    made = Project(tmp_path_factory.mktemp("long") / "project", world=World(rows=30))
    workspace = made.declare(TIMED, extra="entity: place").deliver(FIRST, LAST).workspace(registry_database)
    load_history(workspace, MODEL, FIRST, LAST)
    return workspace


def test_every_fold_learns_only_from_labels_known_before_it(long: Workspace) -> None:
    """Four of 28 nights, the newest last, one after the other; the delay of labels lies between."""
    rows = Bench.of(long, MODEL, LAST).rows
    folds = backward_folds(rows, fold_nights=28, folds=4)
    assert [len(set(rows.nights[fold.predicted])) for fold in folds] == [28] * 4
    for fold in folds:
        first = min(rows.nights[fold.predicted])
        assert max(rows.known[fold.train]) < first
        assert max(rows.nights[fold.train]) < after(first, -1)
    ends = [(min(rows.nights[fold.predicted]), max(rows.nights[fold.predicted])) for fold in folds]
    assert [after(last) for _, last in ends[:-1]] == [first for first, _ in ends[1:]]
    assert ends[-1][1] == max(rows.nights)


def test_unseen_entities_are_never_learned_from(long: Workspace) -> None:
    """Together the parts predict every row of the fold once."""
    rows = Bench.of(long, MODEL, LAST).rows
    fold = backward_folds(rows, fold_nights=28, folds=1)[0]
    parts = of_unseen_entities(rows, fold)
    for part in parts:
        assert not set(rows.entities[part.train]) & set(rows.entities[part.predicted])
    assert np.array_equal(np.sort(np.concatenate([part.predicted for part in parts])), fold.predicted)


def test_a_backtest_shows_the_recipe_beside_its_baselines(long: Workspace) -> None:
    """Better than the constant and the season, as in this world; no worse than linear, which it is."""
    found = backtest(long, MODEL, LAST)
    assert (len(found.folds), found.enough, found.windows) == (4, True, ())
    gains = {one.name: one.gain for one in found.beside}
    assert set(gains) == {"constant", "seasonal", "linear", "one_feature"}
    assert gains["constant"].low > 0
    assert gains["seasonal"].low > 0
    assert gains["one_feature"].low > 0
    assert gains["linear"].estimate == pytest.approx(0, abs=1e-9)
    assert all(set(fold.losses) == {"model", *gains} for fold in found.folds)
    assert backtest(long, MODEL, LAST) == found
    assert not long.ledger.entries(MODEL, {"backtested"})


def test_all_history_stays_unless_shown_otherwise(long: Workspace) -> None:
    """In a world that never changes a short window is not better; a window longer than history is the same."""
    found = backtest(long, MODEL, LAST, Asked(windows=(14, 400)))
    short, longer = found.windows
    assert (found.chosen, short.better, longer.better) == (None, False, False)
    assert longer.gain.estimate == 0
    assert "Train on all history" in found.sentences()[-1]
    keep_backtest(long, found)
    keep_backtest(long, found)
    (line,) = long.ledger.entries(MODEL, {"backtested"})
    assert line.evidence["chosen"] is None


def test_too_short_a_history_gets_fewer_folds_and_no_other_window(long: Workspace) -> None:
    """The sentence says how many there are; under four folds nothing but all history is advised."""
    found = backtest(long, MODEL, after(FIRST, 89), Asked(windows=(20,)))
    assert (len(found.folds), found.enough, found.chosen) == (2, False, None)
    assert "4 were asked for" in found.sentences()[0]
    assert "under 4 folds" in found.sentences()[-1]


def test_where_the_world_has_turned_a_short_window_is_shown_to_be_better(
    tmp_path: Path, registry_database: Path
) -> None:
    """Size says the opposite from the fortieth night on: what was learned before misleads."""
    made = Project(tmp_path / "project", world=World(rows=30)).declare().deliver(FIRST, after(FIRST, 39))
    made.world.steep = -0.35
    made.deliver(after(FIRST, 40), LAST)
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, LAST)
    found = backtest(workspace, MODEL, LAST, Asked(windows=(28,)))
    assert found.chosen == 28
    assert "Train on 28 nights" in found.sentences()[-1]


def test_without_time_rows_are_dealt_by_hash(tmp_path: Path, registry_database: Path) -> None:
    """No season, no window, no night: buckets take their place."""
    made = Project(tmp_path / "project").declare(UNTIMED, features=None).deliver_table(600)
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    found = backtest(workspace, MODEL, FIRST)
    assert (found.timed, sum(fold.rows for fold in found.folds)) == (False, 600)
    assert "seasonal" not in {one.name for one in found.beside}


def test_a_window_is_chosen_by_luck_in_at_most_one_of_twenty_backtests() -> None:
    """Three windows that are no better, 112 nights that resemble each other by .3: within two standard errors."""
    rng, repetitions, nights, chosen = np.random.default_rng(20260), 2000, 112, 0
    for _ in range(repetitions):
        noise = rng.standard_normal((4, nights))
        for night in range(1, nights):
            noise[:, night] = 0.3 * noise[:, night - 1] + np.sqrt(1 - 0.09) * noise[:, night]
        gains = {
            window: mean_per_row((noise[0] + noise[place]).tolist(), [1] * nights)
            for place, window in ((1, 60), (2, 90), (3, 180))
        }
        chosen += any(one.better for one in better_windows(gains))
    error = np.sqrt(0.05 * 0.95 / repetitions)
    assert chosen / repetitions <= 0.05 + 2 * error
