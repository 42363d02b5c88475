"""mlflow.yml: the one module that reads it."""

import os
import re
import reprlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import Field, HttpUrl, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mnist_models.data.options import DataOptions
from mnist_models.errors import InvalidInput, unknown_name
from mnist_models.redaction import redacted
from tasks.config.credentials import hand_to_mlflow, without_credentials
from tasks.config.cron import ever_comes
from tasks.config.network import reach_loopback_directly

ARTIFACTS = "state/artifacts"
MOST_BYTES = 100_000
LONGEST_SHOWN = 100  # characters of a wrong value or key
ON_SCREENS = ("tracking_uri", "artifact_location", "experiment_name", "host", "datasets", "watch", "webhook")
MODEL_NAME = r"^[^/:]{1,200}$"
SCHEMES = ("sqlite:///", "http://", "https://", "postgresql://", "postgresql+psycopg2://", "mysql+pymysql://")


def _is_web_address(text: str) -> bool:
    try:
        return bool(HttpUrl(text))
    except ValidationError:
        return False


# The keys of texts, what must hold for each, and how that is said.
RULES: tuple[tuple[tuple[str, ...], Callable[[str], bool], str], ...] = (
    (("tracking_uri",), lambda uri: uri.startswith(SCHEMES), f"must start with one of {', '.join(SCHEMES)}"),
    (("tracking_uri",), lambda uri: not uri.startswith("http") or bool(urlsplit(uri).hostname), "must name a host"),
    (
        ("artifact_location",),
        lambda location: redacted(location) == location,
        "must hold no credentials, because every run repeats it; give them by the environment",
    ),
    (ON_SCREENS, str.isprintable, "must hold no control characters"),
    (("webhook",), lambda url: not url or _is_web_address(url), "must be an address such as https://chat.example/hook"),
    (("alias",), lambda alias: not re.fullmatch(r"latest|v\d+", alias), "MLflow reserves latest, v1, v2 and so on"),
    (
        ("schedule",),
        ever_comes,
        "there is no such day; give minute, hour, day of the month, month and day of the week, or nothing for never",
    ),
    (("timezone",), lambda zone: zone in available_timezones(), "must be a time zone, such as UTC or Europe/Berlin"),
)


class Settings(BaseSettings):
    """What mlflow.yml can say. Environment variables, MLFLOW_ and the key in capitals, win over the file."""

    model_config = SettingsConfigDict(env_prefix="MLFLOW_", env_ignore_empty=True, extra="forbid", frozen=True)

    tracking_uri: str = Field("sqlite:///state/mlflow.db", min_length=1, repr=False)  # it may hold a password
    artifact_location: str = ARTIFACTS
    experiment_name: str = Field("mnist", min_length=1, max_length=200)
    registered_model: str = Field("mnist-classifier", pattern=MODEL_NAME)
    alias: str = Field("champion", pattern=r"^[\w-]{1,200}$")
    accuracy_floor: float = Field(0.9, ge=0, le=1)
    significance_level: float = Field(0.05, gt=0, lt=0.5)
    margin: float = Field(0.002, ge=0, le=0.5)
    patience: float = Field(120.0, ge=0, le=86_400)
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(5000, ge=1, le=65535)
    prefect_port: int = Field(4200, ge=1, le=65535)
    project: str = Field("", pattern=r"^[\w.-]{0,100}$")
    schedule: str = Field("0 2 * * *", pattern=r"^(\S+( \S+){4})?$")
    timezone: str = "UTC"
    unreadable_share: float = Field(0.05, ge=0, lt=1)
    datasets: str = Field("state/datasets", min_length=1)
    watch: str = "state/incoming"
    watch_set: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")
    watch_suite: str = Field("quick", pattern=r"^[\w-]{1,100}$")
    webhook: str = Field("", pattern=r"^\S*$", repr=False)
    _home: Path = PrivateAttr(Path())

    @field_validator("*")
    @classmethod
    def _obey_rules(cls, value: Any, info: ValidationInfo) -> Any:
        for keys, holds, rule in RULES:
            if info.field_name in keys and not holds(value):
                raise ValueError(rule)
        return value

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file, whose content is given as arguments."""
        return sources["env_settings"], sources["init_settings"]

    @classmethod
    def at(cls, home: Path, **values: Any) -> "Settings":
        """Settings whose relative paths count from a folder."""
        settings = cls(**values)
        settings._home = home
        return settings

    @property
    def home(self) -> Path:
        """The folder from which relative paths count."""
        return self._home

    @property
    def project_name(self) -> str:
        """What the project is called where it shares a Prefect server with others."""
        return self.project or re.sub(r"[^\w.-]+", "-", self.home.name)

    @cached_property
    def resolved_tracking_uri(self) -> str:
        """The tracking URI with an absolute path, if it is a sqlite file, and without credentials, if a server's."""
        prefix = "sqlite:///"
        if self.tracking_uri.startswith(prefix):
            return prefix + str(self.home / self.tracking_uri.removeprefix(prefix))
        return without_credentials(self.tracking_uri) if self.served else self.tracking_uri

    @property
    def served(self) -> bool:
        """Whether an MLflow server stands between us and the store."""
        return self.tracking_uri.startswith(("http://", "https://"))

    @cached_property
    def resolved_artifact_location(self) -> str | None:
        """Where a new experiment keeps its artifacts; None leaves it to the server, whose disk is not ours."""
        if "://" in self.artifact_location:
            return self.artifact_location
        return None if self.served else (self.home / (self.artifact_location or ARTIFACTS)).as_uri()

    @property
    def state(self) -> Path:
        """The folder of run directories, prepared data and logs."""
        return self.home / "state"

    @property
    def reachable_host(self) -> str:
        """Where this machine reaches what listens on `host`."""
        return "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host

    @property
    def running(self) -> Path:
        """The file that says where the servers of a running `mnist up` are."""
        return self.state / "up.json"

    @property
    def watched(self) -> Path:
        """The folder whose new content is trained on."""
        return self.home / self.watch

    @property
    def named_sets(self) -> Path:
        """The folder of named data sets, which a team may share."""
        return self.home / self.datasets

    @property
    def runs(self) -> Path:
        """The folder of run directories."""
        return self.state / "runs"

    @property
    def flows(self) -> Path:
        """The folder of records of flow runs that are not through yet."""
        return self.state / "flows"

    @property
    def data_options(self) -> DataOptions:
        """How data are read where nothing else is said."""
        return DataOptions(unreadable=self.unreadable_share)

    @property
    def data(self) -> Path:
        """The folder of prepared data."""
        return self.state / "data"


