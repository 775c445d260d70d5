"""Every command answers at once, says what it does, fails with a sentence, and never with a traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL

import perennial
from perennial.clock import after

COMMANDS = (
    *("demo", "up", "down", "check", "show", "schema", "new", "adopt", "run", "night", "replay", "rollback"),
    *("status", "who-served", "ledger", "explain", "label export", "label import", "hold", "release", "skip"),
    *("accept", "rerun", "alert-test", "gates", "checks", "freeze", "unfreeze", "approve", "force"),
    *("ledger list", "ledger verify", "ledger export", "ledger rebuild-registry"),
)


HEAVY = ("numpy", "pandas", "pyarrow", "sklearn", "duckdb", "mlflow", "ibis", "sqlglot", "great_expectations")


def test_the_help_imports_nothing_heavy() -> None:
    """Nobody waits for a list of words."""
    ask = f"""
import sys
from perennial.cli import main
main(["--help"])
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    path = {**os.environ, "PYTHONPATH": str(Path(perennial.__file__).parents[1])}
    said = subprocess.run([sys.executable, "-c", ask], env=path, capture_output=True, text=True, check=True)
    assert said.stderr.splitlines()[-1] == "[]"


def test_the_help_names_every_command(perennial) -> None:
    """What is not in the list does not exist for a newcomer."""
    listed = perennial("--help").out
    assert [name for name in COMMANDS if f"│ {name.split()[0]} " not in listed] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does_and_shows_two_examples(perennial, name: str) -> None:
    """A person learns a command from its help alone."""
    answer = perennial(*name.split(), "--help")
    examples = re.findall(rf"^ +perennial {name}", answer.out, re.MULTILINE)
    assert answer.status == 0
    assert len(examples) >= 2


def test_no_words_at_all_show_the_help(call) -> None:
    """Somebody who types the bare name wants to know what there is."""
    answer = call()
    assert (answer.status, "Usage: perennial" in answer.out + answer.err) == (0, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stats",), "status"),
        (("status", "--jsn"), "--json"),
        (("run", MODEL, "trian"), "train"),
        (("night", MODEL), "night"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_one(perennial, words, said) -> None:
    """Misuse has the status 2, and the message names what was probably meant."""
    answer = perennial(*words)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err


def test_an_unknown_model_is_not_found(perennial, project) -> None:
    """The nearest name and all others are in the message; the status is 3."""
    project.declare()
    answer = perennial("status", "orders_modle", of=project.root)
    assert (answer.status, answer.out) == (3, "")
    assert "Did you mean 'orders_model'?" in answer.err


@pytest.mark.parametrize(
    ("words", "status"),
    [(("status", "nobody"), 3), (("who-served", MODEL, "--at", "12.5."), 2), (("stats",), 2)],
)
def test_with_json_a_mistake_is_one_object_on_stdout(perennial, project, words, status) -> None:
    """A program reads stdout only: it holds the error and nothing else."""
    project.declare()
    answer = perennial(*words, "--json", of=project.root)
    assert (answer.status, answer.err) == (status, "")
    assert set(answer.json["error"]) == {"code", "status", "message"}
    assert answer.json["error"]["status"] == status


def test_every_problem_of_a_broken_folder_is_in_the_object(perennial, project) -> None:
    """With its file, line and fix."""
    project.declare(more="featuers: {}\n")
    answer = perennial("show", MODEL, "--json", of=project.root)
    (problem,) = answer.json["error"]["problems"]
    assert answer.status == 2
    assert (problem["line"] > 1, problem["file"]) == (True, f"include/models/{MODEL}/model.yaml")


def test_the_project_is_found_from_any_folder_inside_it(call, project) -> None:
    """One types the command where one works."""
    project.declare()
    answer = call("check", cwd=project.folder)
    assert (answer.status, answer.out) == (0, f"PASS  {MODEL}\n")


def test_a_project_without_models_says_how_to_begin(perennial, tmp_path) -> None:
    """An empty list would leave a newcomer alone."""
    answer = perennial("status", of=tmp_path)
    assert answer.status == 3
    assert "perennial new" in answer.err


def test_nothing_is_coloured_where_nobody_wants_it(call, project) -> None:
    """Neither in a pipe nor with NO_COLOR, and a narrow or ASCII-only terminal changes no status."""
    project.declare()
    plain = {
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "40",
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii",
    }
    for words in (("gates",), ("show", MODEL, "--resolved"), ("--help",), ("status", "nobody")):
        answer = call(*words, cwd=project.root, **plain)
        assert "\x1b" not in answer.out + answer.err
        assert "Traceback" not in answer.err


@pytest.mark.parametrize("words", ["schema", f"show {MODEL} --resolved --json"])
def test_a_reader_that_has_had_enough_changes_no_status(project, command, environment, words) -> None:
    """`| head` ends the output, not the command."""
    project.declare()
    with subprocess.Popen(
        command(*words.split()),
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_closed_streams_are_no_mistake(project, command, environment) -> None:
    """Cron and service managers may start a command without any."""
    project.declare()
    script = f"exec '{command()[0]}' -m perennial.cli check >&- 2>&-"
    done = subprocess.run(["sh", "-c", script], cwd=project.root, env=environment, check=False)
    assert done.returncode == 0


def test_a_folder_that_cannot_be_written_is_a_mistake_of_the_machine(call, project) -> None:
    """The status is 5 and the sentence names the place, without a traceback."""
    project.declare()
    (project.root / "occupied").write_text("a file where a folder should be")
    answer = call("status", "--home", "occupied/home", cwd=project.root)
    assert (answer.status, answer.out, "Traceback" in answer.err) == (5, "", False)
    assert "occupied" in answer.err


@pytest.fixture
def hearing():
    """Take Ctrl-C as a terminal's processes do: what a shell runs in the background is born deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing")
def test_an_interrupted_replay_says_so_and_leaves_whole_nights(project, command, environment) -> None:
    """Ctrl-C has the status 130; the same command goes on afterwards."""
    project.declare().deliver(FIRST, after(FIRST, 25))
    words = command("replay", MODEL, "--from", FIRST, "--to", after(FIRST, 25))
    with subprocess.Popen(
        words,
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (130, False)
    assert "run the command again" in err
