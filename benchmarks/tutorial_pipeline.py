"""The other opponent: the plain script's rows as Prefect tasks with MLflow's autologging, as tutorials show it.

python benchmarks/tutorial_pipeline.py [--fraction 0.1]     (the store is ./mlflow.db)
"""

import argparse

import keras
import mlflow
from plain_script import ROWS, Data
from prefect import flow, task


@task
def load():
    """Read the data."""
    return Data()


@task(task_run_name="{name}")
def train(name, row, data, share, models):
    """Train a row in a run of its own."""
    with mlflow.start_run(run_name=name):
        model = row(data, share, models)
        loss, accuracy = model.evaluate(data.x_test, data.y_test, verbose=0)
        mlflow.log_metrics({"test_loss": loss, "test_accuracy": accuracy})
    return model


@flow
def notebook(share: float):
    """All rows, one after the other: autologging is global, and so is Keras's state."""
    data, models = load(), {}
    for row in ROWS:
        models[row.__name__] = train(row.__name__, row, data, share, models)


def main():
    """Run the flow."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fraction", type=float, default=1.0, help="of the steps of each row")
    keras.utils.set_random_seed(0)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("notebook")
    mlflow.tensorflow.autolog()
    notebook(parser.parse_args().fraction)


if __name__ == "__main__":
    main()
