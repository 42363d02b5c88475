"""Shared servers, set up by the commands of docs/teams.md: PostgreSQL, passwords, and MLflow's artifact proxy."""

import json
import os
import re
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psycopg2
import pytest
from homes import free_port, make_home
from made_data import make_dataset, write_npz
from PIL import Image
from started import postgresql, postgresql_programs, running, wait_for

from mnist_models.training_run.metrics_log import MetricsLog
from tasks.config.settings import load_settings
from tasks.servers.health_check import answers, check_reachable
from tasks.tracking.links import mlflow_address
from tasks.tracking.tracker import Tracker

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

PROGRAMS = postgresql_programs()
ROOT = "database-administrator"
PAGE = Path(__file__).parent.parent / "docs" / "teams.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))


def blocks(section):
    """The commands of a section of the page, block by block."""
    return re.findall(r"^```sh\n(.+?)^```", SECTIONS[section], re.M | re.S)


def exports(commands):
    return dict(re.findall(r"^export (\w+)=(.+)$", commands, re.M))


class Team:
    """The page's servers, at addresses of their own."""

    def __init__(self, folder, database_port):
        self.folder = folder
        mlflow, prefect = (str(free_port()) for _ in range(2))
        self.places = {
            "mlflow.example:5000": f"127.0.0.1:{mlflow}",
            "--port 5000": f"--port {mlflow}",
            "prefect.example:4200": f"127.0.0.1:{prefect}",
            "--port 4200": f"--port {prefect}",
            "db.example": "127.0.0.1",
            "0.0.0.0": "127.0.0.1",
        }
        self.surroundings = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PREFECT_", "PG"))},
            "PATH": f"{Path(sys.executable).parent}:{PROGRAMS}:{os.environ['PATH']}",
            "HOME": str(folder),  # for the credentials and profiles that may lie in the real one
            "PGPORT": str(database_port),
            "PGPASSWORD": ROOT,
        }
        self.workplace = exports(self.placed(blocks("A workplace")[0]))

    def placed(self, text):
        for name, place in self.places.items():
            text = text.replace(name, place)
        return text

    def bash(self, commands):
        """Run commands of the page."""
        subprocess.run(
            ["bash", "-euc", self.placed(commands)],
            cwd=self.folder, env=self.surroundings, check=True, timeout=120,
        )  # fmt: skip

    def serve(self, stack, commands, health):
        """Start a server with commands of the page; gives a function that waits until its health is told."""
        name = health.partition(".")[0]
        log = self.folder / f"{name}.log"
        process = stack.enter_context(
            running(["bash", "-euc", self.placed(commands)], log, cwd=self.folder, env=self.surroundings)
        )
        return lambda: wait_for(lambda: answers(self.placed(f"http://{health}"), 1.0), process, log)

    def rows(self, database, query, *values):
        """The answer of PostgreSQL itself."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.surroundings["PGPORT"], user="postgres", password=ROOT, dbname=database
        )
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, values)
                return cursor.fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    if PROGRAMS is None:
        pytest.skip("there is no PostgreSQL server; Debian's package is called postgresql")
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        team = Team(folder, stack.enter_context(postgresql(PROGRAMS, ROOT, folder / "postgresql.log")))
        (databases,), (configuration, mlflow, users, _), (prefect,) = map(blocks, ("Databases", "MLflow", "Prefect"))
        team.bash(databases)
        team.bash(configuration)
        ready = [
            team.serve(stack, mlflow, "mlflow.example:5000/health"),
            team.serve(stack, prefect, "prefect.example:4200/api/health"),
        ]
        for wait in ready:
            wait()
        team.bash(users)
        yield team


@pytest.fixture
def workplace(team, home, monkeypatch):
    """The variables of a workplace, for this process; all others of both libraries are gone."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    for name, value in team.workplace.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(team.folder))
    return SimpleNamespace(home=home, environment=team.workplace)


def mnist(*arguments, **environment):
    return subprocess.run(
        [Path(sys.executable).with_name("mnist"), *arguments],
        capture_output=True, text=True, timeout=400, env=os.environ | environment,
    )  # fmt: skip


