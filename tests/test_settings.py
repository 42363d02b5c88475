from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.errors import InvalidInput
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
