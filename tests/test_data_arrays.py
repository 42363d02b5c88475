"""Arrays as others write them: names, types, scales, channels, parts."""

import gzip

import numpy as np
import pytest
from made_data import arrays_of, make_dataset

from mnist_models.data.idx import encode_idx
from mnist_models.data.options import DataOptions
from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput

DATA = make_dataset(train=240, test=60)
ARRAYS = arrays_of(DATA)
COLUMN = ARRAYS["y_train"][:, None]
COLOURS = np.random.default_rng(0).integers(0, 256, (240, 16, 16, 3), np.uint8)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def under(train, test, **more):
    return dict(zip((*train, *test), ARRAYS.values(), strict=True)) | more


@pytest.mark.parametrize(
    "arrays",
    [
        under(("x_train", "y_train"), ("x_test", "y_test")),
        under(("X_train", "Y_train"), ("X_test", "Y_test")),
        under(("train_images", "train_labels"), ("test_images", "test_labels")),
        under(
            ("train_images", "train_labels"), ("test_images", "test_labels"), train_labels=ARRAYS["y_train"][:, None]
        ),
        under(("x_train", "y_train"), ("x_test", "y_test"), y_train=np.eye(3)[ARRAYS["y_train"]]),
        under(("x_train", "y_train"), ("x_test", "y_test"), x_train=ARRAYS["x_train"][..., None]),
        under(("x_train", "y_train"), ("x_test", "y_test"), x_train=ARRAYS["x_train"][:, None]),
        under(("x_train", "y_train"), ("x_test", "y_test"), x_train=ARRAYS["x_train"][..., None].repeat(3, 3)),
    ],
)
def test_names_and_shapes(tmp_path, arrays):
    if arrays.get("x_train", np.zeros(1)).shape[-1] == 3:
        arrays["x_test"] = arrays["x_test"][..., None].repeat(3, 3)
    assert read_data(saved(tmp_path / "d.npz", **arrays)).digest == DATA.digest


def test_a_validation_part_of_ones_own(tmp_path):
    parts = {f"{part}_{kind}": ARRAYS[f"{short}_train"][span] for part, span in SPANS.items() for kind, short in KINDS}
    data = read_data(saved(tmp_path / "d.npz", **parts))
    assert (len(data.x_train), data.facts.validation, len(data.x_test)) == (200, 50, 40)
    assert (data.x_train[150:] == ARRAYS["x_train"][150:200]).all()


SPANS = {"train": slice(0, 150), "val": slice(150, 200), "test": slice(200, 240)}
KINDS = (("images", "x"), ("labels", "y"))


@pytest.mark.parametrize(
    "names", [("images", "labels"), ("x", "y"), ("X", "y"), ("data", "labels"), ("data", "target")]
)
def test_a_single_pair_is_split(tmp_path, names):
    arrays = dict(zip(names, (ARRAYS["x_train"], ARRAYS["y_train"]), strict=True))
    data = read_data(saved(tmp_path / "d.npz", **arrays))
    assert len(data.x_train) + len(data.x_test) == 240
    assert data.facts.test_part


def test_training_alone_is_split(tmp_path):
    data = read_data(saved(tmp_path / "d.npz", x_train=ARRAYS["x_train"], y_train=ARRAYS["y_train"]))
    assert 20 < len(data.x_test) < 80


def test_colour(tmp_path):
    arrays = {"x_train": COLOURS, "y_train": ARRAYS["y_train"], "x_test": COLOURS[:60], "y_test": ARRAYS["y_test"]}
    data = read_data(saved(tmp_path / "d.npz", **arrays))
    assert data.image_shape == (16, 16, 3)
    assert "60 of 60 test images are training images, too" in " ".join(data.facts.warnings)
    first = read_data(saved(tmp_path / "e.npz", **arrays | {"x_train": np.moveaxis(COLOURS, 3, 1)}))
    assert first.digest == data.digest
    scaled = read_data(saved(tmp_path / "f.npz", **arrays | {"x_train": (COLOURS / 255).astype(np.float32)}))
    assert scaled.digest == data.digest


