"""What every test may ask for: a whole registry database, made once, and projects that stand on copies of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.projects import Project

from perennial.registry.database import create_database
from perennial.registry.server import ADDRESSES

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two tests at once, and sums in one order


@pytest.fixture(autouse=True)
def no_registry_of_another_test() -> Iterator[None]:
    """Leave no registry's address behind: MLflow writes it into the environment, which the next test would obey."""
    before = {name: os.environ.get(name) for name in ADDRESSES}
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def registry_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one whole registry database for the session, to be copied."""
    return create_database(tmp_path_factory.mktemp("registry") / "mlflow.db")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make an empty project for a binary model."""
    return Project(tmp_path / "project")
