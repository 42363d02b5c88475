"""Trainer processes: real ones."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest
from made_data import make_dataset

from mnist_models.data.arrays import load_arrays, save_arrays
from mnist_models.errors import InvalidInput
from mnist_models.recipes import find_recipe
from mnist_models.run_directory import RunDirectory
from mnist_models.trainer.job import TrainJob
from mnist_models.workers import settings
from mnist_models.workers.environment import inherited_environment
from mnist_models.workers.pool import PoolClosed, TrainerDied, TrainerPool, TrainingFailed
from mnist_models.workers.settings import Machine

ONE = Machine("cpu", 1, "float32", ())


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
        return TrainJob(directory, recipe, seed, data, "float32")

    return make


def test_jobs_are_done_and_a_failure_or_a_kill_takes_only_its_own(pool, job):
    with pool.slot() as slot:
        slot.do(job())
    assert RunDirectory(job().directory).result().status == "finished"
    process = pool._trainers[0]

    with pool.slot() as slot, pytest.raises(TrainingFailed, match="this network cannot be built"):
        slot.do(job("small_broken"))
    assert pool._trainers[0] is process  # an exception leaves the process as it was

    killed = []

    def kill():
        killed.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)

    long = replace(job(seed=1), recipe="deep_tanh_uniform")
    with pool.slot() as slot, pytest.raises(TrainerDied, match="signal 9"):
        slot.do(long, kill)
    with pool.slot() as slot:
        slot.do(job(seed=2))  # in a new process
    assert killed[0] != pool._trainers[0].pid
    assert RunDirectory(job(seed=2).directory).result().status == "finished"


@pytest.mark.parametrize("recipe", ["small_conv", "fast_conv_net"])
def test_a_training_gives_the_same_bits_alone_and_beside_others(tmp_path, small_recipes, job, recipe):
    """Alone it uses all cores; here it then gets half of a single one, beside a training that takes the rest."""

    def asked(name):
        (tmp_path / name).mkdir()
        return replace(job(recipe), directory=tmp_path / name)

    with TrainerPool(ONE, tmp_path / "logs") as pool, pool.slot() as slot:
        slot.do(asked("alone"))
    with TrainerPool(replace(ONE, workers=2), tmp_path / "logs") as pool, ThreadPoolExecutor() as executor:
        pool.start(2)
        for trainer in pool._trainers:  # they have not begun yet, and threads inherit this
            os.sched_setaffinity(trainer.pid, {min(os.sched_getaffinity(0))})
        with pool.slot() as slot, pool.slot() as other:
            busy = executor.submit(other.do, job("conv_net"))
            slot.do(asked("beside"))
            pool.close()
        assert isinstance(busy.exception(), PoolClosed)  # it was at work all the time
    alone, beside = (dict(np.load(RunDirectory(tmp_path / name).checkpoint_file)) for name in ("alone", "beside"))
    assert alone.keys() == beside.keys()
    for name in alone.keys() - {"progress"}:
        np.testing.assert_array_equal(alone[name], beside[name])


def test_closing_gives_up_what_is_running(pool, job):
    long = replace(job(), recipe="deep_tanh_uniform")
    with pool.slot() as slot, pytest.raises(PoolClosed):
        slot.do(long, pool.close)
    with pytest.raises(PoolClosed), pool.slot():
        pass
    assert pool._trainers == [None]  # nothing was started after the end


def test_a_trainer_ends_with_its_parent(pool):
    pool.start(1)
    process = pool._trainers[0]._process
    process.stdin.close()  # what the kernel does when the parent dies
    assert process.wait(timeout=60) == 0


def test_a_trainer_imports_neither_prefect_nor_mlflow(pool, job, tmp_path):
    with pool.slot() as slot:
        slot.do(job())
    libraries = "".join(mapped.path for mapped in psutil.Process(pool._trainers[0].pid).memory_maps())
    assert "tensorflow" in libraries
    assert "pydantic_core" not in libraries  # which either of them loads


def test_trainers_get_one_thread_per_operation_and_no_secrets(monkeypatch):
    environment = ONE.environment(0)
    assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "1"
    assert environment["TF_NUM_INTEROP_THREADS"] == "2"  # operations side by side; each by itself keeps its result
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    gpu = replace(ONE, device="gpu", gpus=("2", "5")).environment(3)
    assert gpu["CUDA_VISIBLE_DEVICES"] == "5"
    assert gpu["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "x")
    assert "MLFLOW_TRACKING_PASSWORD" not in inherited_environment()


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
    monkeypatch.setattr(settings, "_cpu", lambda: (vendor, flags))
    monkeypatch.setattr(settings, "_gpu_capabilities", dict)
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    here = settings.machine.__wrapped__()
    assert here.precision(find_recipe("conv_net")) == precision
    assert here.precision(find_recipe("softmax_regression")) == "float32"


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"0": 9.0, "1": 8.0}, "bfloat16"), ({"0": 7.5, "3": 9.0}, "float16"), ({"0": 6.1}, "float32")],
)
def test_gpus_get_a_trainer_each(monkeypatch, capabilities, precision):
    monkeypatch.setattr(settings, "_gpu_capabilities", lambda: capabilities)
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    here = settings.machine.__wrapped__()
    assert (here.device, here.workers, here.fast_precision) == ("gpu", len(capabilities), precision)
    assert here.gpus == tuple(capabilities)


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
    assert settings._gpu_capabilities() == found
    if visible == "3":
        assert "--id=3" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("name", "value"), [("MNIST_WORKERS", "0"), ("MNIST_WORKERS", "x"), ("MNIST_PRECISION", "int8")]
)
def test_wrong_overrides_are_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=name):
        settings.machine.__wrapped__()


def test_data_for_trainers_is_written_once_and_replaced_when_damaged(tmp_path):
    made = make_dataset()
    file = save_arrays(made, tmp_path)
    written = file.stat().st_mtime_ns
    assert save_arrays(made, tmp_path) == file
    assert file.stat().st_mtime_ns == written
    file.write_bytes(file.read_bytes()[:100])
    assert load_arrays(save_arrays(made, tmp_path)).digest == made.digest
    changed = replace(made, y_test=np.roll(made.y_test, 1))
    assert save_arrays(changed, tmp_path) != file
