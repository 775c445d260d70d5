"""Start a whole Airflow and its MLflow from a checkout, watch over them, and leave nothing behind.

``environment`` says how they are configured, ``keeper`` owns the processes, ``processes`` starts and
stops a keeper, ``rest`` talks to Airflow, ``story`` tells what happens in it.
"""