def test_grey_beside_colour_is_refused(tmp_path):
    arrays = ARRAYS | {"x_train": COLOURS}
    with pytest.raises(InvalidInput, match="some parts are grey, some coloured"):
        read_data(saved(tmp_path / "d.npz", **arrays))


def test_class_names_in_the_file(tmp_path):
    data = read_data(saved(tmp_path / "d.npz", **ARRAYS, class_names=np.array(["ape", "bee", "cat"])))
    assert data.class_names == ("ape", "bee", "cat")
    assert data.digest != DATA.digest


def test_groups_in_the_file(tmp_path):
    groups = np.arange(240) // 24
    path = saved(tmp_path / "d.npz", images=ARRAYS["x_train"], labels=ARRAYS["y_train"], groups=groups)
    data = read_data(path)
    assert len(data.x_train) % 24 == 0
    assert data.train_groups is not None
    with pytest.raises(InvalidInput, match="groups must be one number or text for each image"):
        read_data(saved(path, images=ARRAYS["x_train"], labels=ARRAYS["y_train"], groups=groups[:3]))


def test_any_size_can_be_brought_to_another(tmp_path):
    small = {key: array[:, ::2, ::2] if array.ndim == 3 else array for key, array in ARRAYS.items()}
    path = saved(tmp_path / "d.npz", **small)
    with pytest.raises(InvalidInput, match="16 to 224 pixels a side, but they are 8×8; --image-size"):
        read_data(path)
    assert read_data(path, DataOptions(image_size=20)).image_shape == (20, 20, 1)


def test_a_test_part_alone_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="x_train is missing"):
        read_data(saved(tmp_path / "d.npz", x_test=ARRAYS["x_test"], y_test=ARRAYS["y_test"]))


def test_a_class_that_the_training_lacks_is_named(tmp_path):
    names = np.array(["ape", "bee", "cat"])
    arrays = ARRAYS | {"y_train": names[ARRAYS["y_train"] % 2], "y_test": names[ARRAYS["y_test"]]}
    with pytest.raises(InvalidInput, match="hold only classes that the training part holds, but holds cat"):
        read_data(saved(tmp_path / "d.npz", **arrays))


# --- IDX ---------------------------------------------------------------------------------------------------


def write_idx(folder, names, change=lambda array: array):
    folder.mkdir(exist_ok=True)
    for name, array in zip(names, ARRAYS.values(), strict=False):
        content = encode_idx(change(array) if array.ndim == 3 else array + 1)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


EMNIST = [
    f"emnist-letters-{part}-{kind}.gz"
    for part in ("train", "test")
    for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
]


def test_emnist(tmp_path):
    folder = write_idx(tmp_path / "d", EMNIST, lambda array: array.swapaxes(1, 2))
    data = read_data(folder, DataOptions(transposed=True))
    assert (data.x_train == ARRAYS["x_train"]).all()
    assert data.class_names == ("1", "2", "3")
    assert (read_data(folder).x_train != ARRAYS["x_train"]).any()


def test_several_sets_in_one_folder_are_refused(tmp_path):
    write_idx(tmp_path / "d", EMNIST)
    write_idx(tmp_path / "d", [name.replace("letters", "digits") for name in EMNIST])
    with pytest.raises(InvalidInput, match="holds emnist-digits, emnist-letters; put each into its own folder"):
        read_data(tmp_path / "d")


@pytest.mark.parametrize(
    "names",
    [("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), ("images-idx3-ubyte", "labels-idx1-ubyte")],
)
def test_a_single_pair_of_files(tmp_path, names):
    data = read_data(write_idx(tmp_path / "d", names))
    assert len(data.x_train) + len(data.x_test) == 240
