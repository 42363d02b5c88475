"""The summary of a flow run, made without one."""


def row(name="net", **changes):
    return {
        "recipe": name, "name": name, "status": "finished", "mlflow_run_id": f"run-{name}", "parameters": 7850,
        "train_seconds": 1.25, "test_accuracy": 0.9876, "test_low": 0.985, "test_high": 0.99, "first_nan_step": None,
        "validation_accuracy": 0.9912, "reason": "",
    } | changes  # fmt: skip


FAILED = row("broken", status="failed", test_accuracy=None, mlflow_run_id=None, reason="no such layer")
CHAMPION = {"recipe": "net", "name": "model", "version": "3", "test_accuracy": 0.9876}


def summary(*rows, **changes):
    return {
        "recipes": list(rows), "suite": "quick", "data": "MNIST", "mlflow_experiment_id": "1", "best": "net",
        "spread": {}, "champion": CHAMPION, "decision": {"promoted": True, "reason": "it is better"},
    } | changes  # fmt: skip
