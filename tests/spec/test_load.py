"""A folder becomes a spec, or all of its problems; no folder harms another."""

from pathlib import Path

import pytest
from tests.spec.conftest import write_model

from perennial.errors import BrokenModelError
from perennial.spec.load import load, load_all

SHIPPED = Path(__file__).parents[2] / "include" / "models"


def test_the_smallest_useful_file_has_fewer_than_twenty_lines(models_root: Path, smallest: str) -> None:
    """Defaults fill everything that a file need not say."""
    spec = load(models_root / "rides")
    assert len(smallest.splitlines()) < 20
    assert (spec.name, spec.rows_source, spec.metric) == ("rides", "rides", "log_loss")
    assert len(spec.all_gates) == 7


def test_every_shipped_model_is_healthy() -> None:
    """What ships loads."""
    models = load_all(SHIPPED)
    assert not models.broken, "\n".join(str(error) for error in models.broken.values())
    assert "flight_delay" in models.healthy


def test_a_broken_folder_does_not_harm_another(models_root: Path, smallest: str) -> None:
    """Healthy and broken models are kept apart, each broken one with its own error."""
    write_model(models_root, "typo", smallest.replace("task:", "tsak:"))
    write_model(models_root, "Capital", smallest)
    (models_root / "empty").mkdir()
    (models_root / "__pycache__").mkdir()
    (models_root / ".hidden").mkdir()
    models = load_all(models_root)
    assert set(models.healthy) == {"rides"}
    assert set(models.broken) == {"typo", "Capital", "empty"}


def test_a_file_that_may_not_be_read_is_a_broken_model(models_root: Path) -> None:
    """What the operating system refuses is told like any other problem."""
    folder = models_root / "strange"
    folder.mkdir()
    (folder / "model.yaml").symlink_to(folder / "model.yaml")
    assert set(load_all(models_root).broken) == {"strange"}


def test_a_project_without_models_has_none(tmp_path: Path) -> None:
    """No folder is no error."""
    assert load_all(tmp_path / "nowhere").healthy == {}


def test_the_error_shows_every_problem_on_a_line_editors_can_follow(models_root: Path, smallest: str) -> None:
    """The message begins each problem with file, line and column, and counts them."""
    text = smallest.replace("binary", "binry").replace("price]", "prize]")
    with pytest.raises(BrokenModelError) as caught:
        load(write_model(models_root, "two", text))
    lines = str(caught.value).splitlines()
    assert lines[0] == "The model 'two' cannot be used: 2 problems."
    assert lines[1].startswith("include/models/two/model.yaml:2:1 PER-1043 task:")
    assert lines[2].startswith("include/models/two/model.yaml:15:28 PER-1045 features.columns[1]:")


def test_a_name_differs_from_its_file_in_nothing(models_root: Path, smallest: str) -> None:
    """Two folders with the same text are two models that differ by name only."""
    write_model(models_root, "trips", smallest)
    rides, trips = load(models_root / "rides"), load(models_root / "trips")
    assert rides.model_dump(exclude={"name"}) == trips.model_dump(exclude={"name"})


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ("{metric: value, value: {true_positive: -4}}", "being right"),
        ("{metric: value, value: {too_high: 1}}", "knows no"),
        ("{metric: auc, value: {true_positive: 4}}", "does not ask"),
        ("{value: {true_positive: 4}}", "does not ask"),
    ],
)
def test_worth_that_is_none_is_told_where_it_stands(
    models_root: Path, smallest: str, training: str, said: str
) -> None:
    """What outcomes are worth is asked by the metrics of worth, in their own words, with the right sign."""
    with pytest.raises(BrokenModelError, match=said):
        load(write_model(models_root, "worth", f"{smallest.rstrip()}\ntraining: {training}\n"))


@pytest.mark.parametrize("metric", ["auc", "f1", "average_precision", "value, value: {true_positive: 4}"])
def test_any_metric_that_fits_the_task_may_judge(models_root: Path, smallest: str, metric: str) -> None:
    """A number of all rows together as well as a mean over them."""
    spec = load(write_model(models_root, "judged", f"{smallest.rstrip()}\ntraining: {{metric: {metric}}}\n"))
    assert type(spec.judge).__name__.lower() == spec.metric.replace("_", "")
    assert spec.watched.additive
