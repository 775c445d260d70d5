"""A model fitted elsewhere serves by a person's word, from bytes that were looked at, and monitoring watches it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.doubles.projects import FIRST, MODEL

from perennial.clock import after
from perennial.engine.fitting import kinds_of
from perennial.errors import AdoptedOtherwiseError, AlreadyServedError, MisfitModelError, RefusedArtefactError
from perennial.ledger.base import NewEntry
from perennial.registry.adopting import adopt as read_artefact
from perennial.stages import adopt as adopting
from perennial.stages import datasets
from perennial.stages.adopt import adopt
from perennial.stages.build_features import build_features
from perennial.stages.candidates import candidate, champion, inputs
from perennial.stages.replay import load_history, pass_night, renew

NIGHT = after(FIRST, 34)
WORD = {"reason": "It has served for years.", "actor": "ann"}
CHANCE = np.random.default_rng(7)
ROWS = pd.DataFrame({"size": CHANCE.normal(10, 3, 200), "weight": CHANCE.gamma(2, 2, 200)})
LATE = (ROWS["size"] > 10).astype(int)


@pytest.fixture
def workspace(project, registry_database):
    """Take 35 nights in; nothing serves."""
    project.declare().deliver(FIRST, after(NIGHT, 20))
    opened = project.workspace(registry_database)
    load_history(opened, MODEL, FIRST, NIGHT)
    return opened


@pytest.fixture
def fitted(tmp_path) -> str:
    """Fit a model as somebody else would, and keep it as skops."""
    return kept(LogisticRegression().fit(ROWS, LATE), tmp_path)


def kept(model, folder) -> str:
    """Write a model."""
    skops.io.dump(model, folder / "mine.skops")
    return str(folder / "mine.skops")


def test_an_adopted_model_serves_from_the_next_night_on(workspace, fitted) -> None:
    """Its predictions are its own, and the line says whose word it was and that no gate was asked."""
    entry = adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    assert (entry.kind, entry.actor, entry.night) == ("promoted", "ann", after(NIGHT))
    assert "by the word of ann: It has served for years. Its gates were not asked." in entry.reason
    passed = pass_night(workspace, MODEL, after(NIGHT))
    assert (passed.scored.rows, passed.scored.version) == (60, "1")
    rows = workspace.store.read(datasets.predictions(MODEL), after(NIGHT))
    own = LogisticRegression().fit(ROWS, LATE)
    features = workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), after(NIGHT))
    inputs = features.select(["f:size", "f:weight"]).rename_columns(["size", "weight"]).to_pandas()
    assert np.allclose(rows["prediction"].to_numpy(), own.predict_proba(inputs)[:, 1])


def test_the_registry_and_the_ledger_tell_the_same(workspace, fitted) -> None:
    """The alias follows the ledger, and the bytes are the ones it vouches for."""
    adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    served = champion(workspace, MODEL, after(NIGHT))
    alias = workspace.registry.alias(MODEL, "champion")
    assert (alias.version, alias.sha256, served.estimator) == (served.version, served.sha256, "adopted")
    assert workspace.ledger.verify() == []


def test_nights_it_was_fitted_on_do_not_judge_it(workspace, fitted) -> None:
    """Without a word about them every night counts as seen; with one, the later nights are the reference."""
    adopt(workspace, MODEL, fitted, NIGHT, fitted_until=after(FIRST, 20), **WORD)
    unseen = workspace.store.read(datasets.reference(MODEL), "1")
    assert set(unseen["night"].to_pylist()) == {after(FIRST, days) for days in range(21, 34)}
    assert candidate(workspace, MODEL, "1").cutoff == after(FIRST, 20)


def test_monitoring_learns_what_an_adopted_model_does(workspace, fitted) -> None:
    """With nothing to compare with, the verdict is learning, not quiet."""
    adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    assert workspace.store.read(datasets.reference(MODEL), "1").num_rows == 0
    states = [pass_night(workspace, MODEL, after(NIGHT, days)).watched.state for days in range(1, 4)]
    assert states == ["learning"] * 3


@pytest.mark.slow
def test_the_next_model_has_to_beat_the_adopted_one(workspace, fitted) -> None:
    """Trained by the recipe of the folder, compared on nights that neither has seen."""
    adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    for days in range(1, 18):
        pass_night(workspace, MODEL, after(NIGHT, days))
    renewed = renew(workspace, MODEL, after(NIGHT, 17))
    assert renewed.version == "2"
    asked = workspace.ledger.entries(MODEL, {"gate"}, first_night=after(NIGHT, 17))
    (compared,) = [one for one in asked if one.evidence["gate"] == "against_champion"]
    assert "version 1" in compared.reason


def test_the_same_artefact_again_changes_nothing(workspace, fitted) -> None:
    """A repeated command is harmless; another model has to pass the gates."""
    first = adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    assert adopt(workspace, MODEL, fitted, NIGHT, **WORD) == first
    other = LogisticRegression(C=0.1).fit(ROWS, LATE)
    skops.io.dump(other, fitted)
    with pytest.raises(AlreadyServedError, match="version 1"):
        adopt(workspace, MODEL, fitted, NIGHT, **WORD)


def test_the_same_artefact_on_another_night_changes_nothing(workspace, fitted, tmp_path) -> None:
    """Whoever repeats it, later and from a copy of the file, is told the line that lets it serve."""
    first = adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    load_history(workspace, MODEL, after(NIGHT), after(NIGHT, 2))
    copy = tmp_path / "copy.skops"
    copy.write_bytes(Path(fitted).read_bytes())
    again = adopt(workspace, MODEL, str(copy), after(NIGHT, 2), reason="Again.", actor="ben")
    assert again == first
    assert len(workspace.ledger.entries(MODEL, {"promoted", "adopted", "registered"})) == 3


def cut_off(workspace, fitted) -> None:
    """Adopt until just before the line that lets it serve."""
    found = read_artefact(fitted)
    rows = workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), NIGHT)
    sample = adopting._training_set(rows, ("order_id",), found, kinds_of(inputs(rows), list(found.columns)))
    made = adopting._register(workspace, MODEL, found, sample, NIGHT, after(FIRST, 20))
    adopting._vouch(workspace, made, fitted, "ann")


def test_an_attempt_that_was_cut_off_is_finished_on_another_night(workspace, fitted) -> None:
    """What it recorded stays; it serves from the night after the one on which it was finished."""
    build_features(workspace, MODEL, NIGHT)
    cut_off(workspace, fitted)
    load_history(workspace, MODEL, after(NIGHT), after(NIGHT, 2))
    with pytest.raises(AdoptedOtherwiseError, match=after(FIRST, 20)):
        adopt(workspace, MODEL, fitted, after(NIGHT, 2), fitted_until=after(FIRST, 10), **WORD)
    entry = adopt(workspace, MODEL, fitted, after(NIGHT, 2), **WORD)
    assert (entry.kind, entry.night) == ("promoted", after(NIGHT, 3))
    assert candidate(workspace, MODEL, "1").cutoff == after(FIRST, 20)
    assert workspace.ledger.verify() == []


def test_an_adopted_model_that_was_replaced_is_returned_to_by_rolling_back(workspace, fitted) -> None:
    """The sentence names its version and the command."""
    entry = adopt(workspace, MODEL, fitted, NIGHT, **WORD)
    other = {**entry.evidence, "version": "2", "artefact": None}
    workspace.ledger.append(NewEntry(MODEL, "promoted", "other", after(NIGHT, 2), "test", "Serves.", other))
    with pytest.raises(AlreadyServedError, match=f"perennial rollback {MODEL} --version 1"):
        adopt(workspace, MODEL, fitted, after(NIGHT, 3), **WORD)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LinearRegression().fit(ROWS, LATE), "it does regression"),
        (
            LogisticRegression().fit(ROWS.rename(columns={"size": "sizes"}), LATE),
            r"sizes \(the features have size\)",
        ),
        (LogisticRegression().fit(ROWS.assign(place=1.0), LATE), "cannot predict the rows"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_anything_is_recorded(
    workspace, tmp_path, model, said
) -> None:
    """Another task, columns that are no features, or rows that it cannot read."""
    with pytest.raises(MisfitModelError, match=said):
        adopt(workspace, MODEL, kept(model, tmp_path), NIGHT, **WORD)
    assert workspace.ledger.entries(MODEL) == []


def test_a_pipeline_with_categories_keeps_its_own_preparation(workspace, tmp_path) -> None:
    """It is given the features by name, whatever their order."""
    rows = ROWS.assign(place=CHANCE.choice(["north", "south", "west"], 200))[["place", "weight", "size"]]
    prepared = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["place"]), remainder="passthrough"
    )
    model = make_pipeline(prepared, LogisticRegression()).fit(rows, LATE)
    adopt(workspace, MODEL, kept(model, tmp_path), NIGHT, **WORD)
    assert pass_night(workspace, MODEL, after(NIGHT)).scored.rows == 60


def test_a_pickle_is_not_opened(workspace, tmp_path) -> None:
    """Nothing is recorded of what could be anything."""
    (tmp_path / "mine.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(RefusedArtefactError):
        adopt(workspace, MODEL, str(tmp_path / "mine.pkl"), NIGHT, **WORD)
    assert workspace.ledger.entries(MODEL) == []
