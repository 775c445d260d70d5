"""Names of what the stages publish, written once: ``<model>/<dataset>``."""

from __future__ import annotations

from perennial.spec.source import SourceSpec


def whole(source: SourceSpec) -> bool:
    """Whether a delivery is the whole table, not a night's share of it."""
    return source.static or not (source.by_night or source.event_time)


def table(model: str, source: str) -> str:
    """Cleaned, checked rows of a source."""
    return f"{model}/table.{source}"


def quarantine(model: str, source: str) -> str:
    """Rows set aside, with their reasons and original values."""
    return f"{model}/quarantine.{source}"


def changes(model: str, source: str) -> str:
    """What cleaning changed, with the original values."""
    return f"{model}/changes.{source}"


def reports(model: str, source: str) -> str:
    """What Great Expectations answered about a source, by night."""
    return f"{model}/reports.{source}"


def nights(model: str) -> str:
    """One small table a night: which tables belong to it."""
    return f"{model}/nights"


def plans(model: str) -> str:
    """Compiled feature views, by hash."""
    return f"{model}/plans"


def features(model: str, plan_hash: str) -> str:
    """Features built by one set of view definitions."""
    return f"{model}/features.{plan_hash}"


def predictions(model: str) -> str:
    """What the champion predicted, by night."""
    return f"{model}/predictions"


def shadow(model: str) -> str:
    """What versions beside the champion said, unused or for a canary, by night."""
    return f"{model}/shadow"


def served(model: str) -> str:
    """What was served on a night of a canary, each row with the version that answered it, by night."""
    return f"{model}/served"


def rollouts(model: str) -> str:
    """The running verdict over a challenger on its way to production, by night."""
    return f"{model}/rollouts"


def watches(model: str) -> str:
    """The running verdict over a promoted version and the one before it, by night."""
    return f"{model}/watches"


def adapted(model: str) -> str:
    """What the nightly layer and each of its members said, and what was served, by night."""
    return f"{model}/adapted"


def layers(model: str) -> str:
    """The nightly layer that answered for a night: weights, coefficients, trees and record."""
    return f"{model}/layers"


def layer_samples(model: str) -> str:
    """The rows that the layer of a night was learned from."""
    return f"{model}/layer-samples"


def labels_by_hand(model: str) -> str:
    """Labels that people gave, with author and sheet, by the night from whose end they are known."""
    return f"{model}/labels-by-hand"


def training(model: str) -> str:
    """Training sets' records and trials, by run."""
    return f"{model}/training"


def leaks(model: str) -> str:
    """Signs of leaks in training sets, by run."""
    return f"{model}/leaks"


def reference(model: str) -> str:
    """Predictions on nights a version had not seen, by version."""
    return f"{model}/reference"


def importance(model: str) -> str:
    """By how much each column moves the predictions, by version."""
    return f"{model}/importance"


def holdout(model: str) -> str:
    """Labelled rows kept back for the gates, with the baselines' predictions, by version."""
    return f"{model}/holdout"


def folds(model: str) -> str:
    """Predictions of folds that trainings have fitted, by what they were made of."""
    return f"{model}/folds"


def evaluations(model: str) -> str:
    """What the gates looked at and concluded, by version."""
    return f"{model}/evaluations"


def edges(model: str) -> str:
    """Reference edges of profiles, by what is profiled."""
    return f"{model}/edges"


def profiles(model: str, what: str) -> str:
    """Profiles of inputs or predictions, by night."""
    return f"{model}/profiles.{what}"


def streams(model: str, what: str) -> str:
    """Profiles' numbers of many nights in one table, by the night it was made."""
    return f"{model}/streams.{what}"


def performance(model: str) -> str:
    """Predictions beside the labels that came true, by night."""
    return f"{model}/performance"


def estimates(model: str) -> str:
    """What a night's scores let one expect before its labels, and which slices its rows lie in, by night."""
    return f"{model}/estimates"


def verdicts(model: str) -> str:
    """What monitoring concluded, by night."""
    return f"{model}/verdicts"


def skews(model: str) -> str:
    """Served features and predictions beside what training would assemble now, by the night that asked."""
    return f"{model}/skews"


def watch_tests(model: str) -> str:
    """What the watch would find of injected changes, by the night it was tried on."""
    return f"{model}/watch-tests"


def attributions(model: str) -> str:
    """What findings are due to, by the night that asked."""
    return f"{model}/attributions"
