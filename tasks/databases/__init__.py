"""The sqlite files of MLflow and Prefect: made whole, upgraded with a way back, taken along when a project moves."""
