"""What people change by hand in MLflow is found in one run and undone or adopted; who serves never follows it."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH
from tests.stages.test_roll_back import promoted
from tests.stages.test_steering import taken_in

from perennial.clock import after
from perennial.errors import UnknownVersionError
from perennial.ledger.base import Entry
from perennial.ledger.outbox import Outbox
from perennial.registry.artefacts import FILE_NAME
from perennial.registry.database import create_database
from perennial.registry.mirror import Content, Mirror
from perennial.stages import datasets
from perennial.stages.candidates import Predictor, candidate, mirror_champion
from perennial.stages.reconcile import reconcile, reconcile_all
from perennial.stages.replay import renew
from perennial.stages.score import score
from perennial.workspace import Workspace

NIGHT = after(BIRTH)


@pytest.fixture
def three(workspace: Workspace) -> Workspace:
    """Open a project with three versions, of which the third serves, and whose registry is in order."""
    promoted(workspace, "2", "3")
    for version in ("2", "3"):
        seen = workspace.store.read(datasets.reference(MODEL), "1")
        workspace.store.publish(datasets.reference(MODEL), version, seen)
    mirror_champion(workspace, MODEL)
    reconcile(workspace, MODEL)
    return workspace


def client(workspace: Workspace):
    """Open MLflow as a person with its own client does."""
    return workspace.registry._client


def found(workspace: Workspace) -> list[tuple[object, object, object]]:
    """Reconcile; return what was found, at what, and what was done, and make sure that people hear of each."""
    entries = reconcile(workspace, MODEL)
    told = [one.fingerprint for one in Outbox(workspace.ledger.database).alerts(MODEL)]
    assert len(told) == len(set(told)) >= len(entries)
    for entry in entries:
        assert any(
            one.what_happened == entry.reason for one in Outbox(workspace.ledger.database).alerts(MODEL)
        )
    return [about(entry) for entry in entries]


def about(entry: Entry) -> tuple[object, object, object]:
    """Return what a line of the reconciler says."""
    return entry.evidence["what"], entry.evidence["subject"], entry.evidence["done"]


def alias(workspace: Workspace) -> str | None:
    """Name the version that the champion's alias points at."""
    pointed = workspace.registry.alias(MODEL, "champion")
    return pointed.version if pointed else None


def test_where_nothing_was_changed_nothing_is_said(three: Workspace) -> None:
    """Again and again, and a copy of what serves is kept beside the ledger."""
    assert (found(three), found(three)) == ([], [])
    assert (three.home / "kept" / MODEL / "3" / FILE_NAME).is_file()


def test_a_moved_alias_is_set_back_and_no_one_was_answered_by_it(three: Workspace) -> None:
    """While it is moved, the night is scored by the version that the ledger names."""
    client(three).set_registered_model_alias(MODEL, "champion", "1")
    taken_in(three, after(BIRTH, 11))
    assert score(three, MODEL, after(BIRTH, 11)).version == "3"
    assert found(three) == [("alias", "champion", "reverted")]
    assert (alias(three), found(three)) == ("3", [])


def test_a_removed_alias_and_an_edited_tag_are_put_right(three: Workspace) -> None:
    """One line and one alert each, and the same again is a line of its own."""
    for _ in range(2):
        client(three).delete_registered_model_alias(MODEL, "champion")
        client(three).set_model_version_tag(MODEL, "2", "perennial.sha256", "f" * 64)
        assert found(three) == [("tags", "2", "reverted"), ("alias", "champion", "reverted")]
    assert three.registry.version(MODEL, "2").sha256 == candidate(three, MODEL, "2").sha256
    assert alias(three) == "3"


def test_a_deleted_version_is_brought_back_and_serves(three: Workspace) -> None:
    """Its number is spent in MLflow, so it stands under another one there; to everybody else it is itself."""
    client(three).delete_model_version(MODEL, "3")
    with pytest.raises(UnknownVersionError):
        three.registry.version(MODEL, "3")
    assert found(three) == [("version gone", "3", "reverted"), ("alias", "champion", "reverted")]
    assert three.registry.version(MODEL, "3").number == "4"
    assert Predictor(three, candidate(three, MODEL, "3")).behaves()
    assert (alias(three), found(three)) == ("3", [])


def test_changed_and_vanished_bytes_are_brought_back(three: Workspace) -> None:
    """What was changed in place never serves; the bytes come from the copy that was kept."""
    (address,) = (three.home / "mlflow" / "artifacts").rglob(FILE_NAME)
    address.write_bytes(address.read_bytes()[:-1] + b"!")
    named = found(three)
    assert {(what, done) for what, _, done in named} == {("artefact", "reverted"), ("alias", "reverted")}
    assert Predictor(three, candidate(three, MODEL, "3")).behaves()
    shutil.rmtree(three.home / "mlflow" / "artifacts")
    assert ("artefact", "3", "reverted") in found(three)
    assert Predictor(three, candidate(three, MODEL, "3")).behaves()
    assert (alias(three), found(three)) == ("3", [])


