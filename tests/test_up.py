"""`mnist up` as a whole: both servers, the deployments, and what is done with them from outside."""

import csv
import os
import shutil
import signal
import socket
import sqlite3

import httpx
import pytest
from homes import free_port
from made_data import make_dataset, write_npz
from PIL import Image
from up_stack import Stack
from waiting import SECONDS, assert_gone, wait_for

from mnist_models.trainer_pool.machine import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def done(stack):
    """The id of a completed run of train/on-demand."""
    run = stack.trigger("train/on-demand", suite="small", recipes=["small", "small_best"], data=str(stack.data))
    assert stack.wait_until_ended(run) == "Completed", stack.log.read_text()[-3000:]
    return run


def mlflow_rows(stack, query):
    with sqlite3.connect(stack.home / "state" / "mlflow.db") as store:
        return store.execute(query).fetchall()


def test_everything_that_can_be_clicked_is_there(stack):
    found = stack.deployments()
    assert set(found) == {"train/nightly", "train/on-demand", "train/on-new-data", "predict/batch"}
    nightly = found["train/nightly"]
    assert nightly["schedules"][0]["schedule"]["cron"] == "0 2 * * *"
    assert nightly["parameters"] == {"suite": "all"}
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    form = found["train/on-demand"]["parameter_openapi_schema"]["properties"]
    assert "small" in form["suite"]["enum"]
    assert "small_best" in form["recipes"]["items"]["enum"]
    assert (form["seed"]["minimum"], form["seeds"]["minimum"], form["seeds"]["maximum"]) == (0, 1, 100)
    assert form["seeds"]["title"] == "Repeats"
    assert all(field["title"] and field["description"] for field in form.values())
    assert {each["name"] for each in stack.ask("automations/filter", {})} == {
        "Dead runs become Crashed", "New data is trained on",
    }  # fmt: skip
    limits = {each["name"]: each["limit"] for each in stack.ask("v2/concurrency_limits/filter", {})}
    assert [limit for name, limit in limits.items() if name.startswith("trainers-")] == [machine().workers]
    assert "prefect config set" not in stack.log.read_text()  # it would write for all projects of the user


def test_a_second_up_and_a_taken_port_are_refused(stack, tmp_path):
    second = stack.run("mnist", "up")
    assert (second.returncode, len(second.stderr.splitlines())) == (1, 1)
    assert "`mnist up` runs already" in second.stderr
    (tmp_path / "mlflow.yml").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"MLFLOW_PREFECT_PORT": port, "MLFLOW_PORT": str(free_port())}
        other = stack.run("mnist", "up", MNIST_CONFIG=str(tmp_path / "mlflow.yml"), **ports)
    assert (other.returncode, len(other.stderr.splitlines())) == (2, 1)
    assert f"prefect_port: 127.0.0.1:{port} cannot be used" in other.stderr


def test_a_run_shows_what_it_did_in_prefect_and_in_mlflow(stack, done):
    run = stack.ask(f"flow_runs/{done}")
    assert run["name"] == "train small, small_best"
    tasks = {each["name"] for each in stack.ask("task_runs/filter", {"flow_runs": {"id": {"any_": [done]}}})}
    assert {"train small", "evaluate small", "analyse errors small", "train small_best", "compare"} <= tasks
    artifacts = stack.artifacts(done)
    kinds = {each["key"]: each for each in artifacts}
    assert {"summary", "promotion", "mlflow", "progress-small", "progress-small-best"} <= set(kinds)
    assert kinds["progress-small"]["data"] == 100
    for words in ("| recipe |", "Champion:", f"({stack.mlflow}/#/experiments/"):
        assert words in kinds["summary"]["data"]
    tags = dict(mlflow_rows(stack, "select key, value from tags where key = 'prefect.url'"))
    assert tags == {"prefect.url": f"{stack.prefect_api.removesuffix('/api')}/runs/flow-run/{done}"}
    logs = stack.ask("logs/filter", {"logs": {"flow_run_id": {"any_": [done]}}})
    assert any("small: finished" in each["message"] for each in logs)
    wanted = {"filter": {"event": {"name": ["mnist.champion.promoted"]}}}
    events = wait_for(lambda: stack.ask("events/filter", wanted)["events"])  # it takes its own way to the server
    assert [each["payload"]["model"] for each in events] == ["test-model"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"suite": "smal"}, "smal"), ({"seeds": 1000}, "1000"), ({"recipes": ["none_such"]}, "none_such")],
    ids=str,
)
def test_a_wrong_form_is_refused_before_a_run_exists(stack, parameters, words):
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        stack.trigger("train/on-demand", **parameters)
    assert refusal.value.response.status_code in (409, 422)
    assert words in refusal.value.response.text


