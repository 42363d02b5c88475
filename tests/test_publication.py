"""What is published to Prefect, and that it leaves alone what the dashboard has changed."""

import platform
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import get_current_settings
from prefect.variables import Variable

from flows.deploy.claim import SECONDS_TO_START, claimed
from flows.deploy.publication import publish
from mnist_models.errors import InvalidInput
from mnist_models.trainer_pool.machine import machine
from tasks.config.settings import Settings
from tasks.operations.deployment_status import look
from tasks.supervision.trainer_slots import limit_name

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture
def client(prefect_server, monkeypatch):
    """Of a server on which nothing is published."""
    monkeypatch.setenv("PREFECT_API_URL", get_current_settings().api.url)
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
        for automation in client._client.post("/automations/filter", json={}).json():
            client.delete_automation(automation["id"])
        for limit in client.read_global_concurrency_limits():
            client.delete_global_concurrency_limit_by_name(limit.name)
        yield client


def published(client, home, shared=False, **settings):
    publish(Settings.at(home, **settings), shared, RunnerDeployment.apply)
    return {each.name: each for each in client.read_deployments()}


def pause(client, deployment):
    (schedule,) = deployment.schedules
    client.update_deployment_schedule(deployment.id, schedule.id, active=False)


def test_a_pause_survives_and_a_new_time_too(client, home):
    pause(client, published(client, home)["nightly"])
    for cron in ("0 2 * * *", "0 3 * * *", "0 3 * * *"):
        (schedule,) = published(client, home, schedule=cron)["nightly"].schedules
        assert (schedule.schedule.cron, schedule.active) == (cron, False)


def test_the_file_can_switch_the_schedule_off_and_on(client, home):
    published(client, home)
    assert published(client, home, schedule="")["nightly"].schedules == []
    (schedule,) = published(client, home)["nightly"].schedules
    assert schedule.active


def test_parameters_and_limits_survive_until_the_file_says_something_new(client, home):
    deployments = published(client, home, watch_suite="quick")
    for name, parameters in (("nightly", {"suite": "quick", "seeds": 3}), ("on-new-data", {"suite": "all"})):
        client._client.patch(f"/deployments/{deployments[name].id}", json={"parameters": parameters})
    client.update_global_concurrency_limit(limit_name(), GlobalConcurrencyLimitUpdate(limit=1))
    limit = deployments["nightly"].global_concurrency_limit.name
    client.update_global_concurrency_limit(limit, GlobalConcurrencyLimitUpdate(limit=2))
    again = published(client, home, watch_suite="quick")
    assert again["nightly"].parameters == {"suite": "quick", "seeds": 3}
    assert again["nightly"].global_concurrency_limit.limit == 2
    assert again["on-new-data"].parameters == {"suite": "all"}
    assert client.read_global_concurrency_limit_by_name(limit_name()).limit == 1
    assert published(client, home, watch_suite="notebook")["on-new-data"].parameters == {"suite": "notebook"}


def test_the_slots_follow_the_machine_where_nobody_has_changed_them(client, home, monkeypatch):
    published(client, home)
    monkeypatch.setenv("MNIST_WORKERS", str(machine().workers + 3))
    machine.cache_clear()
    try:
        published(client, home)
        assert client.read_global_concurrency_limit_by_name(limit_name()).limit == machine().workers
    finally:
        monkeypatch.undo()
        machine.cache_clear()


def test_a_paused_automation_stays_paused(client, home):
    published(client, home)
    for name in ("New data is trained on", "Dead runs become Crashed"):
        (automation,) = client.read_automations_by_name(name)
        client.pause_automation(automation.id)
    published(client, home)
    for name in ("New data is trained on", "Dead runs become Crashed"):
        assert [each.enabled for each in client.read_automations_by_name(name)] == [False]


def test_a_paused_schedule_is_told_of(client, home, store):
    pause(client, published(client, home)["nightly"])
    deployments = look(Settings.at(home)).deployments
    assert not any(each.served for each in deployments)  # nobody asks for their runs
    status = {each.name: each.paused for each in deployments}
    assert status == {
        "predict/batch": False,
        "train/nightly": True,
        "train/on-demand": False,
        "train/on-new-data": False,
    }


def test_a_suspended_run_is_not_taken_for_a_dead_one(client, home):
    published(client, home)
    (dead,) = client.read_automations_by_name("Dead runs become Crashed")
    assert "prefect.flow-run.Suspended" in dead.trigger.expect


@pytest.mark.fault(24)
def test_on_a_shared_server_each_project_has_names_of_its_own(client, home, store):
    bases = ("nightly", "on-demand", "on-new-data", "batch")
    published(client, home, shared=True, project="one")
    found = published(client, home, shared=True, project="two")
    assert set(found) == {f"{base}-{project}" for base in bases for project in ("one", "two")}
    assert all(f"project:{name.rpartition('-')[2]}" in each.tags for name, each in found.items())
    for project in ("one", "two"):
        (new_data,) = client.read_automations_by_name(f"New data is trained on ({project})")
        assert new_data.trigger.match["prefect.resource.id"] == [f"mnist.data.{project}.incoming"]
        (dead,) = client.read_automations_by_name(f"Dead runs become Crashed ({project})")
        assert dead.trigger.match_related["prefect.resource.id"] == [f"prefect.tag.project:{project}"]
    names = {each.name.rpartition("/")[2] for each in look(Settings.at(home, project="two")).deployments}
    assert names == {f"{base}-two" for base in bases}


@pytest.mark.fault(24)
def test_a_projects_name_is_served_by_one_folder_at_a_time(client, tmp_path):
    one, other = (Settings.at(tmp_path / name, project="same") for name in ("one", "other"))
    with claimed(one):
        with pytest.raises(InvalidInput, match="project: same is served already") as refusal, claimed(other):
            pass
        for words in (str(one.home), platform.node(), "`project` in mlflow.yml"):
            assert words in str(refusal.value)
        with claimed(Settings.at(tmp_path / "other", project="another")):
            pass
    with claimed(other):
        pass


@pytest.mark.fault(24)
def test_the_claim_of_a_folder_that_died_lapses(client, tmp_path, monkeypatch):
    one, other = (Settings.at(tmp_path / name, project="dead") for name in ("one", "other"))
    with monkeypatch.context() as patch:
        patch.setattr(Variable, "unset", lambda _name: None)  # as if it were killed
        with claimed(one):
            pass
    with pytest.raises(InvalidInput), claimed(other):
        pass
    now = datetime.now(UTC)
    monkeypatch.setattr("flows.deploy.claim.datetime", _Later(now + SECONDS_TO_START + timedelta(seconds=1)))
    with claimed(other):
        pass


class _Later:
    def __init__(self, now):
        self._now, self.fromisoformat = now, datetime.fromisoformat

    def now(self, _zone):
        return self._now
