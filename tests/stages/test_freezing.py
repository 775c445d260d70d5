"""While a model is frozen nothing is trained or promoted, everything else goes on, and the ledger says why."""

import pytest
from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.errors import FrozenModelError, NotFrozenError, PastFreezeError
from perennial.facts.decision import Verdict
from perennial.stages.deploy import promote
from perennial.stages.evaluate import conclude
from perennial.stages.freezing import freeze, freeze_of, frozen_reason, unfreeze
from perennial.stages.replay import pass_night
from perennial.stages.retrain import retrain
from perennial.stages.roll_back import roll_back
from perennial.stages.standing import standing
from perennial.stages.train import assemble

NIGHT = after(BIRTH)
UNTIL = after(BIRTH, 10)
WORD = {"reason": "No changes over the holidays.", "actor": "ann"}


def test_a_frozen_model_is_not_trained_and_the_decision_says_so(workspace) -> None:
    """Whoever asks is answered no, with the freeze and its reason, and that answer is in the ledger."""
    freeze(workspace, MODEL, NIGHT, UNTIL, **WORD)
    for trigger in ("manual", "drift", "age"):
        decision = retrain(workspace, MODEL, NIGHT, trigger=trigger)
        assert decision.verdict is not Verdict.PASS
        assert f"frozen (until {UNTIL}, by ann: No changes over the holidays.)" in decision.reason
    assert "frozen" in workspace.ledger.last(MODEL, "retrain_waits", "retrain_refused").reason


def test_what_was_under_way_is_not_promoted(workspace) -> None:
    """A candidate whose gates pass waits at the end of evaluate, and deploy refuses it as well."""
    freeze(workspace, MODEL, BIRTH, UNTIL, **WORD)
    with pytest.raises(FrozenModelError, match="perennial unfreeze"):
        promote(workspace, MODEL, "1", BIRTH)
    with pytest.raises(FrozenModelError):
        assemble(workspace, MODEL, BIRTH)
    assert conclude(workspace, MODEL, "1", BIRTH).verdict is Verdict.HOLD
    unfreeze(workspace, MODEL, BIRTH, actor="ben")
    assert conclude(workspace, MODEL, "1", BIRTH).verdict is Verdict.PASS


def test_nights_pass_and_are_scored_while_it_is_frozen(workspace) -> None:
    """A freeze keeps what serves: scoring and watching go on, and so would a rollback."""
    freeze(workspace, MODEL, NIGHT, UNTIL, **WORD)
    assert pass_night(workspace, MODEL, NIGHT).scored.version == "1"
    assert roll_back(workspace, MODEL, NIGHT, reason="test", actor="ann", version="1").kind == "promoted"


def test_it_ends_on_its_night_or_by_a_word(workspace) -> None:
    """The night named is the first free one; a word ends it before, and an earlier night was never frozen."""
    freeze(workspace, MODEL, NIGHT, UNTIL, **WORD)
    assert freeze_of(workspace, MODEL, after(UNTIL, -1)) is not None
    assert freeze_of(workspace, MODEL, UNTIL) is None
    assert freeze_of(workspace, MODEL, BIRTH) is None
    unfreeze(workspace, MODEL, after(NIGHT), actor="ben", reason="The holidays are over.")
    assert frozen_reason(workspace, MODEL, after(NIGHT)) is None
    assert frozen_reason(workspace, MODEL, NIGHT) is not None
    with pytest.raises(NotFrozenError):
        unfreeze(workspace, MODEL, after(NIGHT), actor="ben")


def test_the_same_word_again_changes_nothing(workspace) -> None:
    """Another date is another word, and takes the place of the first."""
    first = freeze(workspace, MODEL, NIGHT, UNTIL, **WORD)
    assert freeze(workspace, MODEL, NIGHT, UNTIL, **WORD) == first
    assert freeze(workspace, MODEL, NIGHT, after(UNTIL), **WORD).evidence["until"] == after(UNTIL)
    with pytest.raises(PastFreezeError):
        freeze(workspace, MODEL, NIGHT, NIGHT, **WORD)


def test_the_status_shows_it(workspace) -> None:
    """Who looks at the model sees until when, by whom and why."""
    assert standing(workspace, MODEL).frozen is None
    freeze(workspace, MODEL, NIGHT, UNTIL, **WORD)
    assert standing(workspace, MODEL).frozen == f"until {UNTIL}, by ann: No changes over the holidays."
