"""What decides the result of a training, and so tells it from all others: an explicit list.

A training whose identity is known and whose result is intact is not trained again. So whatever changes a weight by
one bit belongs here, and whatever does not, such as a comment, must not.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mnist_models.recipe import Recipe
from mnist_models.recipe_reference import normalised
from mnist_models.training_run.job import Precision

PACKAGE = Path(__file__).resolve().parent.parent
CODE = (
    "data/split.py",
    "evaluation/predicted_class.py",
    "trainer/augmentation.py",
    "trainer/batch_order.py",
    "trainer/checkpoint.py",
    "trainer/divergence.py",
    "trainer/fused_batch_norm.py",
    "trainer/half_batches.py",
    "trainer/inference.py",
    "trainer/loop.py",
    "trainer/losses.py",
    "trainer/optimizers.py",
    "trainer/setup.py",
    "trainer/training.py",
    "training_run/schedules.py",
)
"""The code that decides a result: the data order, the steps, and the rule that picks the best checkpoint."""

LIBRARIES = ("keras", "numpy", "tensorflow")

FLAGS = (
    *("TF_AUTO", "TF_CONV2D_", "TF_CUBLAS_", "TF_CUDNN_", "TF_DEBUG_CUDNN_", "TF_DETERMINISTIC_", "TF_DISABLE_"),
    *(
        "TF_ENABLE",
        "TF_FP16_",
        "TF_FUNCTION_",
        "TF_JIT",
        "TF_MATMUL_",
        "TF_MIN_GPU_",
        "TF_MKL_",
        "TF_NUM_",
        "TF_ONEDNN_",
    ),
    *("TF_OVERRIDE_", "TF_SET_", "TF_TRT_", "TF_USE_", "TF_XLA_", "TF2_", "XLA_", "ONEDNN_", "DNNL_", "KERAS_"),
    *("NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
)
"""How environment variables begin by which TensorFlow and Keras may compute other numbers; there are about a hundred.

All that begin with TF_ would be too many: Terraform's do, too.
"""

NEUTRAL = (
    *("ONEDNN_VERBOSE", "DNNL_VERBOSE"),  # what is written about the work
    "KERAS_HOME",  # a trainer has one of its own
)
"""How those of them begin that change no number."""

OURS = ("TF_XLA_FLAGS",)
"""What we set ourselves and counts; the rest of what a trainer finds set by us is in `Conditions`, or neutral."""


@dataclass(frozen=True)
class Conditions:
    """How a machine computes, as far as the result depends on it."""

    device: str  # "cpu" or "gpu"
    threads: int  # of an operation: more than one sum in another order
    precision: Precision
    flags: tuple[tuple[str, str], ...] = ()  # see `set_flags`


def set_flags(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables of FLAGS that a trainer finds set, by name, given what we add to its environment."""
    together = os.environ | dict(environment)
    return tuple(
        (name, together[name])
        for name in sorted(together)
        if name.startswith(FLAGS) and not name.startswith(NEUTRAL) and (name in OURS or name not in environment)
    )


def identity_parts(
    recipe: Recipe, seed: int, data_digest: str, conditions: Conditions, start: str | None
) -> dict[str, Any]:
    """Return all that the identity is made of, as JSON-able values; `start` is that of the training it continues."""
    return {
        "recipe": recipe.parameters(),
        "network": recipe.network_digest,
        "seed": seed,
        "data": data_digest,
        "start": start,
        "precision": conditions.precision,
        "device": conditions.device,
        "threads": conditions.threads,
        "flags": dict(conditions.flags),
        "code": code_digest(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def identity_of(parts: Mapping[str, Any]) -> str:
    """SHA-256 over `identity_parts`, as 64 hex digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def code_digest() -> str:
    """SHA-256 over CODE without comments and docstrings, as 64 hex digits."""
    return hashlib.sha256("\n".join(normalised((PACKAGE / name).read_bytes()) for name in CODE).encode()).hexdigest()
