"""Load a `.keras` file from any source: its size is checked before it is opened, and no code in it is run."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

from mnist_models.errors import InvalidInput

MOST_BYTES = 2**31  # that a model may take, unpacked; the largest of our recipes takes 13 million
MOST_CONFIG_BYTES = 10_000_000

WEIGHTS = "model.weights.h5"
MEMBERS = {"metadata.json", "config.json", WEIGHTS}
"""What Keras writes for networks without vocabularies; a file with anything else is refused."""


def load_model(path: Path) -> keras.Model:
    """Return the model of a `.keras` file, not compiled.

    Raise InvalidInput, one sentence that begins with "model:", if the file is missing, damaged, larger than 2 GiB
    unpacked, or has members that do not belong there or a layer that carries code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.name)
            if _holds_code(json.loads(archive.read("config.json"))):
                raise InvalidInput(f"model: {path.name} must hold no Lambda layer, because that is code from the file.")
            _check_weights(archive.read(WEIGHTS), path.name)
        # safe_mode, too, refuses code, and also classes that are neither Keras's nor registered.
        return keras.saving.load_model(path, safe_mode=True, compile=False)
    except InvalidInput:
        raise
    except Exception as error:  # zipfile, json, h5py and Keras raise a dozen types for damaged bytes
        reason = (str(error).strip().splitlines() or [""])[0].rstrip(".") or type(error).__name__
        raise InvalidInput(f"model: {path.name} cannot be loaded: {reason}.") from error


def refuse_code(network: keras.Model, recipe: str) -> None:
    """Raise InvalidInput for a network with a Lambda layer, whose file `load_model` would refuse to load."""
    if _holds_code(keras.saving.serialize_keras_object(network)):
        raise InvalidInput(
            f"recipe {recipe}: network must hold no Lambda layer, which cannot be loaded without running code from a"
            " file; use a layer of Keras or keras.ops."
        )


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    members = archive.infolist()
    strange = [member.filename for member in members if member.filename not in MEMBERS]
    if strange:
        raise InvalidInput(f"model: {name} may hold {', '.join(sorted(MEMBERS))} only, but holds {strange[0]!r}.")
    _check_size(sum(member.file_size for member in members), name)  # zipfile unpacks no more than file_size
    if archive.getinfo("config.json").file_size > MOST_CONFIG_BYTES:
        raise InvalidInput(f"model: {name}: config.json may take {MOST_CONFIG_BYTES:,} bytes.")


def _holds_code(config: Any) -> bool:
    """Return whether a network's configuration has a layer made of code, by its name and before Keras looks at it."""
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(map(_holds_code, config.values()))
    return isinstance(config, list) and any(map(_holds_code, config))


def _check_weights(content: bytes, name: str) -> None:
    """Refuse weights that are far larger than the file: HDF5 can store a huge array of one value in a few bytes."""
    parts: list[str] = []
    with h5py.File(io.BytesIO(content), "r") as file:
        file.visit(parts.append)
        _check_size(sum(file[part].nbytes for part in parts if isinstance(file[part], h5py.Dataset)), name)


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise InvalidInput(f"model: {name} may take {MOST_BYTES:,} bytes unpacked, but takes {size:,}.")
