"""The twin's trees, read out of scikit-learn, say what scikit-learn says."""

import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from perennial.adaptation.rows import Sample, row_hashes
from perennial.adaptation.scale import scale_of
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.twin import Twin, encode, fit_twin

SETTINGS = Adaptation(categorical=(1, 3))
ROWS = 3000


def rows(*, regression: bool, seed: int = 0) -> Sample:
    """Draw rows with numbers, categories, holes, and a column whose being missing matters."""
    draw = np.random.default_rng(seed)
    carrier, destination = draw.integers(0, 9, ROWS) * 10.0, draw.integers(0, 40, ROWS) + 0.0
    numbers = draw.normal(size=(ROWS, 3))
    numbers[draw.random((ROWS, 3)) < 0.1] = np.nan
    told = np.isnan(numbers[:, 2]) * 2 + np.sin(carrier) + np.nan_to_num(numbers[:, 0]) + np.cos(destination)
    label = told + draw.normal(size=ROWS) if regression else (told > draw.normal(size=ROWS)).astype(float)
    carrier[draw.random(ROWS) < 0.05] = np.nan
    features = np.column_stack([numbers[:, 0], carrier, numbers[:, 1], destination, numbers[:, 2]])
    hashes = row_hashes([str(row) for row in range(ROWS)], 0)
    return Sample({"hash": hashes, "features": features, "label": label})


@pytest.mark.parametrize("regression", [False, True])
def test_the_trees_say_what_scikit_learn_says(*, regression: bool) -> None:
    """Numbers, categories, missing and never-seen values go the same way through our tables."""
    seen = rows(regression=regression)
    scale = scale_of(seen, "regression" if regression else "binary")
    twin = fit_twin(seen, scale, SETTINGS)
    assert twin is not None
    assert twin.left_codes
    tonight = rows(regression=regression, seed=1)["features"]
    tonight[:20, 1] = 7777.0
    tonight[20:40, 0] = np.inf
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    peer = kind(
        max_iter=25,
        max_leaf_nodes=8,
        learning_rate=0.15,
        categorical_features=[0, 1],
        early_stopping=False,
        random_state=0,
    )
    peer.fit(encode(seen["features"], twin.categories), scale.target(seen["label"]))
    inputs = encode(tonight, twin.categories)
    expected = peer.predict(inputs) if regression else peer.decision_function(inputs)
    np.testing.assert_allclose(twin.link(tonight), expected, rtol=0, atol=1e-9)
    again = Twin.from_json(json.loads(json.dumps(twin.as_json())))
    assert again.link(tonight).tobytes() == twin.link(tonight).tobytes()
    assert again.identity == twin.identity


def test_too_few_rows_or_one_class_make_no_twin() -> None:
    """A twin that could not be trained is not there, rather than wrong."""
    seen = rows(regression=False)
    scale = scale_of(seen, "binary")
    assert fit_twin(seen.smallest(10), scale, SETTINGS) is None
    assert fit_twin(seen.where(seen["label"] == 1), scale, SETTINGS) is None


def test_no_rows_no_scores() -> None:
    """An empty night is scored with nothing."""
    seen = rows(regression=False)
    twin = fit_twin(seen, scale_of(seen, "binary"), SETTINGS)
    assert twin is not None
    assert len(twin.link(seen["features"][:0])) == 0
