"""Rows come from below the project and its declared roots, whatever links and environment say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.spec.conftest import write_model

from perennial.errors import BrokenModelError
from perennial.spec.load import load
from perennial.spec.places import Roots


def test_a_link_out_of_the_project_is_not_followed(models_root: Path, smallest: str, tmp_path: Path) -> None:
    """A path that looks harmless but links outside is refused."""
    (tmp_path / "data").symlink_to("/etc")
    with pytest.raises(BrokenModelError, match="outside the project"):
        load(write_model(models_root, "linked", smallest))


def test_a_relative_path_starts_at_the_project(models_root: Path, tmp_path: Path) -> None:
    """`include/models` lies in the project, so `data/x` lies beside `include`."""
    roots = Roots.of(models_root)
    assert roots.path("data/{night}.csv") == tmp_path / "data" / "{night}.csv"
    assert roots.path("../x.csv") is None
    assert roots.path("data/*/../../../x") is None


def test_declared_roots_open_other_folders(models_root: Path, tmp_path: Path) -> None:
    """`data_roots` of the project's settings, absolute paths only, open folders outside."""
    (models_root.parent / "perennial.toml").write_text('data_roots = ["/srv/warehouse", "relative"]\n')
    roots = Roots.of(models_root)
    assert roots.path("/srv/warehouse/rides.csv") == Path("/srv/warehouse/rides.csv")
    assert roots.path("/srv/warehouse/../secrets.csv") is None
    assert roots.path("/srv/warehouses/rides.csv") is None
    assert tmp_path.name in str(roots.project)


def test_the_environment_opens_other_folders(models_root: Path) -> None:
    """`PERENNIAL_DATA_ROOTS` lists further folders, as PATH does."""
    code = (
        "import sys; from pathlib import Path; from perennial.spec.places import Roots;"
        "print(Roots.of(Path(sys.argv[1])).path('/srv/b/x.csv'))"
    )
    env = {**os.environ, "PERENNIAL_DATA_ROOTS": os.pathsep.join(["/srv/a", "/srv/b"])}
    done = subprocess.run(
        [sys.executable, "-c", code, models_root], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "/srv/b/x.csv"


def test_broken_settings_are_told(models_root: Path) -> None:
    """A perennial.toml that is no TOML is a problem of its own, with its own file."""
    (models_root.parent / "perennial.toml").write_text("data_roots = [\n")
    with pytest.raises(BrokenModelError, match=r"include/perennial.toml:1:1 PER-1048"):
        load(models_root / "rides")
