"""A model's whole life by hand: the same functions as in Airflow, a sentence for people, a status for scripts."""

import json

import pytest
from tests.doubles.projects import FIRST, MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

NEXT = after(BIRTH)


@pytest.mark.slow
def test_a_model_is_born_stage_by_stage(perennial, project) -> None:
    """Take in, build, train, ask the gates, deploy, score, judge: each stage by its name."""
    project.declare().deliver(FIRST, after(BIRTH))

    def run(*words: str):
        return perennial("run", MODEL, *words, of=project.root)

    taken = run("validate", "--since", FIRST, "--night", BIRTH)
    assert (taken.status, taken.out.count("2940 rows of")) == (0, 2)
    assert "49 nights" in run("features").out
    assert run("score").status == 3
    trained = run("train", "--json").json
    assert (trained["version"], trained["change"]) == ("1", "first")
    assert run("deploy").status == 1
    assert run("evaluate", "--gate", "minimum_quality").status == 0
    judged = run("evaluate", "--json")
    assert (judged.status, judged.json["conclusion"]["verdict"]) == (0, "pass")
    assert "serves from the night after" in run("deploy").out
    assert run("validate", "--night", NEXT).status == 0
    assert "60 rows scored by version 1" in run("score").out
    assert run("monitor").out.startswith(f"{NEXT} learning")


def test_a_gate_that_the_model_does_not_declare_is_misuse(perennial, served) -> None:
    """With the nearest one that it does."""
    answer = perennial("run", MODEL, "evaluate", "--gate", "minimal_quality", of=served.root)
    assert (answer.status, "minimum_quality" in answer.err) == (2, True)


def test_a_range_that_ends_before_it_begins_is_misuse(perennial, served) -> None:
    """Nothing is done."""
    words = ("run", MODEL, "validate", "--since", NEXT, "--night", FIRST)
    assert perennial(*words, of=served.root).status == 2
    assert perennial("replay", MODEL, "--from", NEXT, "--to", FIRST, of=served.root).status == 2


def test_a_model_asked_for_by_hand_goes_all_the_way_and_back(perennial, served) -> None:
    """It is trained, judged and promoted; a rollback brings the one before back, and both are on record."""
    perennial("run", MODEL, "validate", "--night", NEXT, of=served.root)
    answer = perennial("run", MODEL, "retrain", "--json", of=served.root)
    assert (answer.status, answer.json["version"], answer.json["promoted"]) == (0, "2", True)
    assert perennial("night", MODEL, after(NEXT), of=served.root).status == 0
    words = ("rollback", MODEL, "--reason", "It predicts too high.", "--actor", "ann")
    assert "from version 2 to version 1" in perennial(*words, of=served.root).out
    assert perennial("status", MODEL, "--json", of=served.root).json["champion"]["kind"] == "rolled_back"


def test_a_model_of_high_risk_waits_and_the_answer_is_no(perennial, served) -> None:
    """It stops after staging, the status is 1 and the champion serves on."""
    declared = served.folder / "model.yaml"
    declared.write_text(declared.read_text() + "risk: high\n")
    perennial("run", MODEL, "validate", "--night", NEXT, of=served.root)
    answer = perennial("run", MODEL, "retrain", of=served.root)
    assert (answer.status, "promoted:   no" in answer.out) == (1, True)
    assert (
        perennial("who-served", MODEL, "--at", after(NEXT), "--json", of=served.root).json["version"] == "1"
    )


def test_before_any_night_the_way_to_the_first_is_told(perennial, project) -> None:
    """The status is 3: what was asked about does not exist yet."""
    project.declare()
    answer = perennial("run", MODEL, "features", of=project.root)
    assert (answer.status, "--since" in answer.err) == (3, True)


def test_a_whole_night_passes_in_one_command(perennial, served) -> None:
    """In one line for people, as one object for programs."""
    answer = perennial("night", MODEL, NEXT, of=served.root)
    assert answer.out.startswith(f"{NEXT}, 60 rows in, 0 quarantined, 60 scored by version 1")
    assert perennial("night", MODEL, NEXT, "--json", of=served.root).json["scored"]["fresh"] is False


def test_a_replay_prints_one_line_of_json_a_night(perennial, served) -> None:
    """So that it can be read while it runs."""
    answer = perennial("replay", MODEL, "--from", NEXT, "--to", after(NEXT, 2), "--json", of=served.root)
    nights = [json.loads(line)["night"] for line in answer.out.splitlines()]
    assert (answer.status, nights) == (0, [NEXT, after(NEXT), after(NEXT, 2)])


def test_nights_without_a_version_tell_how_to_train_the_first(perennial, project) -> None:
    """Nothing scored is no fault of the nights."""
    project.declare().deliver(FIRST, after(FIRST))
    answer = perennial("replay", MODEL, "--from", FIRST, "--to", after(FIRST), of=project.root)
    assert (answer.status, answer.out.count("nothing scored")) == (0, 2)
    assert f"perennial run {MODEL} retrain --night {after(FIRST)}" in answer.err


def test_a_delivery_that_has_not_come_is_not_found(perennial, served) -> None:
    """The status is 3 and the sentence names the file and both ways out."""
    (served.root / "data" / "outcomes" / f"{NEXT}.csv").unlink()
    answer = perennial("night", MODEL, NEXT, of=served.root)
    assert (answer.status, "skip the night" in answer.err) == (3, True)


def test_rolling_back_the_only_version_is_refused(perennial, served) -> None:
    """There is nothing to return to, and the reason has to be given."""
    assert perennial("rollback", MODEL, of=served.root).status == 2
    answer = perennial("rollback", MODEL, "--reason", "It is wrong.", of=served.root)
    assert (answer.status, "cannot be rolled back" in answer.err) == (1, True)


def test_a_registry_that_cannot_be_reached_is_said_so(call, served) -> None:
    """The status is 4, without a password and without a traceback."""
    words = ("run", MODEL, "deploy", "--project", str(served.root), "--home", str(served.root / "home"))
    answer = call(
        *words,
        MLFLOW_TRACKING_URI="http://ann:secret@127.0.0.1:9",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
    )
    assert (answer.status, answer.out) == (4, "")
    assert "secret" not in answer.err
    assert "Traceback" not in answer.err


def test_an_empty_version_is_the_newest_one(perennial, served, project) -> None:
    """As if it had not been given; where none was trained, that is said."""
    words = ("run", MODEL, "evaluate", "--gate", "loads_and_predicts", "--version", "", "--json")
    assert perennial(*words, of=served.root).json["version"] == "1"
    answer = perennial(*words, "--night", FIRST, of=project.declare().root)
    assert (answer.status, "has no version yet" in answer.out) == (3, True)
