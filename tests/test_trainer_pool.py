"""Trainer processes: real ones."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from made_data import make_dataset, write_npz

from mnist_models.data.arrays import load_arrays, save_arrays
from mnist_models.data.loader import prepare_data
from mnist_models.data.official.checksums import DataUnavailable
from mnist_models.errors import InvalidInput
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer_pool import hardware
from mnist_models.trainer_pool import machine as settings
from mnist_models.trainer_pool.errors import TrainerDied, TrainingCancelled, TrainingFailed
from mnist_models.trainer_pool.machine import Machine
from mnist_models.trainer_pool.pool import TrainerPool
from mnist_models.training_run.job import PredictJob, TrainJob
from mnist_models.training_run.run_directory import RunDirectory

ONE = Machine("cpu", 1, "float32")


@pytest.fixture
def pool(tmp_path, small_recipes):
    with TrainerPool(ONE, tmp_path / "logs") as pool:
        yield pool


@pytest.fixture
def job(tmp_path):
    data = save_arrays(make_dataset(classes=4, side=16, train=300, test=80), tmp_path / "data")

    def make(recipe="small", seed=0):
        directory = tmp_path / f"{recipe}-{seed}"
        directory.mkdir(exist_ok=True)
        RunDirectory(directory).write_recipe(find_recipe(recipe))
        return TrainJob(directory, seed, data, "float32")

    return make


@pytest.mark.slow
def test_jobs_are_done_and_a_failure_or_a_kill_takes_only_its_own(pool, job):
    with pool.slot() as slot:
        slot.run(job())
    assert RunDirectory(job().directory).result().status == "finished"
    process = pool._trainers[0]

    with pool.slot() as slot, pytest.raises(TrainingFailed, match="this network cannot be built"):
        slot.run(job("small_broken"))
    assert pool._trainers[0] is process  # an exception leaves the process as it was
    model = job().directory / "cut.keras"
    model.write_bytes(b"PK")
    with pool.slot() as slot, pytest.raises(InvalidInput, match=r"^model: cut\.keras cannot be loaded: .*\.$"):
        slot.run(PredictJob(model, model, model.with_suffix(".npy")))
    assert pool._trainers[0] is process  # and so does a refusal

    killed = []

    def kill():
        killed.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)

    long = job("small_endless")
    with pool.slot() as slot, pytest.raises(TrainerDied, match="signal 9"):
        slot.run(long, kill)
    with pool.slot() as slot:
        slot.run(job(seed=2))  # in a new process
    assert killed[0] != pool._trainers[0].pid
    assert RunDirectory(job(seed=2).directory).result().status == "finished"


def test_a_gpu_is_kept_from_portion_to_portion_and_given_back_at_the_end(tmp_path, monkeypatch):
    class Idle:
        """A trainer that is there, and does nothing."""

        def __init__(self, *_):
            self.alive = True

        def do(self, *_):
            assert self.alive

        def stop(self):
            self.alive = False

    monkeypatch.setattr("mnist_models.trainer_pool.pool.Trainer", Idle)
    job = PredictJob(tmp_path, tmp_path, tmp_path)
    for device in ("gpu", "cpu"):
        with TrainerPool(Machine(device, 1, "float32", gpus=("0",)), tmp_path) as pool:
            with pool.slot() as slot:
                slot.run(job)
                held = pool._trainers[0]
                slot.run(job)
                assert pool._trainers[0] is held
            assert held.alive == (device == "cpu")


@pytest.mark.slow
def test_a_trainer_goes_to_who_has_most_ahead(tmp_path):
    served = []
    with TrainerPool(ONE, tmp_path / "logs") as pool, ThreadPoolExecutor() as threads:

        def wait(seconds):
            with pool.slot(seconds):
                served.append(seconds)

        with pool.slot():
            waiting = [threads.submit(wait, seconds) for seconds in (2, 600, 17)]
            while len(pool._waiting) < len(waiting):
                assert not any(future.done() for future in waiting)
        for future in waiting:
            future.result()
    assert served == [600, 17, 2]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [pytest.param("small_conv", marks=pytest.mark.long), "fast_conv_net"])
def test_a_training_gives_the_same_bits_alone_and_beside_others(tmp_path, small_recipes, job, recipe):
    """Alone it uses all cores; here it then gets half of a single one, beside a training that takes the rest."""

    def asked(name):
        RunDirectory(tmp_path / name).write_recipe(find_recipe(recipe))
        return replace(job(recipe), directory=tmp_path / name)

    with TrainerPool(ONE, tmp_path / "logs") as pool, pool.slot() as slot:
        slot.run(asked("alone"))
    with TrainerPool(replace(ONE, workers=2), tmp_path / "logs") as pool, ThreadPoolExecutor() as executor:
        pool.start(2)
        for trainer in pool._trainers:  # they have not begun yet, and threads inherit this
            os.sched_setaffinity(trainer.pid, {min(os.sched_getaffinity(0))})
        with pool.slot() as slot, pool.slot() as other:
            busy = executor.submit(other.run, job("small_endless"))
            slot.run(asked("beside"))
            pool.close()
        assert isinstance(busy.exception(), TrainingCancelled)  # it was at work all the time
    alone, beside = (dict(np.load(RunDirectory(tmp_path / name).checkpoint_file)) for name in ("alone", "beside"))
    assert alone.keys() == beside.keys()
    for name in alone.keys() - {"state"}:
        np.testing.assert_array_equal(alone[name], beside[name])


class WithXla(Machine):
    """What a GPU's trainers get, as far as a CPU can show it."""

    def environment(self, worker):
        flags = Machine("gpu", 1, "bfloat16", gpus=("0",)).environment(0)["TF_XLA_FLAGS"]
        more = {"TF_XLA_FLAGS": f"{flags} --tf_xla_cpu_global_jit", "TF_CPP_MIN_LOG_LEVEL": "0"}
        return ONE.environment(worker) | more


