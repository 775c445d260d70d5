"""Bytes that are not what we reviewed are refused with a sentence, and nothing of them is run."""

import hashlib
import io
import json
import os
import pickle
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from perennial.errors import RefusedArtefactError, UnsavableModelError
from perennial.registry.artefacts import Artefact, read, write
from perennial.registry.trusted_types import trusted_for


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        """Remember the file."""
        self.path = path

    def __reduce__(self):
        """Have the unpickler run a command."""
        return os.system, (f"touch {self.path}",)


@pytest.fixture(scope="module")
def sound(trained) -> bytes:
    """Write a sound model."""
    return write(trained.pipeline, trusted_for("gradient_boosting"))


def rewritten(data: bytes, **changes) -> bytes:
    """Return the archive with members replaced, dropped (None) or added."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()


def schema_of(data: bytes) -> dict:
    """Read what a skops file says it holds."""
    return json.loads(zipfile.ZipFile(io.BytesIO(data)).read("schema.json"))


def command(canary: Path) -> bytes:
    """Write a pipeline that would run a command when it transforms."""
    step = FunctionTransformer(partial(os.system, f"touch {canary}"))
    return skops.io.dumps(make_pipeline(step))


def of_a_later_version(data: bytes) -> bytes:
    """Say that a scikit-learn made it that nobody has yet."""
    return rewritten(data, **{"schema.json": json.dumps(schema_of(data)).replace("1.9.1", "9.9.9")})


def pickled_member(data: bytes, canary: Path) -> bytes:
    """Put an array of pickled objects where the file keeps one of numbers."""
    name = next(n for n in zipfile.ZipFile(io.BytesIO(data)).namelist() if n.endswith(".npy"))
    array = io.BytesIO()
    np.save(array, np.array([Canary(canary)], dtype=object), allow_pickle=True)
    return rewritten(data, **{name: array.getvalue()})


def claiming_four_gigabytes(data: bytes) -> bytes:
    """Say in the archive's directory that its first member unpacks to four gigabytes."""
    entry = data.index(b"PK\x01\x02")
    return data[: entry + 24] + b"\xfe\xff\xff\xff" + data[entry + 28 :]


BAD = {
    "empty": lambda _sound, _canary: b"",
    "truncated": lambda sound, _canary: sound[: len(sound) // 2],
    "a pickle under another name": lambda _sound, canary: pickle.dumps(Canary(canary)),
    "a command in a partial": lambda _sound, canary: command(canary),
    "a pickle inside": pickled_member,
    "no account of itself": lambda sound, _canary: rewritten(sound, **{"schema.json": None}),
    "an account that is no JSON": lambda sound, _canary: rewritten(sound, **{"schema.json": "{"}),
    "a path out of it": lambda sound, _canary: rewritten(sound, **{"../../evil.py": "x"}),
    "an absolute path": lambda sound, _canary: rewritten(sound, **{"/etc/evil": "x"}),
    "a bomb": lambda sound, _canary: claiming_four_gigabytes(sound),
    "another scikit-learn": lambda sound, _canary: of_a_later_version(sound),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_bytes_are_refused_and_nothing_of_them_runs(kind, sound, tmp_path) -> None:
    """Every refusal is our own error; the canary's file is never made."""
    canary = tmp_path / "canary"
    artefact = Artefact(BAD[kind](sound, canary), "version 3 of flight_delay")
    with pytest.raises(RefusedArtefactError, match="version 3 of flight_delay is refused"):
        read(artefact, trusted_for("gradient_boosting"))
    with pytest.raises(RefusedArtefactError):
        read(artefact, trusted_for("adopted"))
    assert not canary.exists()


def test_a_flipped_bit_is_seen_without_the_ledgers_hash(sound) -> None:
    """The archive's own checksums are read as well."""
    damaged = bytearray(sound)
    damaged[len(sound) // 3] ^= 1
    with pytest.raises(RefusedArtefactError):
        read(Artefact(bytes(damaged), "x"), trusted_for("gradient_boosting"))


def test_the_hash_is_asked_before_anything_is_read(sound) -> None:
    """Bytes that nobody vouched for are not even opened."""
    with pytest.raises(RefusedArtefactError, match="the ledger says"):
        read(Artefact(b"not even an archive", "x"), [], expected_sha256=hashlib.sha256(sound).hexdigest())


def test_a_type_of_another_family_is_refused(sound) -> None:
    """A linear model has no trees: each family may hold its own types only."""
    with pytest.raises(RefusedArtefactError, match="TreePredictor"):
        read(Artefact(sound, "x"), trusted_for("linear"))


def test_a_tree_that_points_outside_of_itself_is_refused(trained) -> None:
    """scikit-learn would follow the number into foreign memory."""
    data = write(trained.pipeline, trusted_for("gradient_boosting"))
    loaded = skops.io.loads(data, trusted=trusted_for("gradient_boosting"))
    loaded[-1]._predictors[0][0].nodes["left"][0] = 1_000_000
    with pytest.raises(RefusedArtefactError, match="points outside"):
        read(Artefact(skops.io.dumps(loaded), "x"), trusted_for("gradient_boosting"))


def test_a_forest_that_points_outside_of_itself_is_refused() -> None:
    """The same for the trees of other families."""
    rows = pd.DataFrame({"x": np.arange(50.0)})
    forest = RandomForestClassifier(n_estimators=2, random_state=7).fit(rows, rows["x"] > 20)
    trusted = trusted_for("adopted")
    assert read(Artefact(write(forest, trusted), "x"), trusted).predict(rows).any()
    tree = forest.estimators_[1].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 1_000_000
    tree.__setstate__(state)
    with pytest.raises(RefusedArtefactError, match="points outside"):
        read(Artefact(skops.io.dumps(forest), "x"), trusted)


def test_a_function_of_ones_own_cannot_be_saved() -> None:
    """It could be saved, and would then never load: so it is refused at once."""
    with pytest.raises(UnsavableModelError, match="features"):
        write(make_pipeline(FunctionTransformer(lambda x: x)), trusted_for("custom"))


def test_an_artefact_that_vouches_for_itself_is_refused(registry, trained, tmp_path) -> None:
    """Its MLmodel names the types to trust, even its hash is right: our list does not have them."""
    version = registry.record_training(trained)
    (file,) = registry.home.rglob("model.skops")
    file.write_bytes(command(tmp_path / "canary"))
    mlmodel = file.with_name("MLmodel")
    mlmodel.write_text(mlmodel.read_text().replace("- numpy.dtype", "- numpy.dtype\n    - posix.system"))
    with pytest.raises(RefusedArtefactError, match="system"):
        registry.load("flight_delay", version.version, hashlib.sha256(file.read_bytes()).hexdigest())
    assert not (tmp_path / "canary").exists()
