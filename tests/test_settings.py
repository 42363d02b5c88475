import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings, load_settings
from tasks.servers.prefect_server import ui_address
from tasks.tracking.links import mlflow_address


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
    monkeypatch.setattr("tasks.config.settings.settings_file", lambda: None)
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
        ("webhook: http://chat.example/a hook", r"webhook"),
        ("webhook: http://[", r"webhook.*must be an address such as"),
        ("webhook: ftp://chat.example/hook", r"webhook.*must be an address such as"),
        ("webhook: http://chat.example:99999/", r"webhook.*must be an address such as"),
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


@pytest.mark.parametrize(
    "content",
    [
        "tracking_uri: 'http://user:secret@host",  # the YAML reader shows the line
        "host: [http://user:secret@host]",
        "timezone: http://user:secret@host",
        "http://user:secret@host: 1",
        "artifact_location: ftp://user:secret@host/artifacts",
        "tracking_uri: [http://user:secret@host]",
    ],
)
def test_a_password_in_a_wrong_file_is_not_repeated(home, content):
    (home / "mlflow.yml").write_text(content)
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert "secret" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_the_credentials_of_a_server_do_not_stay_in_its_address(home):
    settings = Settings.at(home, tracking_uri="https://mnist:p%40ss@mlflow.example:5000/sub")
    assert settings.resolved_tracking_uri == "https://mlflow.example:5000/sub"
    assert "p%40ss" not in repr(settings)
    store = "postgresql://mnist:secret@db/mnist"  # which takes them in no other way
    assert Settings.at(home, tracking_uri=store).resolved_tracking_uri == store


def test_a_wrong_variable_is_named(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_MARGIN", "-1")
    with pytest.raises(InvalidInput, match="MLFLOW_MARGIN"):
        load_settings()


@pytest.mark.parametrize(
    "content",
    [
        "port: 2001-99-99",  # a date that there is not
        "port: !!timestamp x",
        "port: !!bool x",
        "port: !!int ''",
        "port: !!python/object/apply:os.getcwd []",
        "[" * 5000,
        "port: " + "0x" + "f" * 5000,
        "0x" + "f" * 5000 + ": 1",
        "port: " + "9" * 5000,
        "port: &a [*a]",
        "? [1]\n: 2",
        "alias: 'a\nb'",
        'experiment_name: "a\\nb"',
        "tracking_uri: http://[",
        "tracking_uri: http://",
        'tracking_uri: "sqlite:///a\\0b"',
        "x" * 200_000,
        "a: " + "x" * 90_000,
        "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]),
        "\n".join(["port: &a0 [x]", *(f"b{n}: [{', '.join(['*a0'] * 9)}]" for n in range(1, 3))]),
    ],
    ids=lambda content: content[:20],
)
def test_odd_files_are_refused_in_one_short_sentence(home, content):
    (home / "mlflow.yml").write_text(content)
    assert_refused()


def assert_refused():
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    text = str(caught.value)
    assert text.startswith("mlflow.yml: ")
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 1000


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3))
KEYS = st.sampled_from(list(Settings.model_fields)) | SCALARS
FILES = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.dictionaries(KEYS, VALUES, max_size=4).map(lambda content: yaml.safe_dump(content).encode())
    | st.tuples(st.sampled_from(list(Settings.model_fields)), st.text(max_size=60)).map(
        lambda pair: f"{pair[0]}: {pair[1]}".encode("utf-8", "replace")
    )
)


@given(FILES)
def test_any_file_is_read_or_refused_in_one_sentence(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("settings")
    (folder / "mlflow.yml").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_CONFIG", str(folder / "mlflow.yml"))
        for name in (*Settings.model_fields, "tracking_username", "tracking_password"):
            patch.setenv(f"MLFLOW_{name.upper()}", "")  # nothing, and after this test what it was
        try:
            settings = load_settings()
        except InvalidInput:
            assert_refused()
            return
    assert settings.home == folder
    assert settings.resolved_tracking_uri.startswith(("sqlite:///", "http", "postgresql", "mysql"))


def test_a_folder_whose_path_would_end_early_in_an_address_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "what?"
    folder.mkdir()
    (folder / "mlflow.yml").write_text("experiment_name: x\n")
    monkeypatch.setenv("MNIST_CONFIG", str(folder / "mlflow.yml"))
    with pytest.raises(InvalidInput, match="must hold no question mark"):
        load_settings()
    (folder / "mlflow.yml").write_text("tracking_uri: http://127.0.0.1:5000\n")
    assert load_settings().home == folder
