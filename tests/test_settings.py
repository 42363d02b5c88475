import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.errors import InvalidInput
from tasks.mlflow_links import mlflow_address
from tasks.prefect_server import ui_address
from tasks.settings import Settings, load_settings


def test_the_file_is_read_and_the_environment_wins(home, monkeypatch):
    (home / "mlflow.yml").write_text("experiment_name: mine\nport: 5055\n")
    monkeypatch.setenv("MLFLOW_PORT", "5056")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")  # set to nothing counts as not set
    settings = load_settings()
    assert (settings.experiment_name, settings.port) == ("mine", 5056)
    assert settings.resolved_tracking_uri == f"sqlite:///{home}/state/mlflow.db"
    assert settings.resolved_artifact_location == f"file://{home}/state/artifacts"


def test_a_server_keeps_its_own_artifacts(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    settings = load_settings()
    assert settings.resolved_tracking_uri == "http://127.0.0.1:5000"
    assert settings.resolved_artifact_location is None


def test_a_database_without_a_server_has_its_artifacts_here_or_where_it_is_told(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://mlflow:secret@db.example/mlflow")
    assert load_settings().resolved_artifact_location == f"file://{home}/state/artifacts"
    for told, kept in (("", f"file://{home}/state/artifacts"), ("s3://bucket/path", "s3://bucket/path")):
        (home / "mlflow.yml").write_text(f"artifact_location: '{told}'\n")
        assert load_settings().resolved_artifact_location == kept


def test_credentials_in_a_servers_address_become_mlflows_own_variables(home, monkeypatch):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "other")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://trainer:top%40secret@mlflow.example:5000/there")
    settings = load_settings()
    assert settings.resolved_tracking_uri == mlflow_address(settings) == "https://mlflow.example:5000/there"
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "trainer"
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "top@secret"


def test_links_to_prefect_hold_no_credentials(monkeypatch):
    monkeypatch.delenv("PREFECT_UI_URL", raising=False)
    monkeypatch.setenv("PREFECT_API_URL", "http://team:secret@prefect.example:4200/api")
    assert ui_address() == "http://prefect.example:4200"


def test_without_a_file_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.delenv("MNIST_CONFIG", raising=False)
    monkeypatch.setattr("tasks.settings.settings_file", lambda: None)
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings, settings.home) == (Settings.at(tmp_path), tmp_path)


def test_the_projects_own_file_says_what_the_defaults_are(monkeypatch, tmp_path):
    monkeypatch.delenv("MNIST_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings == Settings.at(settings.home)
    assert (settings.home / "mlflow.yml").is_file()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("experiment: x", r"mlflow.yml: key 'experiment' does not exist: did you mean experiment_name"),
        ("port: 0", r"mlflow.yml: port: 0 is not allowed: .*greater than or equal to 1"),
        ("port: many", r"mlflow.yml: port"),
        ("alias: latest", r"MLflow reserves"),
        ("registered_model: a/b", r"registered_model"),
        ("tracking_uri: ./mlruns", r"tracking_uri.*sqlite:///"),
        ("tracking_uri: http://[", r"tracking_uri.*is not allowed"),
        ("accuracy_floor: 1.5", r"accuracy_floor"),
        ("significance_level: .nan", r"significance_level"),
        ("- a list", r"keys and values"),
        ("a: [", r"YAML"),
    ],
)
def test_what_is_not_allowed_is_named(home, content, words):
    (home / "mlflow.yml").write_text(content)
    with pytest.raises(InvalidInput, match=words) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_password_in_an_address_is_not_repeated(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "oracle://user:secret@host/db")
    with pytest.raises(InvalidInput, match="MLFLOW_TRACKING_URI") as caught:
        load_settings()
    assert "secret" not in str(caught.value)


def test_a_wrong_variable_is_named(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_MARGIN", "-1")
    with pytest.raises(InvalidInput, match="MLFLOW_MARGIN"):
        load_settings()


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("settings")
    (folder / "mlflow.yml").write_text(text, encoding="utf-8", errors="replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_CONFIG", str(folder / "mlflow.yml"))
        with suppress(InvalidInput):
            assert load_settings().home == folder
