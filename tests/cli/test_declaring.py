"""What a folder says is told in full, and what is wrong with it with its place and its fix."""

import json

from tests.doubles.projects import MODEL, Project

BROKEN_VIEW = '''from perennial import view


@view(window="7d")
def late(outcomes):
    """Late."""
    return outcomes.nothing.mean()
'''


def test_check_passes_healthy_folders_and_fails_broken_ones(perennial, project) -> None:
    """Each in its line, each problem below; the status is 1 when any fails."""
    project.declare()
    Project(project.root, name="other").declare(more="retrainig: {}\n")
    answer = perennial("check", of=project.root)
    assert answer.status == 1
    assert answer.out.splitlines()[:2] == [f"PASS  {MODEL}", "FAIL  other"]
    assert "include/models/other/model.yaml:" in answer.out
    assert 'Did you mean "retraining"?' in answer.out


def test_check_of_one_model_looks_at_no_other(perennial, project) -> None:
    """A broken neighbour is no reason to fail."""
    project.declare()
    Project(project.root, name="other").declare(more="featuers: {}\n")
    assert perennial("check", MODEL, of=project.root).status == 0


def test_check_compiles_the_features(perennial, project) -> None:
    """A view that names an absent column fails here, not at night."""
    project.declare(features=BROKEN_VIEW)
    answer = perennial("check", MODEL, "--json", of=project.root)
    (problem,) = answer.json[MODEL]["problems"]
    assert (answer.status, answer.json[MODEL]["verdict"]) == (1, "FAIL")
    assert "late" in problem["message"]


def test_check_survives_features_that_end_the_process(perennial, project) -> None:
    """An exit at import would take the command with it, and all folders after this one unseen."""
    project.declare(features='"""Views."""\n\nraise SystemExit(0)\n')
    answer = perennial("check", MODEL, of=project.root)
    assert answer.status == 1
    assert "features.py:3: it cannot be loaded: SystemExit" in answer.out


def test_show_prints_what_is_declared(perennial, project) -> None:
    """For people as a page, for programs as the whole declaration."""
    project.declare()
    assert "returned from outcomes, after 1 nights" in perennial("show", MODEL, of=project.root).out
    plain = perennial("show", MODEL, "--json", of=project.root).json
    assert plain["sources"]["orders"]["key"] == ["order_id"]


def test_resolved_shows_the_defaults_and_where_each_value_comes_from(perennial, project) -> None:
    """A setting nobody wrote is found all the same."""
    project.declare()
    listed = perennial("show", MODEL, "--resolved", "--json", of=project.root).json
    origins = {each["path"]: each["origin"] for each in listed}
    assert origins["task"].startswith("model.yaml:")
    assert origins["training.metric"] == "default for binary"


def test_the_schema_is_json_schema(perennial) -> None:
    """Editors read it."""
    schema = json.loads(perennial("schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "sources" in schema["required"]


def test_the_catalogues_are_listed_with_a_sentence_each(perennial) -> None:
    """What can be named in model.yaml is found without reading code."""
    gates, checks = perennial("gates", "--json").json, perennial("checks", "--json").json
    assert {"minimum_quality", "against_champion"} <= set(gates)
    assert {"not_null", "between", "unique"} <= set(checks)
    assert all(sentence.endswith(".") for sentence in (*gates.values(), *checks.values()))
