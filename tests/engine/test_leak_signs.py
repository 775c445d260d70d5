"""Columns that know the label are found, columns that do not are left alone, on tables made up for the purpose."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from perennial.engine.fitting import TrainingSet, kinds_of
from perennial.engine.leak_signs import FEWEST_ROWS, statistical_signs
from perennial.facts.leaks import LeakSign, answered

ROWS = 1200


def table(seed: int, rows: int = ROWS, task: str = "binary") -> TrainingSet:
    """Draw honest columns that explain a part of the label."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "distance": rng.gamma(2, 300, rows),
            "hour": rng.integers(0, 24, rows),
            "place": rng.choice(["a", "b", "c", "d"], rows),
            "load": rng.standard_t(4, rows),
        }
    )
    score = (frame["hour"] > 15) * 0.8 + (frame["place"] == "a") * 0.6 + 0.4 * frame["load"] - 0.8
    labels = (
        (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
        if task == "binary"
        else score.to_numpy() + rng.normal(size=rows)
    )
    return TrainingSet(
        rows=frame,
        labels=np.asarray(labels),
        task=task,  # type: ignore[arg-type]
        columns=kinds_of(frame, list(frame)),
        keys=np.asarray([str(each) for each in range(rows)], dtype=object),
    )


def seeded(rows: TrainingSet, column: np.ndarray) -> TrainingSet:
    """Put a column beside the honest ones."""
    frame = rows.rows.assign(seeded=column)
    return replace(rows, rows=frame, columns=kinds_of(frame, list(frame)))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_honest_columns_are_hardly_ever_suspected(task: str) -> None:
    """Of 160 columns that explain a part of the label at most two are."""
    suspected = 0
    for seed in range(40):
        rows = table(seed, 600, task)
        signs = statistical_signs(rows, seed=seed, new=rows.columns.names)
        suspected += len({name for sign in signs for name in sign.columns})
    assert suspected <= 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("kind", ["copy", "blurred", "missing", "status", "sorted"])
def test_a_column_made_of_the_label_is_found(kind: str, task: str, seed: int) -> None:
    """A copy, a blurred one, one that is missing where the label says so, a status written afterwards, a number in its order."""
    rows, rng = table(seed, task=task), np.random.default_rng(seed + 100)
    labels = rows.labels.astype(float)
    high = labels > np.median(labels) if task == "regression" else labels > 0
    column = {
        "copy": 3 * labels + 1,
        "blurred": labels + 0.3 * labels.std() * rng.standard_normal(ROWS),
        "missing": np.where(high & (rng.random(ROWS) < 0.5), np.nan, rng.normal(size=ROWS)),
        "status": np.where(high & (rng.random(ROWS) < 0.6), "closed", rng.choice(list("xyz"), ROWS)),
        "sorted": np.argsort(np.argsort(labels, kind="stable")),
    }[kind]
    signs = statistical_signs(seeded(rows, column), seed=seed, new=("seeded",))
    assert any("seeded" in sign.columns for sign in signs)
    assert all(sign.holds and not sign.blocks for sign in signs)


def test_the_same_rows_show_the_same_signs_and_few_rows_show_none() -> None:
    """Nothing is drawn but by hash and seed; under fifty rows every rule is about luck."""
    rows = table(1)
    rows = seeded(rows, rows.labels * 2.0)
    first, again = (statistical_signs(rows, seed=5, new=("seeded",)) for _ in range(2))
    assert first == again
    assert statistical_signs(rows.take(np.arange(FEWEST_ROWS - 1)), seed=5) == []


def test_a_person_answers_for_columns_and_never_for_a_fact() -> None:
    """A reason for every column of a sign, or for its rule, lets it go; what is structural stays."""
    pair = LeakSign("jump", ("a", "b"), 0.4, "a and b together close 40% of the gap")
    assert answered(pair, {"a": "known"}).holds
    assert not answered(pair, {"a": "known", "b": "known as well"}).holds
    assert not answered(pair, {"jump": "a new source"}).holds
    fact = LeakSign("same_rows", (), 0.2, "rows are on both sides")
    assert answered(fact, {"same_rows": "never mind"}).blocks


def test_the_best_honest_column_of_a_first_model_is_no_sign() -> None:
    """A column that explains most of what can be explained is held only where it is new beside a champion."""
    rows = table(2)
    best = rows.labels + np.random.default_rng(3).normal(0, 0.9, ROWS)
    assert statistical_signs(seeded(rows, best), seed=1) == []
    assert statistical_signs(seeded(rows, best), seed=1, new=("seeded",))
