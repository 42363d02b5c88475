"""`train(…)` in a program of the user's own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from homes import environment_of, make_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PROGRAM = """
from flows.train import train

for seed in (80, 81):
    summary = train(recipes=["small"], seed=seed, data="data.npz", promote=False)
    print("flow run", summary["flow_run_id"], flush=True)
"""


def run_program(home: Path, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=home, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return re.findall(r"^flow run (\S+)$", done.stdout, re.MULTILINE)


@pytest.mark.long
def test_beside_mnist_up_it_uses_that_server(stack):
    runs = run_program(stack.home, stack.environment)
    assert [stack.state(run) for run in runs] == ["Completed"] * 2
    tags = {tag for run in runs for tag in stack.ask(f"flow_runs/{run}")["tags"]}
    assert {f"project:{stack.settings.project_name}", "recipe:small"} <= tags


@pytest.mark.long
def test_alone_it_has_a_server_of_its_own_on_the_projects_records(tmp_path):
    make_home(tmp_path)
    environment = environment_of(tmp_path, HOME=str(tmp_path / "user"))
    del environment["PREFECT_HOME"]
    assert len(run_program(tmp_path, environment)) == 2
    assert (tmp_path / "state" / "prefect" / "prefect.db").exists()
    assert not (tmp_path / "user" / ".prefect" / "prefect.db").exists()
