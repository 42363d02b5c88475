"""Settings from mlflow.yml and the environment, and the defaults of the libraries."""