def test_the_status_fits_one_screen(stack, done):
    status = stack.run("mnist", "status")
    assert status.returncode == 0, status.stderr
    for words in ("Champion: small", "train/nightly", "next", "Completed", "Running: nothing.", "Trainer slots: 0 of"):
        assert words in status.stdout
    assert len(status.stdout.splitlines()) <= 40
    assert max(len(line) for line in status.stdout.splitlines()) <= 80


def test_a_command_beside_it_shows_in_the_same_dashboard(stack, done):
    command = stack.run("mnist", "train", "--recipes", "small", "--data", str(stack.data), "--summary", "beside.json")
    assert command.returncode == 0, command.stderr
    assert "reused" in command.stdout
    assert f"{stack.prefect_api.removesuffix('/api')}/runs/flow-run/" in command.stdout
    assert "mlflow server" not in command.stdout
    found = stack.ask("flow_runs/filter", {"flow_runs": {"name": {"any_": ["train small"]}}})
    assert [each["state_name"] for each in found] == ["Completed"]


@pytest.mark.long
def test_a_folder_of_images_becomes_a_table(stack, done, tmp_path):
    made = make_dataset(classes=4, side=16, train=300, test=80)
    for number in range(6):
        Image.fromarray(made.x_test[number]).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    run = stack.trigger("predict/batch", folder=str(tmp_path), output=str(tmp_path / "out.csv"))
    assert stack.wait_until_ended(run) == "Completed"
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["file"] for row in rows] == [*(f"{number}.png" for number in range(6)), "broken.png"]
    assert [row["label"] for row in rows[:6]] == [str(label) for label in made.y_test[:6]]
    assert "broken.png" in rows[6]["problem"]
    assert any(each["key"] == "predictions" and each["type"] == "table" for each in stack.artifacts(run))


@pytest.mark.long
def test_new_data_in_the_watched_folder_is_trained_on(stack):
    incoming = stack.home / "state" / "incoming"
    made = write_npz(make_dataset(classes=4, side=16, train=200, test=80, seed=5), stack.home / "new.npz")
    shutil.copy(made, incoming / "new.npz")
    deployment = stack.deployments()["train/on-new-data"]["id"]
    wanted = {"flow_runs": {"deployment_id": {"any_": [deployment]}}}
    (run,) = wait_for(lambda: stack.ask("flow_runs/filter", wanted))
    assert run["parameters"]["data"] == str(incoming / "new.npz")
    # All of the real recipes on so few images would take minutes, and are another test's.
    stack.ask(f"flow_runs/{run['id']}/set_state", {"state": {"type": "CANCELLING"}, "force": False})
    stack.wait_until_ended(run["id"])


@pytest.mark.long
def test_data_that_cannot_be_used_is_a_failed_run_with_the_reason(stack):
    broken = stack.home / "state" / "incoming" / "broken.npz"
    broken.write_bytes(b"nothing")
    wanted = {"flow_runs": {"name": {"any_": ["train quick"]}}}

    def refused():
        return [run for run in stack.ask("flow_runs/filter", wanted) if run["parameters"]["data"] == str(broken)]

    (run,) = wait_for(refused)
    assert stack.wait_until_ended(run["id"]) == "Failed"
    assert "broken.npz" in stack.ask(f"flow_runs/{run['id']}")["state"]["message"]
    assert run["parameters"]["suite"] == "quick"
    broken.unlink()


@pytest.mark.long
def test_a_new_file_of_recipes_reaches_the_form(stack):
    text = (stack.recipes / "middle.py").read_text().replace('"middle"', '"newcomer"')
    (stack.recipes / "newcomer.py").write_text(text)

    def offered():
        form = stack.deployments()["train/on-demand"]["parameter_openapi_schema"]["properties"]
        return "newcomer" in form["recipes"]["items"]["enum"]

    wait_for(offered, every=1.0)


