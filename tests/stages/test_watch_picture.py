"""What whoever is told of a night can look at: the last nights as curves, in the model's monitoring run."""

from pathlib import Path

from mlflow import MlflowClient
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import Night, after, between
from perennial.stages.replay import load_history, replay
from perennial.stages.verdict import State, Watched
from perennial.stages.watch_picture import draw, keep_picture, ratios, residuals

PNG = b"\x89PNG"


def told(state: State, night: Night) -> Watched:
    """Make a verdict that says little."""
    return Watched(night, state, f"About {night}.", None, None, None, None, {})


def test_a_picture_is_kept_once_a_night_in_one_run(registry_database: Path, tmp_path: Path) -> None:
    """Kept again it is the same file; another night's lies beside it, under one sentence: the newest."""
    project = Project(tmp_path / "project").declare().deliver(FIRST, after(FIRST, 40))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, after(FIRST, 38))
    *_, night = [passed.night for passed in replay(workspace, MODEL, after(FIRST, 39), after(FIRST, 40))]
    runs = {
        keep_picture(workspace, MODEL, key, told("notice", key)) for key in (after(night, -1), night, night)
    }
    (run_id,) = runs
    client = MlflowClient(workspace.tracking_uri)
    assert client.get_run(run_id).data.tags["mlflow.note.content"] == f"About {night}."
    kept = {file.path for file in client.list_artifacts(run_id, "nights")}
    assert kept == {f"nights/{after(night, -1)}.png", f"nights/{night}.png"}
    assert keep_picture(workspace, MODEL, night, told("quiet", night)) is None
    assert ratios(workspace, MODEL, night) == {}
    assert residuals(workspace, MODEL, night) == {}


def test_the_same_numbers_are_the_same_picture() -> None:
    """Nothing of the hour in which it was drawn is in it; nothing to draw is a picture too."""
    nights = between("2024-01-01", "2024-03-30")
    arms = {"night_shift": {night: 0.2 + i % 7 / 10 for i, night in enumerate(nights)}}
    first, second = (draw("orders", nights[-1], arms, {nights[-1]: 0.1}) for _ in range(2))
    assert first == second
    assert first.startswith(PNG)
    assert draw("orders", nights[-1], {}, {}).startswith(PNG)
