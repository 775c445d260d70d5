#!/bin/sh
# Bring every database to the newest schema, once and alone, before any service opens one. Safe to run again:
# each step changes nothing where nothing is to be done.
set -eu

airflow db migrate
# The first administrator. Later runs find the name taken and leave the account, and its password, alone.
airflow users create --role Admin --username "$AIRFLOW_ADMIN_USER" --password "$AIRFLOW_ADMIN_PASSWORD" \
  --firstname Perennial --lastname Administrator --email "$AIRFLOW_ADMIN_EMAIL"

# No password stands in an address or a command: libpq reads it from the environment.
export PGPASSWORD="$MLFLOW_DB_PASSWORD"
mlflow db upgrade postgresql+psycopg2://mlflow@postgres/mlflow
python -m mlflow.server.auth db upgrade --url postgresql+psycopg2://mlflow@postgres/mlflow
echo "The databases of Airflow and MLflow are at their newest schema."
