"""A version that somebody deleted comes back from its bytes, in the embedded registry and on a real server."""

from dataclasses import replace

import pytest
from tests.registry.test_server import address as address  # noqa: PLC0414  a fixture is found by its name

from perennial.engine.behaviour import rows_as_text
from perennial.engine.fitting import TrainingSet, predict
from perennial.errors import UnknownVersionError
from perennial.registry.mirror import Content, Mirror
from perennial.registry.registry import Registry
from perennial.registry.training import Training


@pytest.mark.slow
@pytest.mark.parametrize("served", [False, True], ids=["embedded", "served"])
def test_a_deleted_version_is_itself_again_under_another_number(
    registry: Registry, address: str, trained: Training, flights: TrainingSet, *, served: bool
) -> None:
    """Bytes, fixed rows, tags and alias by the number that the ledger knows; MLflow's own is the next one."""
    mirror = Mirror(address if served else registry.tracking_uri)
    training = replace(trained, model="brought_back")
    version = mirror.record_training(training)
    kept = Content(
        mirror.artefact(version.model, "1").data, rows_as_text(trained.fixed_rows, trained.columns)
    )
    (seen,) = mirror.seen(version.model)
    mirror.drop(version.model, seen.number)
    assert kept in list(mirror.logged(version.model))
    with pytest.raises(UnknownVersionError):
        mirror.load(version.model, "1", version.sha256)
    assert mirror.bring_back(version.model, "1", kept, seen.tags) == "2"
    loaded = mirror.load(version.model, "1", version.sha256)
    given = predict(loaded, flights.rows, task="binary", columns=flights.columns)
    wanted = predict(trained.pipeline, flights.rows, task="binary", columns=flights.columns)
    assert given.tobytes() == wanted.tobytes()
    assert len(mirror.fixed_rows(version.model, "1")) == len(trained.fixed_rows)
    mirror.set_alias(version.model, "champion", "1")
    assert mirror.aliases(version.model) == {"champion": "2"}
    assert mirror.version(version.model, "1").behaviour == version.behaviour
    assert [one.version for one in mirror.versions(version.model)] == ["1"]


def test_a_model_that_nobody_registered_has_no_aliases(registry: Registry) -> None:
    """An empty registry is answered with nothing, not with an error."""
    mirror = Mirror(registry.tracking_uri)
    assert (mirror.aliases("nobody"), mirror.seen("nobody"), mirror.lying("nobody")) == ({}, [], [])
