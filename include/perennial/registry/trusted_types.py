"""Which types a model's artefact may hold, reviewed by us for each kind of estimator.

The registry loads with these lists and no others: an artefact that brings a list of its own
vouches for itself (GHSA-w582-9x45-8mpx). A test makes the lists anew from fitted estimators.
"""

from __future__ import annotations

from perennial.estimators import estimators

EVERYWHERE = ("numpy.dtype",)
"""Types of nearly every pipeline that skops does not trust by itself."""

TREES = ("sklearn.tree._tree.Tree",)

REVIEWED: dict[str, tuple[str, ...]] = {
    "HistGradientBoosting": (
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "functools.partial",
        "sklearn.utils.validation.check_array",
    ),
    "RandomForest": TREES,
    "ExtraTrees": TREES,
    "GradientBoosting": TREES,
    "DecisionTree": TREES,
    "AdaBoost": TREES,
    "Bagging": TREES,
    "KNeighbors": (
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._kd_tree.KDTree",
    ),
    "MLP": ("sklearn.neural_network._stochastic_optimizers.AdamOptimizer",),
    "CalibratedClassifierCV": (
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
    ),
    "Voting": (*TREES, "sklearn.utils._bunch.Bunch"),
    "Stacking": (*TREES, "sklearn.utils._bunch.Bunch"),
    "SplineTransformer": (
        "scipy.interpolate._bsplines.BSpline",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",  # SciPy 1.17, which Python 3.11 has
        "scipy.interpolate._bsplines._BSpline",  # SciPy 1.18, from Python 3.12 on
    ),
}
"""Families of scikit-learn that a model of one's own, or an adopted one, may be made of."""


def trusted_for(estimator: str) -> list[str]:
    """Return the types that an artefact of this estimator may hold; ``custom``, ``by_class`` and ``adopted`` may hold all reviewed.

    >>> trusted_for("linear")
    ['numpy.dtype']
    """
    if estimator in {"custom", "adopted", "by_class"}:
        return sorted({*EVERYWHERE, *(name for family in REVIEWED.values() for name in family)})
    entry = estimators().get(estimator)
    return sorted({*EVERYWHERE, *(entry.trusted_types if entry else ())})
