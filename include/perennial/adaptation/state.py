"""From one night's layer to the next: begin under a champion, learn from matured nights, change champion, freeze.

``learn`` is a pure function of the state and the nights it is given, and a night whose labels could not be
known yet is refused. What it keeps is bounded: two samples of rows, and one number per member and night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from perennial.adaptation.correction import fit_correction
from perennial.adaptation.layer import Layer
from perennial.adaptation.mixture import Record
from perennial.adaptation.rows import NOTHING, MatureNight, Sample, of_night, ordinal
from perennial.adaptation.scale import Scale, Task, scale_of
from perennial.adaptation.settings import CORRECTIONS, Adaptation
from perennial.adaptation.twin import Twin, fit_twin
from perennial.clock import Night, after

FitTwin: TypeAlias = Callable[[Sample, Scale, Adaptation], Twin | None]

RAW_ALONE = {"raw": 1.0}


@dataclass(frozen=True)
class Champion:
    """The model below the layer."""

    version: str

    saw_through: Night
    """The youngest night whose labels it was trained on."""


@dataclass(frozen=True)
class State:
    """Everything that is known on a night, and the layer that serves it."""

    champion: Champion
    layer: Layer

    history: Sample
    """The rows of all matured nights that the twin is trained on."""

    unseen: Sample
    """Rows of recent matured nights that the champion has not seen."""

    record: Record

    frozen_reason: str | None = None
    """Why nothing is learned at present, such as a broken feed."""

    def as_json(self) -> dict[str, Any]:
        """Write the state as plain values: no code, nothing to trust."""
        return {
            "champion": {"version": self.champion.version, "saw_through": self.champion.saw_through},
            "layer": self.layer.as_json(),
            "history": self.history.as_json(),
            "unseen": self.unseen.as_json(),
            "record": self.record.as_json(),
            "frozen_reason": self.frozen_reason,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> State:
        """Read what ``as_json`` wrote."""
        return cls(
            champion=Champion(**told["champion"]),
            layer=Layer.from_json(told["layer"]),
            history=Sample.from_json(told["history"]),
            unseen=Sample.from_json(told["unseen"]),
            record=Record.from_json(told["record"]),
            frozen_reason=told["frozen_reason"],
        )


def begin(
    champion: Champion,
    history: Sequence[MatureNight],
    tonight: Night,
    task: Task,
    settings: Adaptation,
    *,
    fit: FitTwin = fit_twin,
) -> State:
    """Start under a champion: units from the first nights, a twin from all of them, no correction yet.

    Raises:
        ValueError: no certified night has matured, or one of the nights has not.
    """
    nights = _to_learn(history, tonight, settings, since=0)
    if not nights:
        raise ValueError("the layer needs at least one matured, certified night to begin")
    samples = [_sampled(night, settings) for night in nights]
    first = NOTHING
    for rows in samples[: settings.scale_nights]:
        first = first.joined(rows)
    layer = Layer(settings, scale_of(first, task), champion.version, None, None, {}, RAW_ALONE)
    state = State(champion, layer, _history(NOTHING, samples, settings), NOTHING, Record())
    return _relearned(state, nights[-1].night, tonight, fit)


def learn(state: State, nights: Sequence[MatureNight], tonight: Night, *, fit: FitTwin = fit_twin) -> State:
    """Take in nights whose labels matured, and make the layer that serves ``tonight``.

    A night is learned once: nights up to the last one learned, and uncertified ones, change nothing. While
    frozen the state stays as it is.

    Args:
        state: as of an earlier night.
        nights: matured nights with what was served on them, and what the present champion says of them.
        tonight: the night to be served.
        fit: how the twin is trained; replaceable by one that remembers.

    Raises:
        ValueError: a night's labels could not be known tonight.
    """
    settings = state.layer.settings
    since = ordinal(state.layer.learned_through) if state.layer.learned_through else 0
    new = _to_learn(nights, tonight, settings, since)
    if state.frozen_reason is not None or not new:
        return state
    samples = [_sampled(night, settings) for night in new]
    learned = replace(
        state,
        history=_history(state.history, samples, settings),
        unseen=_unseen(state, new, tonight),
        record=_recorded(state, new),
    )
    return _relearned(learned, new[-1].night, tonight, fit)


def renewed(state: State, champion: Champion, tonight: Night, nights: Sequence[MatureNight] = ()) -> State:
    """Put another champion below: its corrections start anew, the twin and the record of losses stay.

    ``nights`` are matured nights that it was not trained on, with its scores: those that passed while a
    challenger waited. Without them it serves alone until one has matured. The same call makes the layer
    that a challenger would have, for a gate that compares what would be served.
    """
    settings, twin = state.layer.settings, state.layer.twin
    below = replace(state, champion=champion, unseen=NOTHING)
    below = replace(below, layer=replace(state.layer, champion=champion.version))
    below = replace(below, unseen=_unseen(below, _to_learn(nights, tonight, settings, since=0), tonight))
    return _relearned(below, state.layer.learned_through, tonight, lambda *_: twin)


def frozen(state: State, reason: str) -> State:
    """Learn nothing while a feed is broken: the layer serves as it is, and asks for no retraining."""
    return replace(state, frozen_reason=reason)


def thawed(state: State) -> State:
    """Learn again."""
    return replace(state, frozen_reason=None)


def _to_learn(
    nights: Iterable[MatureNight], tonight: Night, settings: Adaptation, since: int
) -> list[MatureNight]:
    """Choose certified nights with labels that are new, oldest first; refuse what is not known yet."""
    latest = after(tonight, -settings.label_delay_nights)
    early = [night.night for night in nights if night.night > latest]
    if early:
        raise ValueError(f"labels of {min(early)} are not known on {tonight}: only up to {latest}")
    chosen = [n for n in nights if n.certified and ordinal(n.night) > since and n.known.any()]
    return sorted(chosen, key=lambda night: night.night)


def _sampled(night: MatureNight, settings: Adaptation) -> Sample:
    return of_night(night, settings.seed).smallest(settings.twin_rows)


def _history(past: Sample, samples: Iterable[Sample], settings: Adaptation) -> Sample:
    for rows in samples:
        few = Sample({name: rows[name] for name in ("hash", "features", "label")})
        past = past.joined(few).smallest(settings.twin_rows)
    return past


def _unseen(state: State, nights: Iterable[MatureNight], tonight: Night) -> Sample:
    """Keep a bounded sample of recent nights after the champion's last one, with champion's and twin's scores."""
    settings, scale, kept = state.layer.settings, state.layer.scale, state.unseen
    for night in nights:
        if night.night <= state.champion.saw_through:
            continue
        if night.champion is None:
            raise ValueError(
                f"{night.night}: {state.champion.version} has not seen it, and its scores are missing"
            )
        linked = scale.link(night.champion)
        # The twin of that night, as it was before it knew the night's labels: never tonight's.
        twin = scale.link(night.served["twin"]) if "twin" in night.served else linked
        rows = of_night(night, settings.seed, champion=linked, twin=twin)
        kept = kept.joined(rows.where(np.isfinite(rows["champion"]) & np.isfinite(rows["twin"])))
    if not len(kept):
        return NOTHING
    oldest = ordinal(tonight) - settings.label_delay_nights - settings.window_nights
    return kept.where(kept["night"] > oldest).smallest(settings.window_rows)


def _recorded(state: State, nights: Iterable[MatureNight]) -> Record:
    record = state.record
    for night in nights:
        served = {name: night.served[name] for name in state.layer.settings.members if name in night.served}
        losses: dict[str, float] = {
            name: state.layer.scale.loss(scores[night.known], night.labels[night.known])
            for name, scores in served.items()
        }
        if set(losses) == set(state.layer.settings.members) and np.isfinite(list(losses.values())).all():
            record = record.with_night(ordinal(night.night), losses, state.layer.settings)
    return record


def _relearned(state: State, learned_through: Night | None, tonight: Night, fit: FitTwin) -> State:
    """Make tonight's layer from what is kept; without a night the champion has not seen, it serves alone."""
    settings, scale = state.layer.settings, state.layer.scale
    newest = ordinal(tonight) - settings.label_delay_nights
    names = [name for name in CORRECTIONS if name in settings.members]
    layer = replace(
        state.layer,
        learned_through=learned_through,
        twin=fit(state.history, scale, settings) if "twin" in settings.members else None,
        corrections={name: fit_correction(name, state.unseen, scale, settings, newest) for name in names},
        weights=state.record.weights(settings) if len(state.unseen) else RAW_ALONE,
    )
    return replace(state, layer=layer)
