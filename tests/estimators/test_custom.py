"""The folder's own estimator.py: what it returns is used, and what is wrong with it is said."""

from pathlib import Path

import pytest

from perennial.errors import CustomEstimatorError, UnknownEntryError
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds

COLUMNS = ColumnKinds(numeric=("x",))
GOOD = """
from sklearn.linear_model import Ridge
def build(task, columns, parameters, seed):
    return Ridge(**parameters)
def space(task):
    return {"alpha": (0.1, 1.0)}
"""


def written(folder: Path, text: str) -> Path:
    """Write the file."""
    (folder / "estimator.py").write_text(text)
    return folder / "estimator.py"


def test_its_parameters_and_its_space_are_the_files(tmp_path) -> None:
    """Tuning lays its choice over what model.yaml says."""
    mine = make("custom", {"alpha": 3.0, "tol": 0.1}, code=written(tmp_path, GOOD)).tuned({"alpha": 0.5})
    model = mine.pipeline("regression", COLUMNS, seed=7)
    assert (model.alpha, model.tol) == (0.5, 0.1)
    assert mine.space("regression") == {"alpha": (0.1, 1.0)}


def test_an_edited_file_is_read_again(tmp_path) -> None:
    """Also within the second, with a text as long as before."""
    mine = make("custom", {}, code=written(tmp_path, GOOD))
    mine.pipeline("regression", COLUMNS, seed=7)
    written(tmp_path, GOOD.replace("Ridge", "Lasso"))
    assert type(mine.pipeline("regression", COLUMNS, seed=7)).__name__ == "Lasso"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no function `build`"),
        ("def build(:", "reading it failed"),
        ("import nothing_of_that_name", "reading it failed"),
        ("def build(task, columns, parameters, seed): return 7", "not an estimator"),
        ("def build(): return 7", "`build` failed"),
        ("def build(task, columns, parameters, seed): raise OSError('disk')", "disk"),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(text, said, tmp_path) -> None:
    """The person who reads it wrote the file."""
    mine = make("custom", {}, code=written(tmp_path, text))
    with pytest.raises(CustomEstimatorError, match=said):
        mine.pipeline("regression", COLUMNS, seed=7)


def test_a_file_that_is_not_there_is_said(tmp_path) -> None:
    """With its path."""
    with pytest.raises(CustomEstimatorError, match=r"estimator\.py"):
        make("custom", {}, code=tmp_path / "estimator.py").pipeline("binary", COLUMNS, seed=7)


def test_an_unknown_estimator_is_answered_with_the_nearest() -> None:
    """A typing error costs one look."""
    with pytest.raises(UnknownEntryError, match="Did you mean 'gradient_boosting'"):
        make("gradient_bosting", {})