@pytest.mark.long
def test_two_flows_share_the_trainers_and_a_dead_one_gives_its_slot_back(stack):
    """Each of them could use all trainers; together they never hold more slots than there are."""
    workers = machine().workers
    one = stack.trigger("train/on-demand", recipes=["small_endless"], seeds=workers, data=str(stack.data))
    wait_for(lambda: _slots(stack) == workers)
    other = stack.trigger("train/on-demand", recipes=["small"], seed=50, data=str(stack.data))
    wait_for(lambda: "other flow runs use all trainers" in stack.log.read_text())
    assert _slots(stack) == workers
    first = next(
        child for child in stack.children() if str(one) in " ".join([*child.cmdline(), *child.environ().values()])
    )
    os.kill(first.pid, signal.SIGKILL)
    assert stack.wait_until_ended(one) == "Crashed"
    assert stack.wait_until_ended(other) == "Completed"
    wait_for(lambda: _slots(stack) == 0)


def _slots(stack):
    limits = stack.ask("v2/concurrency_limits/filter", {})
    return next(each["active_slots"] for each in limits if each["name"].startswith("trainers-"))


@pytest.mark.long
@pytest.mark.fault(10)
def test_a_run_of_the_schedule_that_overlaps_another_is_cancelled(stack):
    one = stack.trigger("train/nightly", recipes=["small_endless"], seed=60, data=str(stack.data))
    wait_for(lambda: stack.state(one) == "Running")
    other = stack.trigger("train/nightly", recipes=["small"], seed=61, data=str(stack.data))
    assert stack.wait_until_ended(other) == "Cancelled"
    assert stack.state(one) == "Running"
    stack.ask(f"flow_runs/{one}/set_state", {"state": {"type": "CANCELLING"}, "force": False})
    stack.wait_until_ended(one)


@pytest.mark.fault(20)
def test_a_forged_host_header_is_refused(stack):
    """As a page in the user's browser would send it, whose name has been made to point to this machine."""
    answer = httpx.get(f"{stack.mlflow}/ajax-api/2.0/mlflow/experiments/search", headers={"Host": "evil.example"})
    assert answer.status_code == 403


@pytest.mark.fault(20)
def test_other_networks_are_not_let_in_without_passwords(stack):
    refused = stack.run("mnist", "up", "--host", "0.0.0.0")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "both servers must ask them for a password" in refused.stderr


@pytest.mark.long
def test_ctrl_c_ends_everything_and_every_status_is_true(tmp_path):
    stack = Stack(tmp_path)
    stack.start()
    try:
        run = stack.trigger("train/on-demand", recipes=["small_endless"], data=str(stack.data))
        wait_for(lambda: "small_endless: step" in stack.log.read_text())
        stack.interrupt()
    finally:
        stack.end()
    assert stack.process.returncode == 0
    assert not stack.settings.running.exists()
    # On a busy machine Prefect's server tells at length that its database is locked, and tries again.
    ours = "".join(line for line in stack.log.read_text().splitlines(keepends=True) if " prefect " not in line[:20])
    assert "Traceback" not in ours
    with sqlite3.connect(stack.home / "state" / "prefect" / "prefect.db") as database:
        states = database.execute("select state_name from flow_run where id = ?", (run,)).fetchall()
    assert states == [("Crashed",)]
    assert mlflow_rows(stack, "select status from runs") == [("KILLED",), ("KILLED",)]


@pytest.mark.long
def test_a_server_that_dies_ends_the_rest_and_is_named(tmp_path):
    stack = Stack(tmp_path)
    stack.start()
    try:
        mlflow = next(child for child in stack.children() if "mlflow" in " ".join(child.cmdline()))
        everyone = stack.children()
        os.killpg(os.getpgid(mlflow.pid), signal.SIGKILL)
        assert stack.process.wait(SECONDS / 2) == 1
        assert "mnist: mlflow ended with status" in stack.log.read_text()
        assert_gone(everyone)
    finally:
        stack.end()