@pytest.mark.long
@pytest.mark.slow
def test_xla_compiles_the_loop_and_it_learns_as_well(tmp_path, small_recipes, job):
    """Dropout is drawn by another generator there, so that the numbers are not the same."""
    with TrainerPool(WithXla("cpu", 1, "float32"), tmp_path / "logs") as pool, pool.slot() as slot:
        slot.run(job("small_conv"))
    assert RunDirectory(job("small_conv").directory).result().test_accuracy > 0.9
    assert "Compiled cluster using XLA" in (tmp_path / "logs" / "trainer-0.log").read_text()


@pytest.mark.slow
def test_closing_gives_up_what_is_running(pool, job):
    long = job("small_endless")
    with pool.slot() as slot, pytest.raises(TrainingCancelled):
        slot.run(long, pool.close)
    with pytest.raises(TrainingCancelled), pool.slot():
        pass
    assert pool._trainers == [None]  # nothing was started after the end


@pytest.mark.slow
def test_a_trainer_ends_with_its_parent(pool):
    pool.start(1)
    process = pool._trainers[0]._process
    process.stdin.close()  # what the kernel does when the parent dies
    assert process.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_stopped_trainer_leaves_no_temporary_files(monkeypatch, tmp_path, small_recipes, job):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("TMPDIR", str(scratch))
    with TrainerPool(ONE, tmp_path / "logs") as pool:
        with pool.slot() as slot:
            slot.run(job())
        left = Path(psutil.Process(pool._trainers[0].pid).environ()["TMPDIR"]) / "left"
        left.touch()  # as libraries do that remove their files at an orderly end only
        assert left.is_relative_to(scratch)
    assert not list(scratch.iterdir())


@pytest.mark.slow
def test_a_trainer_imports_neither_prefect_nor_mlflow(pool, job, tmp_path):
    with pool.slot() as slot:
        slot.run(job())
    libraries = "".join(mapped.path for mapped in psutil.Process(pool._trainers[0].pid).memory_maps())
    assert "tensorflow" in libraries
    assert "pydantic_core" not in libraries  # which either of them loads


