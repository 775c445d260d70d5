"""Rows that judge a version are fed like those that trained it, or the version waits; a season is not a broken feed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.doubles.projects import MODEL

from perennial.clock import after
from perennial.engine.building import feature_column
from perennial.facts.decision import Verdict
from perennial.gates.fed_as_trained import FedAsTrained
from perennial.stages import datasets
from perennial.stages.candidates import candidate, inputs
from perennial.stages.comparison import compare_on_holdout
from perennial.stages.fed_as_trained import faults_between, feed_faults, trained_nights
from perennial.workspace import Workspace

NIGHTS, ROWS = 28, 60


def world(rng: np.random.Generator, first: int, nights: int) -> tuple[pd.DataFrame, list[str]]:
    """Draw nights that wander, swing by the week and by the year."""
    frames, groups = [], []
    level = 0.0
    for at in range(first, first + nights):
        level = 0.6 * level + 0.3 * rng.standard_normal()
        swing = np.sin(2 * np.pi * at / 7) * 0.5 + np.sin(2 * np.pi * at / 365) * 2
        size = int(rng.integers(ROWS // 2, ROWS * 2))
        frames.append(
            pd.DataFrame(
                {
                    "price": np.exp(3 + 0.3 * (level + swing) + 0.5 * rng.standard_normal(size)),
                    "load": level + swing + rng.standard_normal(size),
                    "place": rng.choice(
                        ["a", "b", "c"], size, p=[0.6, 0.3 - 0.1 * np.sin(at), 0.1 + 0.1 * np.sin(at)]
                    ),
                    "whom": rng.zipf(1.3, size).clip(0, 5000).astype(str).astype(object),
                    "rare": np.where(rng.random(size) < 0.9, np.nan, rng.random(size)),
                }
            )
        )
        groups += [after("2023-01-01", at)] * size
    return pd.concat(frames, ignore_index=True), groups


def as_rows(frame: pd.DataFrame, groups: list[str]) -> pa.Table:
    """Name features as the feature repository does."""
    named = frame.rename(columns={name: feature_column(name) for name in frame.columns})
    return pa.Table.from_pandas(named, preserve_index=False).append_column(
        "group", pa.array(groups, pa.string())
    )


def test_a_season_is_hardly_ever_taken_for_a_broken_feed() -> None:
    """300 holdouts of 14 nights after 28 that trained: at most one is held."""
    rng = np.random.default_rng(17)
    held = 0
    for _ in range(300):
        begin = int(rng.integers(0, 330))
        trained, judged = world(rng, begin, NIGHTS), world(rng, begin + NIGHTS, 14)
        held += bool(faults_between(as_rows(*trained), *judged))
    assert held <= 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda rows: rows.assign(price=rows["price"] * 1000), "price is usually"),
        (lambda rows: rows.assign(price=rows["price"] / 1000), "price is usually"),
        (lambda rows: rows.assign(load=0.0), "load has one value"),
        (lambda rows: rows.assign(load=np.nan), "load"),
        (lambda rows: rows.assign(price=rows["load"], load=rows["price"]), "price"),
        (lambda rows: rows.assign(place=rows["place"].map({"a": "1", "b": "2", "c": "3"})), "place"),
    ],
)
def test_a_broken_feed_is_named_with_its_column(broken, said: str) -> None:
    """Units, constants, missing values, swapped columns, codes."""
    rng = np.random.default_rng(3)
    trained, (frame, groups) = world(rng, 0, NIGHTS), world(rng, NIGHTS, 14)
    found = faults_between(as_rows(*trained), broken(frame), groups)
    assert any(said in each for each in found), found


def test_a_candidate_waits_where_the_rows_that_judge_look_broken(workspace: Workspace) -> None:
    """The shipped rows are in order; with a unit changed in those kept back the gate holds and says which."""
    version = candidate(workspace, MODEL, "1")
    evaluation = compare_on_holdout(workspace, version, version.night)
    assert evaluation.feed_faults == ()
    assert FedAsTrained().decide(evaluation).verdict is Verdict.PASS
    holdout = workspace.store.read(datasets.holdout(MODEL), "1")
    frame, trained = inputs(holdout), trained_nights(workspace, version)
    assert trained is not None
    broken = faults_between(trained, frame.assign(size=frame["size"] * 1000), holdout["group"].to_pylist())
    decision = FedAsTrained().decide(replace(evaluation, feed_faults=broken))
    assert decision.verdict is Verdict.HOLD
    assert "size" in decision.reason
    assert FedAsTrained().decide(replace(evaluation, feed_faults=None)).verdict is Verdict.HOLD
    assert feed_faults(workspace, version, holdout) == ()
