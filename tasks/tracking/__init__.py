"""MLflow: what is logged, in which form, and how its pages look."""