def test_trainers_get_one_thread_per_operation(monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    environment = ONE.environment(0)
    assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "1"
    assert environment["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert environment["TF_NUM_INTEROP_THREADS"] == "2"  # operations side by side; each by itself keeps its result
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    gpu = replace(ONE, device="gpu", gpus=("2", "5")).environment(3)
    assert gpu["CUDA_VISIBLE_DEVICES"] == "5"
    assert gpu["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


@pytest.mark.parametrize(
    ("vendor", "flags", "precision"),
    [
        ("GenuineIntel", {"avx512_bf16", "amx_bf16"}, "bfloat16"),
        ("AuthenticAMD", {"avx512_bf16"}, "bfloat16"),
        ("GenuineIntel", {"avx512_bf16"}, "float32"),
        ("AuthenticAMD", {"avx2"}, "float32"),
        ("", set(), "float32"),
    ],
)
def test_precision_follows_the_processor(monkeypatch, vendor, flags, precision):
    monkeypatch.setattr(settings, "processor", lambda: (vendor, flags))
    monkeypatch.setattr(settings, "gpu_capabilities", dict)
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    here = settings.machine.__wrapped__()
    assert here.precision(find_recipe("conv_net")) == precision
    assert here.precision(find_recipe("softmax_regression")) == "float32"


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"0": 9.0, "1": 8.0}, "bfloat16"), ({"0": 7.5, "3": 9.0}, "float16"), ({"0": 6.1}, "float32")],
)
def test_gpus_get_a_trainer_each(monkeypatch, capabilities, precision):
    monkeypatch.setattr(settings, "gpu_capabilities", lambda: capabilities)
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    here = settings.machine.__wrapped__()
    assert (here.device, here.workers, here.fast_precision) == ("gpu", len(capabilities), precision)
    assert here.gpus == tuple(capabilities)
    assert [choice.name for choice in here.choices] == ["device", "trainers", "threads", "precision"]
    monkeypatch.setenv("MNIST_DEVICE", "cpu")
    assert settings.machine.__wrapped__().environment(0)["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.parametrize(
    ("visible", "answer", "found"),
    [
        (None, "0, 9.0\n1, 8.6\n", {"0": 9.0, "1": 8.6}),
        ("3", "3, 9.0\n", {"3": 9.0}),
        ("", "0, 9.0\n", {}),
        ("-1", "0, 9.0\n", {}),
        (None, "0, [N/A]\n", {}),
    ],
)
def test_only_visible_gpus_count(monkeypatch, tmp_path, visible, answer, found):
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\nprintf \'{answer}\'\nfor a in "$@"; do echo "$a" >> {tmp_path}/asked; done\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware.gpu_capabilities() == found
    if visible == "3":
        assert "--id=3" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [("MNIST_WORKERS", "0"), ("MNIST_WORKERS", "x"), ("MNIST_THREADS", "0"), ("MNIST_PRECISION", "int8")],
)
def test_wrong_overrides_are_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=name):
        settings.machine.__wrapped__()


def test_data_for_trainers_is_written_once_and_replaced_when_damaged(tmp_path):
    made = make_dataset()
    folder = save_arrays(made, tmp_path)
    file = folder / "x_train.npy"
    written = file.stat().st_mtime_ns
    assert save_arrays(made, tmp_path) == folder
    assert file.stat().st_mtime_ns == written
    content = file.read_bytes()
    for damaged in (content[:100], content[:-1] + bytes([content[-1] ^ 1])):
        file.write_bytes(damaged)
        assert save_arrays(made, tmp_path) == folder
        assert file.read_bytes() == content
    np.testing.assert_array_equal(load_arrays(folder).x_train, made.x_train)
    assert load_arrays(folder).digest == made.digest
    changed = replace(made, y_test=np.roll(made.y_test, 1))
    assert save_arrays(changed, tmp_path) != folder


def test_data_is_prepared_in_a_process_of_its_own(tmp_path):
    made = make_dataset()
    said = []
    dataset, folder = prepare_data(str(write_npz(made, tmp_path / "digits.npz")), tmp_path / "data", said.append)
    assert (dataset.name, dataset.source) == ("digits", str(tmp_path / "digits.npz"))
    assert dataset.digest == load_arrays(folder).digest == made.digest
    again, _ = prepare_data(str(write_npz(made, tmp_path / "others.npz")), tmp_path / "data", said.append)
    assert (again.name, again.digest) == ("others", made.digest)
    assert said == []
    with pytest.raises(InvalidInput, match=r"data: .*nowhere does not exist"):
        prepare_data(str(tmp_path / "nowhere"), tmp_path / "data", said.append)


def test_a_preparation_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DataUnavailable, match=r"ended with 1: .*Error"):
        prepare_data(str(write_npz(make_dataset(), tmp_path / "digits.npz")), tmp_path / "data", print)
    (tmp_path / "cache").write_text("not a folder")
    monkeypatch.setenv("MNIST_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataUnavailable, match="MNIST_CACHE"):
        prepare_data("", tmp_path / "prepared", print)
