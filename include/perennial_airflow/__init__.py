"""What every DAG of a model shares; beside ``dags/`` and ``plugins/`` the only code that imports Airflow."""
