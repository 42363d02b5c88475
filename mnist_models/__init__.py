"""Data, networks, training and evaluation: pure numpy and Keras, without Prefect or MLflow."""

__version__ = "0.4.0"  # of the whole project; pyproject.toml takes it from here
