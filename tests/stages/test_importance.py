"""A training measures what its version looks at; what nobody measured is not called ignored."""

from dataclasses import replace

from tests.doubles.projects import MODEL

from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.importance import ignored_columns
from perennial.workspace import Workspace


def test_a_version_says_what_it_looks_at(workspace: Workspace) -> None:
    """Returns depend on size and place alone: both move predictions, most of all."""
    table = workspace.store.read(datasets.importance(MODEL), "1")
    moved = dict(zip(table["column"].to_pylist(), table["moved"].to_pylist(), strict=True))
    version = candidate(workspace, MODEL, "1")
    assert set(moved) == {*version.numeric, *version.categorical}
    assert max(moved, key=lambda name: moved[name]) == "size"
    assert ignored_columns(workspace, version).isdisjoint({"size", "place"})


def test_what_was_never_measured_is_not_ignored(workspace: Workspace) -> None:
    """A version from before there was such a measure, or none at all, ignores nothing."""
    unknown = replace(candidate(workspace, MODEL, "1"), version="99")
    assert ignored_columns(workspace, unknown) == frozenset()
    assert ignored_columns(workspace, None) == frozenset()
