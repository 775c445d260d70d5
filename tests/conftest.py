"""What every test may ask for: a whole registry database, made once, and projects that stand on copies of it."""

import os
from pathlib import Path

import pytest
from tests.doubles.projects import Project

from perennial.registry.database import create_database

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two tests at once, and sums in one order


@pytest.fixture(scope="session")
def registry_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one whole registry database for the session, to be copied."""
    return create_database(tmp_path_factory.mktemp("registry") / "mlflow.db")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make an empty project for a binary model."""
    return Project(tmp_path / "project")
