"""The season benchmark: what it replays is what ships, what it compares is paired, what it misses it says."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.season.goals import SHIPPED, goals
from benchmarks.season.models import Models
from benchmarks.season.nights import LAG, Table, cut
from benchmarks.season.passing import Replay
from benchmarks.season.promoting import goes_ahead, kept_back, wrong
from benchmarks.season.runs import Run, difference, paired
from benchmarks.season.triggers import POLICIES

from perennial.adaptation.gate import LEAST_NIGHTS
from perennial.adaptation.settings import Adaptation

NIGHTS, ROWS, START = 60, 30, 30


@pytest.fixture(scope="module")
def table() -> Table:
    """Make two months whose labels rise after the first champion's nights, and stay up."""
    draw = np.random.default_rng(3)
    night = np.repeat(np.arange(NIGHTS), ROWS)
    features = draw.normal(size=(len(night), 3))
    chance = 1 / (1 + np.exp(-features[:, 0] - 2.0 * (night >= START - LAG)))
    labels = (draw.random(len(night)) < chance).astype(float)
    keys, segments = [str(row) for row in range(len(night))], ["all"] * len(night)
    return cut("rising", "binary", night, keys=keys, features=features, labels=labels, segments=segments)


def replayed(table: Table, policy: str, folder: Path) -> Replay:
    """Pass all nights under a policy."""
    replay = Replay(table, Models(table, folder, Adaptation(label_delay_nights=LAG)), POLICIES[policy], START)
    replay.run()
    return replay


def test_the_layer_as_it_ships_serves_when_it_has_shown_itself(table: Table, tmp_path: Path) -> None:
    """The champion's losses to the number for two weeks of matured nights; less than them in the end."""
    plain, shipped = (replayed(table, name, tmp_path) for name in ("never", "shipped layer, never"))
    waiting = LEAST_NIGHTS + LAG - 1
    assert shipped.sums[:waiting] == plain.sums[:waiting]
    late = slice(waiting + 1, None)
    assert sum(lost for lost, _ in shipped.sums[late]) < sum(lost for lost, _ in plain.sums[late])


def test_a_challenger_is_judged_on_nights_that_it_gave_up(table: Table, tmp_path: Path) -> None:
    """Every training but the first meets the gate; what is promoted knows nothing of the nights kept back."""
    replay = replayed(table, "gated, every 7", tmp_path)
    assert replay.trainings == [30, 37, 44, 51, 58]
    told = replay._result()["gate"]
    assert told["promoted"] + told["refused"] == 4
    assert all(made == night - kept_back(night - LAG + 1) for night, _, (made, _) in replay.promotions)


def test_a_restart_is_judged_on_a_third_of_what_it_has() -> None:
    """Never on fewer nights than the gate asks for, nor on more than any other training gives up."""
    assert [kept_back(nights) for nights in (14, 20, 30, 300)] == [7, 7, 10, 14]


@pytest.mark.parametrize(("gain", "passes"), [(0.1, True), (0.0, True), (-0.1, False)])
def test_the_gate_refuses_what_is_worse(table: Table, gain: float, *, passes: bool) -> None:
    """A refresh goes ahead unless it is worse than the model it would replace."""
    draw = np.random.default_rng(0)

    def losses(made: int, _: int, night: int) -> np.ndarray:
        luck = draw.normal(scale=0.01, size=ROWS)
        return 0.5 + luck - gain * (made == START) + 0.0 * night

    assert goes_ahead(table, losses, ((10, 0), (START, 0)), START + 14) is passes


def test_a_promotion_is_wrong_by_what_followed() -> None:
    """More than a hundredth more loss than the version it replaced, on the nights after it."""
    lost = {1: 1.0, 2: 1.005, 3: 1.02}
    said = [wrong(lambda made, _, __: np.array([lost[made]]), 5, (1, 0), (new, 0), NIGHTS) for new in (2, 3)]
    assert said == [False, True]


def run(policy: str, *starts: tuple[int, float, int]) -> Run:
    """Make a run from start nights, nightly losses and counts of trainings."""
    told = [
        {
            "policy": policy,
            "start": start,
            "loss": loss,
            "change": None,
            "trainings": list(range(count)),
            "twins": 0,
            "cpu": {"full": 1.0, "twin": 0.0, "layer": 0.0},
            "nights": [(loss * ROWS, ROWS)] * (NIGHTS - start),
        }
        for start, loss, count in starts
    ]
    return Run(policy, tuple(told))


def test_two_policies_are_compared_on_the_starts_that_both_have() -> None:
    """A start that one of them lacks says nothing of their difference."""
    mine, theirs = run("never", (30, 0.5, 1), (40, 9.0, 1)), run("every 7", (30, 0.4, 5))
    assert [len(one.starts) for one in paired(mine, theirs)] == [1, 1]
    found = difference(mine, theirs)
    assert (round(found.mean, 3), found.word) == (0.1, "loses")


def test_the_page_says_where_a_goal_does_not_hold() -> None:
    """A plain policy with less loss and fewer trainings stands in the first lines."""
    told = goals({"made_up": [run("never", (30, 0.4, 1)), run(SHIPPED, (30, 0.5, 4))]})
    assert "Not dominated by a plain policy: **does not hold on made_up**." in told
    assert "missed: never" in told
