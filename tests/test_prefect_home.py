"""Where a Prefect server that we start keeps its records."""

import json
import os
from pathlib import Path

import pytest
from commands import mnist
from homes import free_port
from loopback import Handler, serving

from tasks.config.settings import Settings
from tasks.databases.prefect_home import CHOICES, prefect_home, server_environment
from tasks.servers import prefect_server

AT_ITS_PLACE = {"PREFECT_SERVER_API_BASE_PATH": "/api"}


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A user who has set nothing."""
    for name in (*CHOICES, "PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_URL", "PREFECT_UI_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user" / ".prefect").mkdir(parents=True)
    return tmp_path / "user"


def write_profile(file: Path, *lines: str) -> None:
    file.write_text("\n".join(['active = "mine"', "[profiles.mine]", *lines]) + "\n")


@pytest.mark.fault(24)
def test_each_project_has_records_of_its_own(user, tmp_path):
    for name in ("one", "two"):
        settings = Settings.at(tmp_path / name)
        home = tmp_path / name / "state" / "prefect"
        assert server_environment(settings) == AT_ITS_PLACE | {"PREFECT_HOME": str(home)}
        assert home.is_dir()


@pytest.mark.parametrize("name", CHOICES)
def test_what_the_user_has_chosen_in_the_environment_holds(user, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, str(tmp_path / "chosen"))
    assert server_environment(Settings.at(tmp_path / "one")) == AT_ITS_PLACE
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize("name", CHOICES)
def test_what_the_users_profile_says_holds(user, tmp_path, name):
    write_profile(user / ".prefect" / "profiles.toml", f'{name} = "chosen"')
    assert prefect_home(Settings.at(tmp_path / "one")) is None


def test_other_settings_of_the_profile_go_on_to_count(user, tmp_path):
    file = user / ".prefect" / "profiles.toml"
    write_profile(file, 'PREFECT_LOGGING_LEVEL = "DEBUG"')
    environment = server_environment(Settings.at(tmp_path / "one"))
    assert environment == AT_ITS_PLACE | {
        "PREFECT_HOME": str(tmp_path / "one" / "state" / "prefect"), "PREFECT_PROFILES_PATH": str(file),
    }  # fmt: skip


@pytest.mark.parametrize("content", ["active = [", "profiles = 1", 'active = "mine"\n[profiles]\nmine = 2', ""])
def test_an_odd_profiles_file_chooses_nothing(user, tmp_path, content):
    (user / ".prefect" / "profiles.toml").write_text(content)
    assert prefect_home(Settings.at(tmp_path / "one")) == tmp_path / "one" / "state" / "prefect"


def test_the_dashboard_is_where_mnist_up_will_open_it(user, home, monkeypatch):
    with (home / "mlflow.yml").open("a") as file:
        file.write("prefect_port: 4299\n")
    assert prefect_server.ui_address() == "http://127.0.0.1:4299"


@pytest.mark.fault(24)
def test_the_copy_of_a_project_does_not_use_the_server_of_the_original(user, tmp_path, monkeypatch):
    class Healthy(Handler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

    monkeypatch.setenv("PREFECT_API_URL", "")
    with serving(Healthy) as server:
        where = {"prefect_api": f"http://127.0.0.1:{server.server_port}/api", "home": str(tmp_path / "original")}
        for name in ("original", "copy"):
            (tmp_path / name / "state").mkdir(parents=True)
            Settings.at(tmp_path / name).running.write_text(json.dumps(where))
        assert not prefect_server._found(Settings.at(tmp_path / "copy"))
        assert prefect_server._found(Settings.at(tmp_path / "original"))


def test_a_server_that_we_start_and_that_asks_for_a_password_lets_us_in(user, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "")
    monkeypatch.delenv("PREFECT_API_AUTH_STRING")
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "team:secret")
    prefect_server._use("http://127.0.0.1:1/api")
    assert os.environ["PREFECT_API_AUTH_STRING"] == "team:secret"


@pytest.mark.slow
def test_a_server_in_the_profile_is_named_as_such_unless_it_is_our_own(user, home, monkeypatch):
    """`prefect config set` writes for all projects of a user, and unsetting a variable would not help."""
    theirs, own = (f"http://127.0.0.1:{free_port()}/api" for _ in range(2))
    write_profile(user / ".prefect" / "profiles.toml", f'PREFECT_API_URL = "{theirs}"')
    refused = mnist("status")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    for words in (theirs, "stands in your Prefect profile", "`prefect config unset PREFECT_API_URL`"):
        assert words in refused.stderr
    assert "in your Prefect profile" in mnist("doctor", "--json").stdout
    write_profile(user / ".prefect" / "profiles.toml", f'PREFECT_API_URL = "{own}"')
    monkeypatch.setenv("MLFLOW_PREFECT_PORT", own.removesuffix("/api").rpartition(":")[2])
    assert "in your Prefect profile" not in mnist("doctor", "--json").stdout