def test_what_cannot_be_brought_back_is_said_once(three: Workspace) -> None:
    """A page for people, not one every five minutes; nothing else is put in the place of the lost bytes."""
    shutil.rmtree(three.home / "mlflow" / "artifacts")
    shutil.rmtree(three.home / "kept")
    assert ("artefact", "3", "cannot") in found(three)
    assert found(three) == []
    assert three.ledger.last(MODEL, "registry_damaged").reason.startswith("Version ")
    assert three.ledger.champion(MODEL).version == "3"


def test_an_adopted_alias_returns_to_a_version_that_has_served(
    served: Project, registry_database: Path
) -> None:
    """The ledger says so by a rollback of its own, with the reason that somebody moved the alias."""
    served.declare(more="registry: adopt\n")
    workspace = promoted(served.workspace(registry_database), "2", "3")
    mirror_champion(workspace, MODEL)
    reconcile(workspace, MODEL)
    client(workspace).set_registered_model_alias(MODEL, "champion", "1")
    assert found(workspace) == [("alias", "champion", "adopted")]
    assert (workspace.ledger.champion(MODEL).version, workspace.ledger.last(MODEL, "rolled_back").actor) == (
        "1",
        "reconcile",
    )


def test_a_stranger_is_not_adopted_past_its_gates(served: Project, registry_database: Path) -> None:
    """It is read from reviewed types, registered and judged; while no fair night can judge it, the alias goes back."""
    served.declare(more="registry: adopt\n")
    workspace = served.workspace(registry_database)
    reconcile(workspace, MODEL)
    made = client(workspace).get_model_version_download_uri(MODEL, "1")
    client(workspace).create_model_version(MODEL, made)
    client(workspace).set_registered_model_alias(MODEL, "champion", "2")
    (line,) = reconcile(workspace, MODEL)
    assert (about(line), "It was set back" in line.reason) == (("alias", "champion", "reverted"), True)
    assert workspace.ledger.champion(MODEL).version == alias(workspace) == "1"
    assert workspace.ledger.last(MODEL, "adopted").evidence["version"] == "3"


def without_registry(three: Workspace, root: Path) -> Workspace:
    """Copy the project, as MLflow keeps a file open that is deleted under it, and begin its registry anew."""
    shutil.copytree(three.project, root)
    for file in (root / "home" / "mlflow").glob("mlflow.db*"):
        file.unlink()
    create_database(root / "home" / "mlflow" / "mlflow.db")
    return Workspace.open(root / "home", root)


def test_a_lost_registry_is_rebuilt_from_the_ledger(three: Workspace, tmp_path: Path) -> None:
    """Database deleted: versions, tags, alias and scoring come back, and the next training gets an unused number."""
    before = {one.version: (one.sha256, one.behaviour) for one in three.registry.versions(MODEL)}
    again = without_registry(three, tmp_path / "again")
    done, failed = reconcile_all(again)
    assert failed == {}
    assert [about(one)[:2] for one in done[MODEL]] == [
        *(("version gone", version) for version in "123"),
        ("alias", "champion"),
    ]
    rebuilt = {one.version: (one.sha256, one.behaviour) for one in again.registry.versions(MODEL)}
    assert (rebuilt, alias(again)) == (before, "3")
    assert Predictor(again, candidate(again, MODEL, "3")).behaves()
    taken_in(again, after(BIRTH, 11))
    assert score(again, MODEL, after(BIRTH, 11)).version == "3"
    assert renew(again, MODEL, after(BIRTH, 11)).version in (None, "4")


def test_numbers_of_lost_versions_are_not_given_again(three: Workspace, tmp_path: Path) -> None:
    """What cannot come back leaves its number unused: a later training never takes the name of an earlier one."""
    again = without_registry(three, tmp_path / "again")
    mirror, told = Mirror(again.tracking_uri), candidate(again, MODEL, "3")
    kept = (again.home / "kept" / MODEL / "3" / FILE_NAME).read_bytes()
    tags = {"perennial.run_key": "r", "perennial.model": MODEL, "perennial.estimator": told.estimator}
    assert mirror.bring_back(MODEL, "3", Content(kept, None), tags) == "3"
    assert [one.number for one in mirror.seen(MODEL)] == ["3"]
    assert again.registry.load(MODEL, "3", told.sha256)
