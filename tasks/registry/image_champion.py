"""The champion as a reader of photos: how it wants them prepared, what it calls them, how sure it may sound."""

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation
from mnist_models.shown_text import as_unicode
from tasks.registry.champion import champion_version
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

PREPARATION, TEMPERATURE, CLASS_NAMES = "preparation", "temperature", "class_names"  # tags of a version


@dataclass(frozen=True, eq=False)
class ImageChampion:
    """The version that serves, and what it needs to read photos."""

    registered: "ModelVersion"
    preparation: Preparation
    temperature: float | None  # None for a version that was registered before temperatures were fitted
    class_names: tuple[str, ...] = ()  # by label; empty for a version that was registered before classes had names

    @property
    def title(self) -> str:
        """The registered model with its version."""
        return f"{self.registered.name} version {self.registered.version}"

    def class_name(self, label: int) -> str:
        """The name of a class, valid Unicode; its number if it has none."""
        return as_unicode(self.class_names[label]) if label < len(self.class_names) else str(label)


def image_champion(tracker: Tracker) -> ImageChampion:
    """Return the champion; raise InvalidInput if there is none, or none that this pipeline has registered."""
    version, settings = champion_version(tracker), tracker.settings
    if version is None:
        raise InvalidInput(
            f"{settings.registered_model}: no version has the alias {settings.alias!r} yet;"
            " train one first with `mnist train`."
        )
    if PREPARATION not in version.tags:
        raise InvalidInput(
            f"{version.name}: version {version.version} was not registered by this pipeline, so that it is not known"
            " how to prepare images for it."
        )
    preparation = Preparation.from_json(version.tags[PREPARATION])
    names = _names(version.tags.get(CLASS_NAMES, "[]"))
    return ImageChampion(version, preparation, _temperature(version.tags.get(TEMPERATURE)), names)


def _temperature(tag: str | None) -> float | None:
    """Return what a tag says, which anybody can change; None for nonsense."""
    try:
        value = float(tag) if tag is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _names(tag: str) -> tuple[str, ...]:
    """Return what a tag says, which anybody can change; nothing for nonsense."""
    try:
        names = json.loads(tag)
    except ValueError:
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(each, str) for each in names) else ()
