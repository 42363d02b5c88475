"""Image files, prepared by processes side by side."""

import threading
from itertools import starmap
from pathlib import Path

import numpy as np
import pytest
from made_images import CLASSES, draw, write_class_folder
from PIL import Image
from test_photos import MNIST, drawn

from mnist_models.data.read import read_data
from mnist_models.images import preparers
from mnist_models.images.files import image_files
from mnist_models.images.prepare import Prepared, preparation_of, prepare
from mnist_models.images.prepare_file import PrepareJob, outcome_of, prepared_file, read_outcomes
from mnist_models.images.preparers import CHUNK, FEW, Crew, prepared_files
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.errors import TrainingCancelled

MANY = FEW + CHUNK + 3


@pytest.fixture
def files(tmp_path):
    """More of them than one process prepares; some are no images."""
    names = []
    for number in range(MANY):
        names.append(str(tmp_path / f"{number}.png"))
        if number % 20 == 7:
            Path(names[-1]).write_text("no image")
        elif number % 20 != 8:
            Image.fromarray(255 - np.asarray(drawn(number).resize((40 + number, 60)))).save(names[-1])
    return names


def same(one, other):
    if isinstance(one, Prepared) and isinstance(other, Prepared):
        return one.marks == other.marks and np.array_equal(one.image, other.image)
    return one == other


@pytest.mark.slow
def test_processes_give_what_one_gives_in_the_same_order(files, tmp_path):
    crew = Crew(2, tmp_path / "logs")
    found = [*prepared_files(files, MNIST, crew, lambda: None)]
    assert len([*(tmp_path / "logs").iterdir()]) == 2
    expected = [outcome_of(file, MNIST) for file in files]
    assert [isinstance(each, str) for each in expected].count(True) == 6
    assert all(starmap(same, zip(found, expected, strict=True)))


@pytest.mark.slow
def test_a_wait_that_ends_in_the_moment_of_a_result_is_no_error(files, tmp_path, monkeypatch):
    """A wait may time out just before its result comes."""
    monkeypatch.setattr(preparers, "LOOK_SECONDS", 0.0)
    assert len([*prepared_files(files, MNIST, Crew(2, tmp_path / "logs"), lambda: None)]) == MANY


def test_few_files_start_no_process(files, tmp_path, monkeypatch):
    monkeypatch.setattr(preparers, "Preparer", None)
    found = [*prepared_files(files[:FEW], MNIST, Crew(2, tmp_path), lambda: None)]
    assert len(found) == FEW


@pytest.mark.slow
def test_a_file_that_ends_its_process_costs_its_own_row_only(files, tmp_path, monkeypatch):
    class Mortal(preparers.Preparer):
        """Is killed, as by a fault in a decoder, while it is at one of the files."""

        def do(self, line, *more):
            if "/5.png" in line:
                self.kill()
            super().do(line, *more)

    monkeypatch.setattr(preparers, "Preparer", Mortal)
    found = [*prepared_files(files, MNIST, Crew(2, tmp_path / "logs"), lambda: None)]
    assert found[5].startswith("5.png cannot be used: the process that read it was ended")
    expected = [outcome_of(file, MNIST) for file in files]
    assert [number for number in range(MANY) if not same(expected[number], found[number])] == [5]


def test_a_process_that_cannot_start_is_an_error(files, tmp_path, monkeypatch):
    monkeypatch.setattr(preparers.Preparer, "module", "mnist_models.nowhere")
    with pytest.raises(preparers.ProcessDied, match=r"ended with exit status 1: .*mnist_models\.nowhere"):
        list(prepared_files(files, MNIST, Crew(2, tmp_path / "logs"), lambda: None))


@pytest.mark.slow
def test_it_ends_when_the_work_is_given_up(files, tmp_path):
    cancellation = Cancellation()
    before = threading.active_count()
    coming = prepared_files(files, MNIST, Crew(2, tmp_path / "logs"), cancellation.check)
    next(coming)
    cancellation.cancel()
    with pytest.raises(TrainingCancelled):
        list(coming)
    assert threading.active_count() == before
    coming = prepared_files(files, MNIST, Crew(2, tmp_path / "logs"), lambda: None)
    next(coming)
    coming.close()
    assert threading.active_count() == before


def test_outcomes_are_read_back(files, tmp_path):
    output = tmp_path / "out.npz"
    for some in (files[:10], files[7:9]):
        job = PrepareJob(some, MNIST.to_json(), str(output))
        PrepareJob.from_line(job.to_line()).do()
        expected = [outcome_of(file, MNIST) for file in some]
        assert all(starmap(same, zip(read_outcomes(output), expected, strict=True)))


@pytest.mark.slow
def test_a_drawing_in_a_box_that_is_prepared_already_is_left_as_it_is(tmp_path):
    for number in range(40):
        figure = drawn(number).resize((240 + number, 280 - number))
        file = tmp_path / "set" / str(number % 5) / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(prepare(np.asarray(figure), MNIST).image).save(file)
    data = read_data(tmp_path / "set")
    preparation = preparation_of(data.x_train, data.facts.fit)
    assert preparation == MNIST
    known = {image.tobytes() for image in np.concatenate([data.x_train, data.x_test])}
    files = [Path(file) for file in image_files([str(tmp_path / "set")])]
    assert {prepared_file(file, preparation).image.tobytes() for file in files} == known
    inverted = Image.fromarray(255 - np.asarray(Image.open(files[0])))
    inverted.save(tmp_path / "inverted.png")
    image = prepared_file(tmp_path / "inverted.png", preparation).image
    assert image[0].max() < 32  # which is no image of the data set yet


def stained(image):
    """Of many sizes, in grey with a tint that is too faint to count as colour."""
    size = (image.width + 3 + int(np.asarray(image).sum()) % 17, image.height + 8)
    grey = np.asarray(image.convert("L").resize(size), np.int16)
    tint = np.random.default_rng(0).integers(0, 12, (*grey.shape, 3))
    return Image.fromarray((grey[..., None] + tint).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("change", [lambda image: image, lambda image: image.convert("L"), stained])
def test_a_file_of_a_class_folder_is_the_image_that_it_was_in_training(tmp_path, change):
    folder = write_class_folder(tmp_path / "set", each=12, change=change)
    for name in CLASSES[:2]:  # another size and another format
        change(draw(name, 500, side=57)).save(folder / name / "odd.jpg", quality=95)
    data = read_data(folder)
    assert data.image_shape[2] == (1 if is_grey(change) else 3)
    preparation = preparation_of(data.x_train, data.facts.fit)
    known = {image.tobytes() for image in np.concatenate([data.x_train, data.x_test])}
    images = [prepared_file(Path(file), preparation).image for file in image_files([str(folder)])]
    assert len(images) == 38
    assert {image.tobytes() for image in images} == known


def is_grey(change):
    return np.ptp(np.asarray(change(draw("circle", 0)).convert("RGB")), axis=2).max() <= 24
