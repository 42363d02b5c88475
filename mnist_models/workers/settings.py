"""How this machine trains: devices, processes, threads and precision, each with the reason."""

import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Recipe
from mnist_models.trainer.job import Precision


@dataclass(frozen=True)
class Machine:
    """What was found, and what follows from it."""

    device: str  # "cpu" or "gpu"
    workers: int  # trainings side by side
    fast_precision: Precision  # for convolutional recipes; all others train in float32
    reasons: tuple[str, ...]
    gpus: tuple[str, ...] = ()  # their ids, as CUDA_VISIBLE_DEVICES takes them

    def precision(self, recipe: Recipe) -> Precision:
        """The precision in which a recipe is trained here."""
        return self.fast_precision if recipe.convolutional else "float32"

    def environment(self, worker: int) -> dict[str, str]:
        """What a trainer needs to find in its environment before it imports TensorFlow."""
        common = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
        if self.device == "gpu":
            return common | {
                "CUDA_VISIBLE_DEVICES": self.gpus[worker % len(self.gpus)],
                "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            }
        return common | {
            "CUDA_VISIBLE_DEVICES": "-1",
            # One thread for each operation, whose result then does not depend on how many cores are free; a second
            # one for another operation at the same time, which a training uses while a core has nothing else to do.
            "TF_NUM_INTRAOP_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "2",
        }


@cache
def machine() -> Machine:
    """Look at this machine. MNIST_WORKERS and MNIST_PRECISION override what is chosen.

    Raises:
        InvalidInput: an override that is not allowed.
    """
    gpus = _gpu_capabilities()
    if gpus:
        device, workers, least = "gpu", len(gpus), min(gpus.values())
        precision: Precision = "bfloat16" if least >= 8.0 else "float16" if least >= 7.0 else "float32"
        reasons = [
            f"{workers} trainers: one for each GPU",
            f"{precision} in convolutional recipes: compute capability {least}",
        ]
    else:
        device, workers = "cpu", _cores()
        precision, why = _cpu_precision()
        reasons = [
            f"{workers} trainers of one thread: one for each core, which beats more threads in fewer trainers",
            f"{precision} in convolutional recipes: {why}",
        ]
    if chosen := os.environ.get("MNIST_WORKERS"):
        if not chosen.isdecimal() or not 1 <= int(chosen) <= 256:
            raise InvalidInput(f"MNIST_WORKERS: {chosen!r} is not a whole number from 1 to 256.")
        workers = int(chosen)
        reasons[0] = f"{workers} trainers: set by MNIST_WORKERS"
    if chosen := os.environ.get("MNIST_PRECISION"):
        if chosen not in ("float32", "bfloat16", "float16"):
            raise InvalidInput(f"MNIST_PRECISION: {chosen!r} is not one of float32, bfloat16, float16.")
        precision = chosen  # type: ignore[assignment]
        reasons[1] = f"{precision} in convolutional recipes: set by MNIST_PRECISION"
    return Machine(device, workers, precision, tuple(reasons), tuple(gpus))


def _cores() -> int:
    """The cores that this process may use, which can be fewer than the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # a container's share of time: "200000 100000", or "max 100000"
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def _cpu_precision() -> tuple[Precision, str]:
    """Measured: bfloat16 convolutions are about twice as fast on AMD's AVX-512 unit, 1.6 times slower on Intel's."""
    vendor, flags = _cpu()
    if "amx_bf16" in flags:
        return "bfloat16", "the processor has AMX tiles for it"
    if "avx512_bf16" in flags and vendor == "AuthenticAMD":
        return "bfloat16", "the processor has AVX512_BF16 at full width"
    if "avx512_bf16" in flags:
        return "float32", "without AMX, this processor's bfloat16 convolutions are slower"
    return "float32", "the processor has no bfloat16 unit"


def _cpu() -> tuple[str, set[str]]:
    """Vendor and feature flags, as Linux tells them."""
    fields: dict[str, str] = {}
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    return fields.get("vendor_id", ""), set(fields.get("flags", "").split())


def _gpu_capabilities() -> dict[str, float]:
    """Compute capability by GPU id, of those that CUDA_VISIBLE_DEVICES leaves visible."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in ("", "-1"):
        return {}
    query = ["nvidia-smi", "--query-gpu=index,compute_cap", "--format=csv,noheader"]
    if visible:
        query.append(f"--id={visible}")
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        found = [line.split(",") for line in answer.splitlines() if line.strip()]
        ids = visible.split(",") if visible else [index.strip() for index, _ in found]
        return {name: float(capability) for name, (_, capability) in zip(ids, found, strict=True)}
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
