"""Residuals by score: quiet when nothing happens, loud when the relation turns for some scores only."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import after, between, end_of
from perennial.detectors.residual_shape import ResidualShape
from perennial.facts.evidence import Json
from perennial.facts.reading import Reading
from perennial.policies.paging import Crossing, PageBudget
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.monitor import SHOWN_TWICE, conclude
from perennial.stages.performance import mean_residuals, nights_until_final
from perennial.stages.residual_shape import BINS, score_residuals
from perennial.stages.verdict import Arm
from perennial.workspace import Workspace

BORN = after(FIRST, 119)
"""The version has seen none of these 120 nights: half of the history."""
ROWS, LIVE, TURNED, LAG = 400, 120, 40, 4


@pytest.fixture
def workspace(project: Project) -> Workspace:
    """Open a declared model that has served nobody yet."""
    project.declare()
    return Workspace.open(project.root / "home", project.root)


def version(task: str = "binary") -> Candidate:
    """Describe a version that was trained after the reference nights."""
    texts = dict.fromkeys(("sha256", "behaviour", "plan", "recipe", "estimator"), "x")
    return Candidate(
        model=MODEL, version="1", task=task, numeric=(), categorical=(), classes=(), night=BORN,
        cutoff=None, rows=1, parameters={}, seed=0, change="first", **texts,
    )  # fmt: skip


def rows(night: str, *, turned: bool = False, seed: int = 1, count: int = ROWS) -> pa.Table:
    """Draw scores and labels of a night; turned, scores above a quarter come true as their mirror says."""
    chance = np.random.default_rng([seed, int(night.replace("-", ""))])
    score = chance.uniform(0, 0.75, count)
    truth = np.where(turned & (score > 0.25), 1 - score, score)
    columns = {
        "night": [night] * count,
        "version": ["1"] * count,
        "label": (chance.uniform(size=count) < truth).astype(float),
        "prediction": score,
        "known_at": pa.array([end_of(after(night, 1), "UTC")] * count, pa.timestamp("us", "UTC")),
    }
    return pa.table(columns)


def born(workspace: Workspace, seed: int, count: int = ROWS) -> None:
    """Publish what the version predicted on nights it had not seen."""
    reference = [rows(night, seed=seed, count=count) for night in between(FIRST, BORN)]
    workspace.store.publish(datasets.reference(MODEL), "1", pa.concat_tables(reference))


def lived(workspace: Workspace, *, turned: int | None, seed: int) -> Iterator[tuple[Reading, bool]]:
    """Let nights be served and settled; read each, and say whether it pages."""
    born(workspace, seed)
    arm, earlier = ResidualShape(), list[Crossing]()
    budget = PageBudget(false_pages=arm.false_pages, per_nights=arm.per_nights)
    for days in range(1, LIVE + 1):
        night = after(BORN, days)
        table = rows(night, turned=turned is not None and days > turned, seed=seed)
        about: dict[str, Json] = {
            "by": after(night, LAG),
            "mature_since": after(night, 1),
            "residuals": {},
        }
        workspace.store.publish(datasets.performance(MODEL), night, table, meta=about)
        watch = score_residuals(workspace, MODEL, night, version())
        assert watch is not None
        reading = arm.read(watch)
        decision = budget.decide(reading, earlier)
        crossing = budget.remember(reading, decision)
        earlier += [crossing] if crossing else []
        yield reading, decision.evidence["outcome"] == "page"


def test_a_version_of_half_a_stationary_history_pages_nobody(workspace: Workspace) -> None:
    """Ten ranges over 120 live nights like those before: every night is judged, and none pages."""
    judged = list(lived(workspace, turned=None, seed=3))
    assert {reading.state for reading, _ in judged} <= {"quiet", "over"}
    assert not any(paged for _, paged in judged)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_relation_that_turns_for_high_scores_is_found(workspace: Workspace, seed: int) -> None:
    """It pages within three nights of final labels, shows twice in seven, and the overall mean does not move."""
    judged = list(lived(workspace, turned=TURNED, seed=seed))
    assert nights_until_final(workspace.spec(MODEL)) == LAG
    assert not any(paged for _, paged in judged[: TURNED + LAG])
    pages = [days for days, (_, paged) in enumerate(judged, start=1) if paged]
    assert TURNED + LAG < pages[0] <= TURNED + LAG + 3
    assert "label minus prediction for scores" in judged[pages[0] - 1][0].reason
    over = [reading.state == "over" for reading, _ in judged[TURNED + LAG : TURNED + LAG + 7]]
    assert sum(over) >= SHOWN_TWICE
    whole = pa.concat_tables(
        workspace.store.read(datasets.performance(MODEL), after(BORN, days))
        for days in range(TURNED + 1, LIVE + 1)
    )
    assert abs(mean_residuals(whole, "version")["1"].mean) < 0.01


def test_a_night_says_the_same_from_a_table_as_from_its_rows(workspace: Workspace) -> None:
    """And the same again: every settled night has a stream for each tenth of the scores."""
    readings = [reading for reading, _ in zip(lived(workspace, turned=None, seed=1), range(20), strict=False)]
    night = after(BORN, 20)
    found = score_residuals(workspace, MODEL, night, version())
    assert found is not None
    assert list(found.nights) == between(FIRST, after(night, -LAG))
    assert found.values.shape[1] == BINS
    assert not np.isnan(found.values).any()
    fresh = Workspace(workspace.project, workspace.project / "other")
    for dataset in (datasets.reference(MODEL), datasets.performance(MODEL)):
        for key in workspace.store.keys(dataset):
            manifest = workspace.store.manifest(dataset, key)
            assert manifest is not None
            fresh.store.publish(dataset, key, workspace.store.read(dataset, key), meta=manifest.meta)
    other = score_residuals(fresh, MODEL, night, version())
    assert other is not None
    same = {ResidualShape().read(watch).evidence_hash for watch in (found, other)}
    assert same == {readings[-1][0].evidence_hash}


def test_a_night_whose_labels_were_not_final_is_not_looked_at(workspace: Workspace) -> None:
    """What was settled only later is unknown to a night that is watched again."""
    born(workspace, 1)
    served = after(BORN, 1)
    meta: dict[str, Json] = {"by": after(served, 9), "mature_since": after(served, 9), "residuals": {}}
    workspace.store.publish(datasets.performance(MODEL), served, rows(served), meta=meta)
    known = []
    for days in (LAG, 9):
        watch = score_residuals(workspace, MODEL, after(served, days), version())
        assert watch is not None
        known.append(not np.isnan(watch.values[watch.nights.index(served)]).all())
    assert known == [False, True]


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_other_labels_than_yes_or_no_are_not_watched(workspace: Workspace, task: str) -> None:
    """What was not simulated for a task does not decide in it."""
    born(workspace, 1)
    assert score_residuals(workspace, MODEL, BORN, version(task)) is None


def test_nights_of_few_rows_are_not_watched(workspace: Workspace) -> None:
    """Fewer than sixty rows a night are one range, and nothing is left of it without its level."""
    born(workspace, 1, count=59)
    assert score_residuals(workspace, MODEL, BORN, version()) is None


@pytest.mark.parametrize(("before", "asks"), [(0, None), (1, None), (SHOWN_TWICE, "drift")])
def test_what_showed_on_two_nights_asks_on_while_the_watch_has_gone_quiet(
    workspace: Workspace, before: int, asks: str | None
) -> None:
    """The watch learns a changed relation as normal within days, and the version is still wrong."""
    read = Reading(BORN, "residual_shape", "quiet", "Quiet.", 1.0, 4.0, evidence={"crossed_before": before})
    arm = Arm("residual_shape", "quiet", read, PageBudget().decide(read, []), None)
    assert conclude(workspace, MODEL, BORN, [arm], [], version()).asks == asks
