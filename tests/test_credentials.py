"""A password in the address of a server: used, and nowhere to be found afterwards."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from homes import free_port
from loopback import Handler, serving
from made_data import make_dataset, write_npz
from PIL import Image
from started import running

from tasks.config.settings import load_settings
from tasks.servers.health_check import answers, check_reachable, wait_until_answers
from tasks.servers.prefect_server import start_temporary_server, ui_address
from tasks.tracking.tracker import Tracker

MNIST = Path(sys.executable).with_name("mnist")
USER, PASSWORD = "gatekeeper", "opensesame"


@pytest.fixture
def listener():
    """A server that answers anything with an empty object, and remembers paths and `Authorization` headers."""
    asked = []

    class Empty(Handler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET

    with serving(Empty) as server:
        yield server.server_port, asked


@pytest.fixture
def own_environment(monkeypatch):
    """What is set meanwhile is unset afterwards."""
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "PREFECT_API_AUTH_STRING", "PREFECT_UI_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_mlflow_gets_the_password_by_header_and_the_address_without_it(home, listener, own_environment, monkeypatch):
    port, asked = listener
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{USER}:open%2Fsesame@127.0.0.1:{port}")
    tracker = Tracker(load_settings())
    tracker.client.search_experiments()
    assert asked[-1][1] == "Basic " + base64.b64encode(f"{USER}:open/sesame".encode()).decode()
    assert os.environ["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:{port}"


def test_prefect_gets_the_password_by_its_variable(listener, own_environment, monkeypatch):
    port, _ = listener
    monkeypatch.setenv("PREFECT_API_URL", f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/api")
    assert ui_address() == f"http://127.0.0.1:{port}"  # in a flow that Prefect itself has started
    assert start_temporary_server(load_settings()) is None
    assert os.environ["PREFECT_API_URL"] == f"http://127.0.0.1:{port}/api"
    assert os.environ["PREFECT_API_AUTH_STRING"] == f"{USER}:{PASSWORD}"
    assert ui_address() == f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_the_password_in_a_profile_of_prefect_moves_too(home):
    profile = f'PREFECT_API_URL = "http://{USER}:{PASSWORD}@127.0.0.1:1/api"'
    (home / "profiles.toml").write_text(f'active = "team"\n[profiles.team]\n{profile}\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    code = "import os; from tasks.servers.prefect_server import start_temporary_server as start\n"
    code += "from tasks.config.settings import load_settings; assert start(load_settings()) is None\n"
    code += "print(os.environ['PREFECT_API_URL'], os.environ['PREFECT_API_AUTH_STRING'])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        env=environment | {"PREFECT_HOME": str(home)},
    )  # fmt: skip
    assert result.stdout.strip() == f"http://127.0.0.1:1/api {USER}:{PASSWORD}", result.stderr


def test_a_server_with_a_password_is_asked_without_it(listener):
    port, asked = listener
    assert answers(f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/health")
    assert asked == [("/health", None)]
    with pytest.raises(OSError, match=r"no server answers at http://127") as refusal:
        check_reachable("MLFLOW_TRACKING_URI", f"http://{USER}:{PASSWORD}@127.0.0.1:{free_port()}")
    assert PASSWORD not in str(refusal.value)
    assert not answers("http://[")


def test_a_database_that_does_not_answer_is_named_without_its_password(listener):
    port, _ = listener
    check_reachable("MLFLOW_TRACKING_URI", f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/mnist")
    for nowhere in ("sqlite:////home/me/mlflow.db", "postgresql:///mnist", f"postgresql://{USER}:a/b@db/mnist"):
        check_reachable("MLFLOW_TRACKING_URI", nowhere)  # is for others to find out
    with pytest.raises(OSError, match=r"MLFLOW_TRACKING_URI: nothing listens at mysql\+pymysql://\*\*\*@127"):
        check_reachable("MLFLOW_TRACKING_URI", f"mysql+pymysql://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/mnist")


@pytest.fixture
def mlflow_server(tmp_path):
    """A real one, with its store, artifacts and log in the test's folder."""
    port = free_port()
    command = [Path(sys.executable).with_name("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    command += ["--artifacts-destination", str(tmp_path / "server-artifacts")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    with running(command, tmp_path / "server.log", env=environment):
        assert wait_until_answers(f"http://127.0.0.1:{port}/health", 120)
        yield port


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_output_log_database_or_artifact_holds_the_password(home, mlflow_server, small_recipes):
    made = make_dataset(classes=4, side=16, train=300, test=80)
    Image.fromarray(made.x_test[0]).save(home / "0.png")
    data = str(write_npz(made, home / "data.npz"))
    environment = os.environ | {
        "HOME": str(home / "home"),
        "PREFECT_HOME": str(home / "prefect"),
        "MLFLOW_TRACKING_URI": f"http://{USER}:{PASSWORD}@127.0.0.1:{mlflow_server}",
        "MNIST_WORKERS": "1",
    }
    environment.pop("PREFECT_API_URL", None)

    def mnist(*arguments, **more):
        return subprocess.run(
            [MNIST, *arguments], capture_output=True, text=True, timeout=300, env=environment | more, cwd=home
        )

    recipes = "small,small_broken"
    trained = mnist("train", "--recipes", recipes, "--data", data, "--summary", "summary.json")
    assert trained.returncode == 1, trained.stdout + trained.stderr
    assert "this network cannot be built" in trained.stdout
    assert f"http://127.0.0.1:{mlflow_server}/#/experiments/" in trained.stdout
    predicted = mnist("predict", "0.png")
    assert predicted.returncode == 0, predicted.stderr
    away = mnist("train", MLFLOW_TRACKING_URI=f"http://{USER}:{PASSWORD}@127.0.0.1:{free_port()}")
    assert (away.returncode, len(away.stderr.splitlines())) == (1, 1)
    wrong = mnist("train", MLFLOW_TRACKING_URI=f"oracle://{USER}:{PASSWORD}@db/mnist")
    assert wrong.returncode == 2
    for result in (trained, predicted, away, wrong, mnist("doctor")):
        assert PASSWORD not in result.stdout + result.stderr
        assert USER not in result.stdout + result.stderr

    files = [file for file in home.rglob("*") if file.is_file()]
    assert {"server.db", "server.log", "prefect.db", "summary.json", "traceback.txt", "tracking.json"} <= {
        file.name for file in files
    }
    for file in files:
        content = file.read_bytes()
        assert PASSWORD.encode() not in content, file
        assert USER.encode() not in content, file
