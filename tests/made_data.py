"""Small data sets that are easy to learn, and writers for the file formats that are read."""

import gzip
from pathlib import Path

import numpy as np

from mnist_models.data.assembly.validate import validated
from mnist_models.data.dataset import Dataset
from mnist_models.data.idx import IDX_FILES, encode_idx

BLOCKS = 4  # a class is a pattern of 4×4 bright and dark blocks


def make_dataset(classes: int = 3, side: int = 16, train: int = 120, test: int = 60, seed: int = 0) -> Dataset:
    """Each class is a fixed block pattern, the same for every `seed`, under noise that the seed decides.

    Labels go round the classes in a shuffled order, so that the classes are as equal as can be; `train` must be at
    least twice `classes`.
    """
    generator = np.random.default_rng(seed)
    x_train, y_train = _part(generator, train, classes, side)
    x_test, y_test = _part(generator, test, classes, side)
    return validated("made", f"made with seed {seed}", x_train, y_train, x_test, y_test)


def _part(generator: np.random.Generator, count: int, classes: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    labels = generator.permutation(np.arange(count) % classes)
    block = np.ones((-(-side // BLOCKS), -(-side // BLOCKS)))
    patterns = np.stack(
        [np.kron(np.random.default_rng([1, label]).random((BLOCKS, BLOCKS)) < 0.5, block) for label in range(classes)]
    )[:, :side, :side]
    noisy = 40 + 160 * patterns[labels] + generator.integers(-40, 41, (count, side, side))
    return noisy.astype(np.uint8), labels.astype(np.int32)


def arrays_of(data: Dataset) -> dict[str, np.ndarray]:
    return {key: getattr(data, key) for key in IDX_FILES}


def idx_files_of(data: Dataset) -> dict[str, bytes]:
    """The four IDX files by name."""
    return {name: encode_idx(getattr(data, key)) for key, name in IDX_FILES.items()}


def write_idx_folder(data: Dataset, folder: Path, compress: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in idx_files_of(data).items():
        if compress:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def write_npz(data: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays_of(data))
    return path
