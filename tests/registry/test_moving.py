"""A registry that was moved or copied with its files loads from where they lie now, and writes there."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from perennial.errors import RefusedArtefactError
from perennial.registry.registry import Registry


def opened(folder: Path) -> Registry:
    """Open the registry that lies in a folder."""
    return Registry(f"sqlite:///{folder / 'mlflow.db'}")


def addresses(folder: Path) -> set[str]:
    """List every address that MLflow keeps for the model's files."""
    from perennial.registry.moving import ADDRESSES

    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return {
            address
            for table, column in ADDRESSES
            for (address,) in connection.execute(f"SELECT {column} FROM {table}")  # noqa: S608
            if "/artifacts/flight_delay" in str(address) or "bucket" in str(address)
        }


@pytest.fixture
def home(registry, trained, tmp_path) -> Path:
    """Record one training in a folder of its own."""
    registry.record_training(trained)
    shutil.copytree(tmp_path, tmp_path / "home", ignore=shutil.ignore_patterns("home"))
    for left in ("mlflow.db", "artifacts"):
        where = tmp_path / left
        shutil.rmtree(where) if where.is_dir() else where.unlink()
    return tmp_path / "home"


def test_a_moved_registry_loads_what_was_trained_before(home, tmp_path) -> None:
    """Bytes, fixed rows and run are found below the new place, whose name may need quoting."""
    place = tmp_path / "else where" / "artifacts"
    shutil.copytree(home, place)
    shutil.rmtree(home)
    registry = opened(place)
    version = registry.version("flight_delay", "1")
    registry.load("flight_delay", "1", version.sha256)
    assert len(registry.fixed_rows("flight_delay", "1"))
    assert all(each.startswith((place / "artifacts" / "flight_delay").as_uri()) for each in addresses(place))


def test_what_is_trained_after_a_move_lies_in_the_new_place(home, trained, tmp_path) -> None:
    """The folder that was left does not come back."""
    from dataclasses import replace

    home.rename(tmp_path / "moved")
    version = opened(tmp_path / "moved").record_training(replace(trained, run_key="2013-08-01/def"))
    opened(tmp_path / "moved").load("flight_delay", version.version, version.sha256)
    assert version.version == "2"
    assert not home.exists()


def test_a_copy_and_its_original_do_not_share_files(home, tmp_path) -> None:
    """Each loads its own: what happens to one leaves the other whole."""
    shutil.copytree(home, tmp_path / "copy")
    version = opened(tmp_path / "copy").version("flight_delay", "1")
    shutil.rmtree(tmp_path / "copy" / "artifacts")
    with pytest.raises(RefusedArtefactError, match="cannot be read"):
        opened(tmp_path / "copy").load("flight_delay", "1", version.sha256)
    opened(home).load("flight_delay", "1", version.sha256)


def test_one_folder_has_one_address(home, tmp_path, monkeypatch) -> None:
    """By a link or a relative path, nothing is rewritten to and fro."""
    opened(home).versions("flight_delay")
    before = (home / "mlflow.db").read_bytes()
    (tmp_path / "link").symlink_to(home)
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "link", Path("home")):
        version = opened(path).version("flight_delay", "1")
        opened(path).load("flight_delay", "1", version.sha256)
    assert (home / "mlflow.db").read_bytes() == before


def test_files_that_stayed_behind_keep_their_address(home, tmp_path) -> None:
    """A database that was copied without its files is not told that they are here; they are refused as before."""
    (tmp_path / "alone").mkdir()
    shutil.copy(home / "mlflow.db", tmp_path / "alone")
    opened(home).versions("flight_delay")
    shutil.copy(home / "mlflow.db", tmp_path / "alone")
    registry = opened(tmp_path / "alone")
    before = addresses(tmp_path / "alone")
    with pytest.raises(RefusedArtefactError, match="does not lie where"):
        registry.load("flight_delay", "1", registry.version("flight_delay", "1").sha256)
    assert addresses(tmp_path / "alone") == before


def test_files_on_a_server_keep_their_address(home) -> None:
    """Only what lies on this machine can have moved with the checkout."""
    with closing(sqlite3.connect(home / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = 's3://bucket/flight_delay'")
    opened(home).versions("flight_delay")
    assert "s3://bucket/flight_delay" in addresses(home)


def test_a_registry_that_was_not_moved_is_not_written_to(home) -> None:
    """Opening it costs a look."""
    opened(home).versions("flight_delay")
    before = (home / "mlflow.db").read_bytes()
    opened(home).versions("flight_delay")
    assert (home / "mlflow.db").read_bytes() == before