def settings_file() -> Path | None:
    """`MNIST_CONFIG`, or mlflow.yml in the current folder, or the one beside the source code."""
    if chosen := os.environ.get("MNIST_CONFIG"):
        if not Path(chosen).is_file():
            raise InvalidInput(f"MNIST_CONFIG: there is no file {chosen}.")
        return Path(chosen)
    folders = (Path.cwd(), Path(__file__).resolve().parents[2])
    return next((file for folder in folders if (file := folder / "mlflow.yml").is_file()), None)


def load_settings() -> Settings:
    """Read mlflow.yml and the environment; credentials in the address of a server move to MLflow's own variables.

    Raise InvalidInput, which names key and file, for a key that does not exist or a value that is not allowed.
    """
    file = settings_file()
    content = _read(file) if file else {}
    try:
        settings = Settings.at((file.parent if file else Path.cwd()).resolve(), **content)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        variable = f"MLFLOW_{key.upper()}"
        origin = variable if os.environ.get(variable) else f"mlflow.yml: {key}"
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        # Addresses may hold a password in a way that is not recognised, for being wrong.
        value = "the address" if key in ("tracking_uri", "artifact_location", "webhook") else _shown(first["input"])
        raise InvalidInput(f"{origin}: {value} is not allowed: {reason}.") from None
    reach_loopback_directly(
        settings.reachable_host, settings.resolved_tracking_uri, os.environ.get("PREFECT_API_URL", "")
    )
    if settings.tracking_uri.startswith("sqlite:///") and "?" in str(settings.home):
        raise InvalidInput(
            f"mlflow.yml: the path of its folder, {settings.home}, must hold no question mark, which would end the path"
            " in the address of MLflow's store."
        )
    hand_to_mlflow(settings.tracking_uri)
    return settings


def with_model(settings: Settings, name: str) -> Settings:
    """Return the settings with another registered model, if one is named."""
    return settings.model_copy(update={"registered_model": name}) if name else settings


def _read(file: Path) -> dict[str, Any]:
    """The keys and values of a YAML file; only the keys are checked."""
    if file.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"{file.name}: is larger than the {MOST_BYTES // 1000} kB that are allowed.")
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
        content = {str(key): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}
    except Exception as error:  # for odd tags, dates, numbers and depths PyYAML raises a dozen types
        reason = redacted(" ".join(str(error).split()).rstrip(".") or type(error).__name__)
        raise InvalidInput(f"{file.name}: not readable as YAML: {reason}.") from None
    if not isinstance(loaded, dict | None):
        raise InvalidInput(f"{file.name}: must hold keys and values, not {type(loaded).__name__}.")
    for key in content:
        if key not in Settings.model_fields:
            raise unknown_name(f"{file.name}: key", redacted(key[:LONGEST_SHOWN]), Settings.model_fields)
    return content


def _shown(value: Any) -> str:
    """A refused value as the error shows it: what an alias repeats a million times is not written out."""
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = shortened.maxlong = LONGEST_SHOWN
    try:
        return redacted(shortened.repr(value))
    except ValueError:  # Python does not write whole numbers of thousands of digits
        return f"a value of type {type(value).__name__}"
