"""Data, networks, training and evaluation: pure numpy and Keras, without Prefect or MLflow."""
