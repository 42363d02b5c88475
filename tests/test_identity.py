"""What tells one training from another: an explicit list, of which each part is tried."""

import importlib.util
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_models import recipe_reference
from mnist_models.recipe import Augmentation, Optimizer
from mnist_models.recipe_catalog import find_recipe
from mnist_models.recipe_reference import normalised
from mnist_models.trainer_pool.machine import Machine
from mnist_models.training_run import identity
from mnist_models.training_run.identity import CODE, PACKAGE, Conditions, identity_of, identity_parts, set_flags
from mnist_models.training_run.plan import Training

CONDITIONS = Conditions("cpu", 1, "float32")
TRAINING = Training(find_recipe("softmax_regression"), 0, "digest", CONDITIONS)

# The result of a training does not depend on the code of these: they read and write what others compute.
NOT_CODE = {"__init__.py", "__main__.py", "model_file.py"}


def changed(**changes):
    return replace(TRAINING, **changes).identity


def with_recipe(**changes):
    return changed(recipe=replace(TRAINING.recipe, **changes))


def test_the_parts_are_these():
    parts = identity_parts(TRAINING.recipe, 0, "digest", CONDITIONS, None)
    assert list(parts) == [
        "recipe", "network", "seed", "data", "start", "precision", "device", "threads", "flags", "code", "libraries",
    ]  # fmt: skip
    assert identity_of(parts) == changed() == TRAINING.identity


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"data_digest": "other"},
        {"start": TRAINING},
        {"conditions": replace(CONDITIONS, device="gpu")},
        {"conditions": replace(CONDITIONS, threads=2)},
        {"conditions": replace(CONDITIONS, precision="bfloat16")},
        {"conditions": replace(CONDITIONS, flags=(("XLA_FLAGS", "x"),))},
    ],
    ids="-".join,
)
def test_whatever_decides_the_result_changes_it(changes):
    assert changed(**changes) != TRAINING.identity


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "naive_cross_entropy"},
        {"optimizer": Optimizer("sgd", 0.2)},
        {"batch_size": 64},
        {"steps": 999},
        {"steps": None, "epochs": 2},
        {"least_steps": 2},
        {"validations": 9},
        {"validation_fraction": 0.2},
        {"keep": "best"},
        {"continues": "conv_net"},
        {"diverges": True},
        {"convolutional": True},
        {"label_smoothing": 0.1},
        {"augmentation": Augmentation(shift=0.1)},
        {"name": "other"},
        {"network": find_recipe("conv_net").network},
    ],
    ids="-".join,
)
def test_every_setting_of_a_recipe_changes_it(changes):
    assert with_recipe(**changes) != TRAINING.identity


@pytest.mark.parametrize(
    "changes",
    [{"summary": "x"}, {"study": "x"}, {"suites": ("x",)}, {"notebook_row": "x"}, {"seconds": 99.0}],
    ids="-".join,
)
def test_a_note_changes_nothing(changes):
    assert with_recipe(**changes) == TRAINING.identity


def test_a_change_of_the_start_changes_what_continues_it():
    start = replace(TRAINING, seed=1)
    assert changed(start=start) != changed(start=TRAINING)


@pytest.mark.parametrize("library", ["keras", "numpy", "tensorflow"])
def test_the_version_of_a_library_that_computes_changes_it(monkeypatch, library):
    version = identity.version
    monkeypatch.setattr(identity, "version", lambda name: "9.9" if name == library else version(name))
    assert changed() != TRAINING.identity


@pytest.fixture
def nothing_set(monkeypatch):
    for name in [*os.environ]:
        if name.startswith(identity.FLAGS):
            monkeypatch.delenv(name)


MACHINES = (Machine("cpu", 2, "float32"), Machine("gpu", 1, "bfloat16", gpus=("0",)))


