"""The Prefect tasks: the only rooms that know Prefect and MLflow."""
