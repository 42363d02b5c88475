"""One training under supervision: its MLflow run, its place among others, and how its end is told."""