@pytest.mark.usefixtures("nothing_set")
def test_flags_are_those_that_a_trainer_finds(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--ours")
    monkeypatch.setenv("MLFLOW_PORT", "5000")
    assert set_flags({"TF_XLA_FLAGS": "2", "OMP_NUM_THREADS": "1"}) == (("TF_XLA_FLAGS", "2"), ("XLA_FLAGS", "--ours"))


@pytest.mark.usefixtures("nothing_set")
def test_where_nothing_is_set_only_our_own_compiler_counts():
    cpu, gpu = (set_flags(each.environment(0)) for each in MACHINES)
    assert cpu == ()
    assert gpu == (("TF_XLA_FLAGS", "--tf_xla_auto_jit=2"),)


@pytest.mark.fault(26)
@pytest.mark.usefixtures("nothing_set")
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.device)
@pytest.mark.parametrize(
    "name",
    [
        *("TF_ENABLE_ONEDNN_OPTS", "TF_SET_ONEDNN_FPMATH_MODE", "TF_DETERMINISTIC_OPS", "TF_CUDNN_USE_AUTOTUNE"),
        *("TF_FP16_CONV_USE_FP32_COMPUTE", "TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_LEVEL", "TF_USE_CUBLASLT"),
        *("XLA_FLAGS", "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "TF2_BEHAVIOR"),
        *("KERAS_MAX_EPOCHS", "KERAS_NNX_ENABLED", "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
        *("TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS_OF_TOMORROW", "TF_ENABLE_WHATEVER_COMES_NEXT"),
    ],
)
def test_a_variable_that_can_change_numbers_counts(monkeypatch, machine, name):
    before = set_flags(machine.environment(0))
    monkeypatch.setenv(name, "1")
    flags = set_flags(machine.environment(0))
    assert set(flags) - set(before) == {(name, "1")}
    assert changed(conditions=replace(CONDITIONS, flags=flags)) != changed(conditions=replace(CONDITIONS, flags=before))


@pytest.mark.usefixtures("nothing_set")
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.device)
@pytest.mark.parametrize(
    "name",
    [
        *("TF_CPP_MIN_LOG_LEVEL", "TF_CPP_VMODULE", "TF_DUMP_GRAPH_PREFIX", "DNNL_VERBOSE", "ONEDNN_VERBOSE"),
        *("TF_FORCE_GPU_ALLOW_GROWTH", "KERAS_HOME", "KERAS_BACKEND", "HOME", "MLFLOW_PORT", "OMP_NUM_THREADS"),
        *("TF_VAR_region", "TF_CLI_CONFIG_FILE", "TF_LOG", "TF_WORKSPACE", "TF_DATA_DIR"),  # Terraform's
    ],
)
def test_a_variable_that_changes_no_number_does_not_count(monkeypatch, machine, name):
    before = set_flags(machine.environment(0))
    monkeypatch.setenv(name, "1")
    assert set_flags(machine.environment(0)) == before


# Of those that TensorFlow reads: logs, memory, servers for many, profiles, and files.
NO_NUMBERS = (
    *(
        "TF_BFC_",
        "TF_CPP_",
        "TF_CPU_",
        "TF_CUDA_",
        "TF_DATA_",
        "TF_DEBUG_OPS_",
        "TF_DEVICE_MIN_",
        "TF_DUMP_",
        "TF_FORCE_",
    ),
    *("TF_GPU_", "TF_GRAPH_CACHING", "TF_JOB_NAME", "TF_NODE_FILE_", "TF_PER_DEVICE_", "TF_PFLR_", "TF_REALLY_LOAD_"),
    *(
        "TF_RUN_HANDLER_",
        "TF_TABLE_",
        "TF_WORKER_",
        "TF_ALLOCATOR_",
        "TF_ANNOTATE_",
        "TF_EAGER_",
        "TF_LOG_",
        "TF_COST_",
    ),
)


@pytest.mark.slow
def test_every_variable_that_tensorflow_reads_counts_or_is_known_to_change_no_number():
    """After an upgrade, this names what has come: add it to FLAGS, or here."""
    folder = Path(importlib.util.find_spec("tensorflow").origin).parent
    (library,) = folder.glob("libtensorflow_framework.so*")
    read = {name.decode() for name in re.findall(rb"\0(TF_[A-Z0-9_]{3,})\0", library.read_bytes())}
    assert len(read) > 60
    assert {name for name in read if not name.startswith((*identity.FLAGS, *NO_NUMBERS))} == set()


def test_the_list_of_code_names_all_of_the_trainer_but_what_only_reads_and_writes():
    trainer = {f"trainer/{file.name}" for file in (PACKAGE / "trainer").glob("*.py") if file.name not in NOT_CODE}
    assert trainer <= set(CODE)
    assert all((PACKAGE / name).is_file() for name in CODE)


def test_code_counts_and_comments_and_docstrings_do_not(tmp_path, monkeypatch):
    for name in CODE:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((PACKAGE / name).read_bytes())
    monkeypatch.setattr(identity, "PACKAGE", tmp_path)
    digest = identity.code_digest.__wrapped__
    before = digest()
    file = tmp_path / "trainer" / "losses.py"
    file.write_text('"""Another docstring."""\n\n# A comment.\n' + file.read_text().partition('"""\n')[2])
    assert digest() == before
    file.write_text(file.read_text() + "\nMORE = 1\n")
    assert digest() != before


def test_the_code_of_a_network_counts_with_what_it_imports_beside_it(tmp_path, monkeypatch):
    (tmp_path / "lab_net.py").write_text(
        "import lab_layers\n\n\ndef network(shape, classes):\n    from lab_more import more\n    return more\n"
    )
    for name in ("lab_layers", "lab_more", "lab_stranger"):
        (tmp_path / f"{name}.py").write_text('"""Parts."""\n\nmore = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    network = recipe_reference.resolve("lab_net:network")
    assert set(recipe_reference.source_files(network)) == {"lab_net", "lab_layers", "lab_more"}
    before = recipe_reference.source_digest(network)
    recipe_reference.content.cache_clear()
    (tmp_path / "lab_more.py").write_text('"""Other words."""\n\nmore = 1  # a comment\n')
    assert recipe_reference.source_digest(network) == before
    recipe_reference.content.cache_clear()
    (tmp_path / "lab_more.py").write_text("more = 2\n")
    assert recipe_reference.source_digest(network) != before


def test_a_function_that_is_nothing_but_a_docstring_stays_a_function(tmp_path):
    (tmp_path / "x.py").write_text('def f():\n    """Nothing."""\n')
    assert normalised((tmp_path / "x.py").read_bytes()) == "def f():\n    pass"
