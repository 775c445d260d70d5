"""Requests that a busy SQLite dropped are sent again, and never count twice."""

import pytest
from pytest_httpserver import HTTPServer

from perennial_airflow.launch.errors import NotDoneError
from perennial_airflow.launch.rest import Airflow

RUN = {
    "dag_id": "m.validate",
    "dag_run_id": "night__2013-05-12",
    "partition_key": "2013-05-12",
    "state": "success",
    "start_date": None,
    "end_date": None,
}


@pytest.fixture
def airflow(httpserver: HTTPServer) -> Airflow:
    """Speak to a server that says what each test lets it say."""
    httpserver.expect_request("/auth/token").respond_with_json({"access_token": "t"}, status=201)
    return Airflow(httpserver.url_for("").rstrip("/"), "admin", "secret")


def test_a_dropped_trigger_is_sent_again_under_the_same_name(
    httpserver: HTTPServer, airflow: Airflow
) -> None:
    """After a 500 the same run id and night are posted again; a 409 then means that it is there."""
    asked = {
        "dag_run_id": "night__2013-05-12",
        "logical_date": None,
        "partition_key": "2013-05-12",
        "conf": {},
    }
    path = "/api/v2/dags/m.validate/dagRuns"
    httpserver.expect_ordered_request(path, method="POST", json=asked).respond_with_data("locked", status=500)
    httpserver.expect_ordered_request(path, method="POST", json=asked).respond_with_data("exists", status=409)
    airflow.trigger("m.validate", "night__2013-05-12", night="2013-05-12")
    assert len(httpserver.log) == 2


def test_the_token_is_fetched_when_it_is_asked_for(httpserver: HTTPServer, airflow: Airflow) -> None:
    """A 401 makes the session log in, and the request is then sent with the token."""
    path = "/api/v2/dags/m.validate/dagRuns/night__2013-05-12"
    httpserver.expect_oneshot_request(path).respond_with_data("who?", status=401)
    httpserver.expect_request(path, headers={"Authorization": "Bearer t"}).respond_with_json(RUN)
    found = airflow.run("m.validate", "night__2013-05-12")
    assert found is not None
    assert found.night == "2013-05-12"
    assert found.finished


def test_a_refusal_is_told_and_not_repeated(httpserver: HTTPServer, airflow: Airflow) -> None:
    """A 400 will stay one: Airflow's own words are passed on."""
    httpserver.expect_request("/api/v2/dags/m.validate/dagRuns").respond_with_data("bad key", status=400)
    with pytest.raises(NotDoneError, match="bad key"):
        airflow.trigger("m.validate", "x", night="May")
    assert len(httpserver.log) == 1


def test_runs_are_listed_over_all_pages(httpserver: HTTPServer, airflow: Airflow) -> None:
    """What does not fit in one answer is fetched with the next."""
    first = {"dag_runs": [RUN] * 2, "total_entries": 3}
    path = "/api/v2/dags/~/dagRuns"
    asked = {"limit": "100", "order_by": "id", "dag_id_prefix_pattern": "m."}
    httpserver.expect_request(path, query_string={**asked, "offset": "0"}).respond_with_json(first)
    second = {"dag_runs": [RUN], "total_entries": 3}
    httpserver.expect_request(path, query_string={**asked, "offset": "2"}).respond_with_json(second)
    assert len(airflow.runs(dag_prefix="m.")) == 3
