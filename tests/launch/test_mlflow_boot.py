"""MLflow's server is for this machine."""

from perennial_airflow.launch.mlflow_boot import server_command


def test_the_server_listens_on_this_machine_only() -> None:
    """MLflow has no login here, so nobody else may reach it."""
    words = server_command(
        {
            "PERENNIAL_MLFLOW_URL": "http://127.0.0.1:15000",
            "MLFLOW_TRACKING_URI": "sqlite:////somewhere/mlflow.db",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "file:///somewhere/artifacts",
        }
    )
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options["--host"] == "127.0.0.1"
    assert options["--port"] == "15000"
    assert options["--workers"] == "1"
