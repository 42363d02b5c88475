"""prefect.yaml on a real process pool, with a worker as it would run on another machine."""

import shutil
import subprocess
from pathlib import Path

import pytest
from up_stack import BIN, Stack
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

PREFECT_YAML = Path(__file__).resolve().parent.parent / "prefect.yaml"


@pytest.fixture
def pool(tmp_path):
    """A Prefect server without `mnist up`, and what prefect.yaml says, deployed to a pool with a worker."""
    stack = Stack(tmp_path)
    port = str(stack.settings.prefect_port)
    processes = []

    def start(*command):
        with (tmp_path / "pool.log").open("ab") as log:
            processes.append(
                subprocess.Popen(
                    [BIN / command[0], *command[1:]],
                    env=stack.environment,
                    cwd=tmp_path,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    start("prefect", "server", "start", "--port", port)
    stack.environment["PREFECT_API_URL"] = stack.prefect_api
    try:
        wait_for(lambda: _answers(stack))
        shutil.copy(PREFECT_YAML, tmp_path)
        for command in (["work-pool", "create", "mnist", "--type", "process"], ["--no-prompt", "deploy", "--all"]):
            done = stack.run("prefect", *command)
            assert done.returncode == 0, done.stdout + done.stderr
        start("prefect", "worker", "start", "--pool", "mnist")
        yield stack
    finally:
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # Prefect's worker has been seen to hang after SIGTERM
                process.kill()
                process.wait()


def _answers(stack):
    from tasks.servers.health_check import answers

    return answers(f"{stack.prefect_api}/health")


def test_a_worker_runs_what_prefect_yaml_deploys(pool):
    found = pool.deployments()
    assert set(found) == {"train/nightly", "train/on-demand", "train/on-new-data", "predict/batch"}
    assert found["train/on-demand"]["parameter_openapi_schema"]["properties"]["seeds"]["title"] == "Repeats"
    assert found["train/nightly"]["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    asked = pool.run(
        "prefect", "deployment", "run", "train/on-demand", "-p", 'recipes=["small"]', "-p", f"data={pool.data}"
    )
    assert asked.returncode == 0, asked.stderr
    (run,) = pool.ask("flow_runs/filter", {"flow_runs": {"deployment_id": {"any_": [found["train/on-demand"]["id"]]}}})
    assert pool.wait_until_ended(run["id"]) == "Completed", (pool.home / "pool.log").read_text()[-3000:]
    assert "Champion: small" in pool.run("mnist", "status").stdout
