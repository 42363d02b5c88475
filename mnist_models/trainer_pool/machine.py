"""How this machine trains: device, processes, threads and precision, each chosen for a reason that can be read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import get_args

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Recipe
from mnist_models.trainer_pool.hardware import cores, gpu_capabilities, processor
from mnist_models.training_run.identity import Conditions, set_flags
from mnist_models.training_run.job import Precision


@dataclass(frozen=True)
class Choice:
    """One thing that was decided."""

    name: str
    value: str
    why: str
    variable: str  # the environment variable that decides it instead


@dataclass(frozen=True)
class Machine:
    """What follows from what was found."""

    device: str  # "cpu" or "gpu"
    workers: int  # trainings side by side
    fast_precision: Precision  # for convolutional recipes; all others train in float32
    threads: int = 1  # of a single operation, on a CPU
    gpus: tuple[str, ...] = ()  # their ids, as CUDA_VISIBLE_DEVICES takes them
    choices: tuple[Choice, ...] = ()

    def precision(self, recipe: Recipe) -> Precision:
        """The precision in which a recipe is trained here."""
        return self.fast_precision if recipe.convolutional else "float32"

    def conditions(self, recipe: Recipe) -> Conditions:
        """Return how a recipe is computed here, as far as its result depends on it."""
        return Conditions(self.device, self.threads, self.precision(recipe), set_flags(self.environment(0)))

    def environment(self, worker: int) -> dict[str, str]:
        """What a trainer needs to find in its environment before it imports TensorFlow."""
        common = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
        if self.device == "gpu":
            return common | {
                "CUDA_VISIBLE_DEVICES": self.gpus[worker % len(self.gpus)],
                "TF_FORCE_GPU_ALLOW_GROWTH": "true",
                # XLA compiles what it can of the loop; what it cannot, as the distortion of images, stays as it is.
                "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
            }
        return common | {
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_NUM_INTRAOP_THREADS": str(self.threads),
            "OMP_NUM_THREADS": str(self.threads),
            "TF_NUM_INTEROP_THREADS": "2",
            # Large pages where the system gives them to who asks: weights of megabytes fill few entries of the TLB.
            "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
        }


@cache
def machine() -> Machine:
    """Look at this machine; MNIST_DEVICE, MNIST_WORKERS, MNIST_THREADS and MNIST_PRECISION override what is chosen.

    Raise InvalidInput for an override that is not allowed.
    """
    gpus = gpu_capabilities()
    found, why = "cpu", "nvidia-smi shows no GPU"
    if gpus:
        capabilities = ", ".join(f"{capability:.1f}" for capability in gpus.values())
        found, why = "gpu", f"{len(gpus)} of compute capability {capabilities}"
    device = _choice("device", found, why, "MNIST_DEVICE", ("cpu", "gpu") if gpus else ("cpu",))
    if device.value == "gpu":
        count, why_count = len(gpus), "one for each GPU"
        why_one = "unused: the work is on the GPU"
        fast, why_fast = _gpu_precision(min(gpus.values()))
    else:
        gpus, count, why_count = {}, cores(), "one for each core; none has to wait for another"
        why_one = "of an operation: the result is then the same whatever else runs; two operations may run at once"
        fast, why_fast = _cpu_precision()
    workers = _choice("trainers", count, why_count, "MNIST_WORKERS")
    threads = _choice("threads", 1, why_one, "MNIST_THREADS")
    precision = _choice("precision", fast, f"of convolutions: {why_fast}", "MNIST_PRECISION", get_args(Precision))
    choices = (device, workers, threads, precision)
    return Machine(device.value, int(workers.value), precision.value, int(threads.value), tuple(gpus), choices)  # type: ignore[arg-type]


def _choice(name: str, value: str | int, why: str, variable: str, allowed: Sequence[str] = ()) -> Choice:
    """Return the value of the environment variable if it is set, one of `allowed` or else a number, or else `value`."""
    chosen = os.environ.get(variable)
    if not chosen:
        return Choice(name, str(value), why, variable)
    if not allowed and not (chosen.isdecimal() and 1 <= int(chosen) <= 256):
        raise InvalidInput(f"{variable}: {chosen!r} is not a whole number from 1 to 256.")
    if allowed and chosen not in allowed:
        raise InvalidInput(f"{variable}: {chosen!r} is not one of {', '.join(allowed)} on this machine.")
    return Choice(name, chosen, f"set by {variable}", variable)


def _gpu_precision(capability: float) -> tuple[Precision, str]:
    if capability >= 8.0:
        return "bfloat16", "GPUs of compute capability 8.0 and above have units for it"
    if capability >= 7.0:
        return "float16", "GPUs of compute capability 7.0 to 7.5 have units for it"
    return "float32", "GPUs below compute capability 7.0 have no units for less"


def _cpu_precision() -> tuple[Precision, str]:
    """Measured: bfloat16 convolutions are about twice as fast on AMD's AVX-512 unit, 1.6 times slower on Intel's."""
    vendor, flags = processor()
    if "amx_bf16" in flags:
        return "bfloat16", "the processor has AMX tiles for it"
    if "avx512_bf16" in flags and vendor == "AuthenticAMD":
        return "bfloat16", "the processor has AVX512_BF16 at full width"
    if "avx512_bf16" in flags:
        return "float32", "without AMX, this processor's bfloat16 convolutions are slower"
    return "float32", "the processor has no bfloat16 unit"
