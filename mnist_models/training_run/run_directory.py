"""What a training leaves behind, and in which order.

    source/*.py          the user's own modules that build the network    written first
    recipe.json          what is trained: recipe, seed, shapes, classes   written next, by the flow
    metrics.jsonl        one record a step and a validation               appended
    checkpoint.npz       everything needed to go on, as one unit          replaced, the previous one kept
    kept/*.keras         checkpoints kept for a reason, named by it       once each
    predictions.npz      probabilities of the kept weights                at the end
    model.keras          the kept weights: uint8 images → probabilities   at the end
    result.json          how it ended, with the digest of each file       written last: finished means it is there

A checkpoint that could not be used is set aside as damaged-*.npz.
The tracker's and the flow's own notes (tracking.json, forced-by, figures, the lock) lie beside them.
"""

import dataclasses
import hashlib
import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnist_models import recipes
from mnist_models.atomic import write_atomically
from mnist_models.recipe import Recipe
from mnist_models.recipe_reference import SourceFolder, content, own_files
from mnist_models.training_run.metrics_log import History, iterate_records, to_history

SOURCE = "source"  # the folder of copies


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended. Steps count from 1; accuracies are shares; times are Unix seconds."""

    status: Literal["finished", "diverged"]
    parameters: int  # trainable weights
    steps: int  # done in all
    train_seconds: float  # from the first step to the last, validations included
    images_per_second: float
    kept_step: int  # after which the saved model's weights were taken
    validation_accuracy: float  # of the evaluated weights
    test_accuracy: float
    first_nan_step: int | None = None
    nan_variable: str | None = None  # the one nearest to the loss
    nan_variables: tuple[str, ...] = ()
    resumed_at: tuple[int, ...] = ()  # steps from which interrupted attempts went on
    damaged: tuple[str, ...] = ()  # checkpoints that could not be used for that, and why
    finished_at: float = 0.0
    device: str = "cpu"
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # name → SHA-256


@dataclass(frozen=True)
class Predictions:
    """Probabilities of the evaluated weights, float32 [n, classes]; NaN after a divergence."""

    test: NDArray[np.float32]
    validation: NDArray[np.float32]
    validation_indices: NDArray[np.int64]  # into the training set


class RunDirectory:
    """The files of one training, as this module's docstring lists them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source_folder = path / SOURCE
        self.recipe_file = path / "recipe.json"
        self.metrics_file = path / "metrics.jsonl"
        self.checkpoint_file = path / "checkpoint.npz"
        self.predictions_file = path / "predictions.npz"
        self.model_file = path / "model.keras"
        self.result_file = path / "result.json"
        self._force_file = path / "forced-by"

    def write_recipe(self, recipe: Recipe, **notes: Any) -> None:
        """Write what is trained, so that this folder alone is enough to build the network again."""
        for name, file in own_files(recipe.network).items():
            write_atomically(self.source_folder / f"{name}.py", content(file))
        write_atomically(self.recipe_file, json.dumps({"recipe": recipe.to_json(), **notes}, indent=2) + "\n")

    def recipe(self) -> Recipe:
        """Return the recipe; its modules are imported from this folder, where it holds copies of them.

        Raise OSError, ValueError or KeyError if `write_recipe` has not written it.
        """
        if self.source_folder.is_dir():
            SourceFolder(self.source_folder).install()
        return Recipe.from_json(json.loads(self.recipe_file.read_text())["recipe"])

    def set_aside(self) -> None:
        """Keep what there is under another name, `…~1` and so on."""
        if self.path.exists():
            names = (self.path.with_name(f"{self.path.name}~{number}") for number in itertools.count(1))
            self.path.rename(next(name for name in names if not name.exists()))

    def note_force(self, flow_run_id: str) -> None:
        """Note which flow run has had the training made anew, so that it does not do so again when it is retried."""
        write_atomically(self._force_file, flow_run_id)

    def forced_by(self) -> str:
        """Return the flow run that has had it made anew; empty if none has."""
        try:
            return self._force_file.read_text()
        except OSError:
            return ""

    def kept_files(self) -> list[Path]:
        """Checkpoints that were kept for a reason, oldest name first."""
        return sorted((self.path / "kept").glob("*.keras"))

    def history(self) -> History:
        """All metrics as series."""
        return to_history(iterate_records(self.metrics_file))

    def predictions(self) -> Predictions:
        """Read what the training predicted."""
        with self.predictions_file.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Predictions(arrays["test"], arrays["validation"], arrays["validation_indices"])

    def finish(self, result: TrainingResult) -> TrainingResult:
        """Write the result with the digests of all files, as the last step of a training."""
        files = [self.metrics_file, self.predictions_file, self.model_file, self.checkpoint_file, *self.kept_files()]
        digests = {str(file.relative_to(self.path)): file_digest(file) for file in files}
        result = dataclasses.replace(result, files=digests)
        fields = {key: None if value != value else value for key, value in dataclasses.asdict(result).items()}
        write_atomically(self.result_file, json.dumps(fields, indent=2))
        return result

    def result(self) -> TrainingResult | None:
        """Return how it ended; None if it has not, or if a file is missing or not what was written."""
        try:
            fields = json.loads(self.result_file.read_text())
            fields |= {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
            result = TrainingResult(**fields)
            intact = all(file_digest(self.path / name) == digest for name, digest in result.files.items())
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return result if intact else None


def is_recipe_file(file: Path) -> bool:
    """Return whether it is a file of recipes, as a trainer names it in a traceback: one of ours, or a copy."""
    return file.parent.name == SOURCE or file.parent == Path(recipes.__file__).parent


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