def test_variables_alone_move_the_pipeline_to_the_servers(team, workplace, small_recipes, tmp_path, monkeypatch):
    data = make_dataset(classes=4, side=16, train=300, test=80)
    ran = mnist(
        "train", "--data", str(write_npz(data, tmp_path / "data.npz")), "--recipes", "small,small_best",
        "--summary", str(tmp_path / "summary.json"),
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["decision"]["promoted"] is True
    assert f"{workplace.environment['MLFLOW_TRACKING_URI']}/#/experiments/" in ran.stdout

    runs = [row["mlflow_run_id"] for row in summary["recipes"]]
    for run_id in (summary["mlflow_run_id"], *runs):
        status, artifacts = team.rows("mlflow", "SELECT status, artifact_uri FROM runs WHERE run_uuid = %s", run_id)[0]
        assert status == "FINISHED"
        assert artifacts.startswith("mlflow-artifacts:/")
    for row in summary["recipes"]:
        metrics = team.rows(
            "mlflow", "SELECT key, count(*), count(DISTINCT step) FROM metrics WHERE run_uuid = %s"
            " AND key NOT LIKE 'system/%%' GROUP BY key", row["mlflow_run_id"],
        )  # fmt: skip
        counts = {key: (records, steps) for key, records, steps in metrics}
        assert counts["train/loss"] == counts["train/accuracy"] == (40, 40)
        assert counts["validation/accuracy"] == (4, 4)
        assert counts["test/accuracy"] == (1, 1)
    versions = team.rows(
        "mlflow", "SELECT version, run_id FROM registered_model_aliases JOIN model_versions USING (name, version)"
        " WHERE name = 'test-model' AND alias = 'champion'",
    )  # fmt: skip
    assert versions == [(int(summary["champion"]["version"]), summary["champion"]["mlflow_run_id"])]
    states = team.rows("prefect", "SELECT state_type FROM flow_run WHERE id = %s", summary["flow_run_id"])
    assert states == [("COMPLETED",)]

    stored = {path.name for path in (team.folder / "artifacts").rglob("*") if path.is_file()}
    assert {"comparison.csv", "confusion_matrix.png", "predictions.npz", "model.keras", "MLmodel"} <= stored
    assert {path.name for path in (workplace.home / "state").iterdir()}.isdisjoint({"artifacts", "mlflow.db"})
    assert not (workplace.home / "mlruns").exists()
    for table in ("tags", "params", "model_version_tags", "experiment_tags"):
        assert team.rows("mlflow", f"SELECT * FROM {table} WHERE value LIKE '%%password%%'") == []

    files = []
    for number in range(8):
        files.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(data.x_test[number]).save(files[-1])
    # The address may stand in the file just as well.
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with (workplace.home / "mlflow.yml").open("a") as file:
        file.write(f"tracking_uri: {workplace.environment['MLFLOW_TRACKING_URI']}\n")
    read = mnist("predict", "--json", *files)
    assert (read.returncode, read.stderr) == (0, "")
    labels = [row["label"] for row in json.loads(read.stdout)]
    assert np.mean(labels == data.y_test[:8]) >= 0.75


REPLAY = """
import os, signal, sys
from pathlib import Path
from tasks.config.settings import load_settings
from tasks.tracking.run_replay import RunReplay
from tasks.tracking.tracker import Tracker

directory, die_at = Path(sys.argv[1]), int(sys.argv[2])
tracker = Tracker(load_settings())
tracker.client
run = RunReplay(tracker, directory)
note = run.note

def die_before_noting(**values):
    global die_at
    if "replayed_to" in values:
        die_at -= 1
        if die_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    note(**values)

run.note = die_before_noting
print("ready", flush=True)
sys.stdin.readline()
run.open(directory.name, {"recipe": "replayed"}, "")
while run.replay():
    pass
"""
TRAININGS, RECORDS = 8, 3000


def test_eight_trainings_at_once_lose_and_double_nothing(team, workplace, tmp_path, monkeypatch):
    """All begin in the same moment; one is killed between logging and noting how far it came, and started again."""
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "eight")  # which the first of them has to create
    directories = [tmp_path / f"training-{number}" for number in range(TRAININGS)]
    for number, directory in enumerate(directories):
        directory.mkdir()
        log = MetricsLog(directory / "metrics.jsonl")
        log.append(
            {"step": step, "time": 10_000 + step, "train/loss": number + step / 4096, "train/accuracy": 0.5}
            for step in range(1, RECORDS + 1)
        )
        log.close()

    def start(directory, die_at):
        return subprocess.Popen(
            [sys.executable, "-c", REPLAY, directory, str(die_at)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def go(process):
        process.stdin.write("\n")
        process.stdin.flush()

    processes = [start(directory, die_at=2 * (number == 0)) for number, directory in enumerate(directories)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * TRAININGS
    for process in processes:
        go(process)
    ends = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert ends == [("", -9), *[("", 0)] * (TRAININGS - 1)]
    again = start(directories[0], die_at=0)
    assert again.communicate("\n", timeout=300)[1] == ""

    found = team.rows(
        "mlflow",
        "SELECT runs.name, key, count(*), count(DISTINCT step), min(step), max(step), sum(value) FROM metrics"
        " JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id) WHERE experiments.name = 'eight'"
        " GROUP BY run_uuid, runs.name, key ORDER BY runs.name, key",
    )
    every_step = (RECORDS, RECORDS, 1, RECORDS)
    steps = sum(range(1, RECORDS + 1))
    assert found == [
        (f"training-{number}", key, *every_step, total)
        for number in range(TRAININGS)
        for key, total in (
            ("train/accuracy", 0.5 * RECORDS),
            ("train/loss", number * RECORDS + steps / 4096),
        )
    ]


def test_a_reader_may_look_and_a_colleague_may_write(team, workplace, monkeypatch):
    from mlflow.exceptions import MlflowException

    (workplace.home / "mlflow.yml").write_text("")  # the page speaks of the default names
    trainer = Tracker(load_settings())
    run, model = trainer.start_run("the trainer's", {}), trainer.settings.registered_model
    trainer.client.create_registered_model(model)
    *_, users, grants = blocks("MLflow")
    team.bash("\n".join(f"export {name}={value}" for name, value in exports(users).items()) + f"\n{grants}")

    def of(user):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"{user}-password")
        return Tracker(load_settings())

    reader = of("reader")
    assert reader.run_status(run)
    for write in (
        lambda: reader.log_now(run, [("mine", 1.0)]),
        lambda: reader.client.set_registered_model_tag(model, "mine", "1"),
    ):
        with pytest.raises(MlflowException, match="Permission denied"):
            write()
    colleague = of("colleague")
    colleague.log_now(run, [("mine", 1.0)])
    colleague.client.set_registered_model_tag(model, "mine", "1")
    colleague.client.delete_registered_model_tag(model, "mine")


def test_credentials_in_the_address_work_and_are_not_shown(team, workplace, monkeypatch):
    place = team.places["mlflow.example:5000"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://trainer:trainer-password@{place}")
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
    assert mlflow_address(settings) == settings.resolved_tracking_uri == f"http://{place}"
    tracker = Tracker(settings)
    assert tracker.run_status(tracker.start_run("by address", {}))


CHECK = """
import os
from tasks.servers.prefect_server import check_configured_server
from tasks.servers.health_check import check_reachable

check_reachable("MLFLOW_TRACKING_URI", os.environ["MLFLOW_TRACKING_URI"])
check_configured_server()
"""


def test_credentials_in_the_libraries_own_files_work(team, tmp_path):
    values = team.workplace
    for file, lines in {
        ".mlflow/credentials": (
            "[mlflow]",
            f"mlflow_tracking_username = {values['MLFLOW_TRACKING_USERNAME']}",
            f"mlflow_tracking_password = {values['MLFLOW_TRACKING_PASSWORD']}",
        ),
        ".prefect/profiles.toml": (
            'active = "team"',
            "[profiles.team]",
            *(f'{name} = "{values[name]}"' for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")),
        ),
    }.items():
        path = tmp_path / file
        path.parent.mkdir()
        path.write_text("\n".join(lines))
    places = {"MLFLOW_TRACKING_URI": values["MLFLOW_TRACKING_URI"], "HOME": str(tmp_path)}
    checked = subprocess.run(
        [sys.executable, "-c", CHECK],
        env=team.surroundings | places, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


USER = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "wrong", f"MLFLOW_TRACKING_URI: .* refuses our credentials; correct {USER}"),
        ("MLFLOW_TRACKING_PASSWORD", "", f"MLFLOW_TRACKING_URI: .* asks for credentials; set {USER}"),
        ("MLFLOW_TRACKING_URI", "http://mlflow.example:5000/ui", "MLFLOW_TRACKING_URI: .* is not MLflow"),
        ("PREFECT_API_AUTH_STRING", "team:wrong", "PREFECT_API_URL: .* refuses our .* correct PREFECT_API_AUTH_STRING"),
        ("PREFECT_API_AUTH_STRING", "", "PREFECT_API_URL: .* asks for credentials; set PREFECT_API_AUTH_STRING"),
        ("PREFECT_API_URL", "http://prefect.example:4200", "PREFECT_API_URL: .* is not Prefect .* ends in /api"),
        ("PREFECT_API_URL", "http://db.example:1/api", "PREFECT_API_URL: no server answers"),
    ],
    ids=["wrong password", "no password", "wrong address", "wrong string", "no string", "no /api", "nothing there"],
)
def test_what_is_refused_is_said_before_anything_starts(team, workplace, tmp_path, variable, value, words):
    data = str(write_npz(make_dataset(), tmp_path / "data.npz"))
    result = mnist("train", "--data", data, **{variable: team.placed(value)})
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert re.search(words, result.stderr)
    assert "password" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npz", "mlflow.yml"]


def test_a_backup_brings_everything_back(team, workplace):
    tracker = Tracker(load_settings())
    run = tracker.start_run("kept", {})
    tracker.log_now(run, [("kept", 1.0)])
    tracker.log_text(run, "kept", "kept.txt")
    team.bash(blocks("Backup")[0])
    team.bash("createdb --host db.example --username postgres restored")
    restore = re.search(r"`(pg_restore .+?)`", SECTIONS["Backup"])[1]
    team.bash(restore.replace("--dbname mlflow ", "--dbname restored "))
    for table in ("metrics", "runs", "experiments"):
        original, restored = ({*team.rows(name, f"SELECT * FROM {table}")} for name in ("mlflow", "restored"))
        assert restored == original
        assert restored
    with tarfile.open(team.folder / "artifacts.tar.gz") as archive:
        assert any(name.endswith(f"{run}/artifacts/kept.txt") for name in archive.getnames())


@pytest.mark.fault(23)
def test_the_same_request_at_once_twice_on_one_machine_and_once_on_another(team, workplace, small_recipes, tmp_path):
    """Two commands share a folder and so the training; the third trains it in a folder of its own."""
    homes = [tmp_path / "one", tmp_path / "one", tmp_path / "other"]
    for home in homes:
        make_home(home, "at-once")
    data = str(homes[0] / "data.npz")

    def train(home):
        return mnist("train", "--data", data, "--recipes", "small", MNIST_CONFIG=str(home / "mlflow.yml"))

    with ThreadPoolExecutor(3) as executor:
        for ran in executor.map(train, homes):
            assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    runs = "SELECT run_uuid FROM runs JOIN experiments USING (experiment_id) WHERE experiments.name = 'at-once'"
    assert team.rows("mlflow", f"SELECT status, count(*) FROM runs WHERE run_uuid IN ({runs}) GROUP BY 1") == [
        ("FINISHED", 5)
    ]
    trained = team.rows("mlflow", f"SELECT run_uuid FROM tags WHERE key = 'recipe' AND run_uuid IN ({runs})")
    assert len(trained) == 2
    for run in trained:
        for metric, count in (("train/loss", 40), ("test/accuracy", 1)):
            query = "SELECT count(*) FROM metrics WHERE run_uuid = %s AND key = %s"
            assert team.rows("mlflow", query, *run, metric) == [(count,)]
        assert team.rows("mlflow", "SELECT count(*) FROM logged_models WHERE source_run_id = %s", *run) == [(1,)]
    versions = team.rows("mlflow", "SELECT run_id FROM model_versions WHERE name = 'at-once-model'")
    assert len(versions) == len({*versions}) <= 2
    alias = team.rows("mlflow", "SELECT alias FROM registered_model_aliases WHERE name = 'at-once-model'")
    assert alias == [("champion",)]
