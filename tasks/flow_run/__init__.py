"""One flow run: its context, its request, its MLflow run, its writer, and what it leaves if it dies."""
