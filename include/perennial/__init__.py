"""Machine-learning models that stay in season: everything but Airflow, which never is imported here."""
