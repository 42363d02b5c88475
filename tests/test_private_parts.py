"""What we use of libraries beyond what they document: one list, each entry with a test that it is still as we need it.

After an upgrade, a failure here names the library, the part, and the file of ours to change.
"""

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flows.cli.up import OTHER_SERVERS
from tasks.config.settings import Settings
from tasks.tracking.model_format import VERSIONS

HOUSE = Path(__file__).resolve().parent.parent


class Part(NamedTuple):
    library: str
    name: str  # as it stands in our file
    file: str
    test: str


UP, OPTIMIZERS, TRACKER = "flows/cli/up.py", "mnist_models/trainer/optimizers.py", "tasks/tracking/tracker.py"
PARTS = (
    Part("honcho", "_processes", UP, "test_honcho_keeps_pid_and_status_and_terminates_by_our_method"),
    Part("prefect", "prefect.server.concurrency.lease_storage.filesystem", UP, "test_prefect_has_leases_on_disk"),
    Part("prefect", "handle_sigterm", "flows/deploy/runner.py", "test_prefects_runner_ends_by_handle_sigterm"),
    Part(
        "prefect", "EngineCommandStarter", "flows/deploy/runner.py", "test_prefects_runner_runs_the_command_it_is_given"
    ),
    Part("prefect", "prefect.engine", "flows/deploy/flow_run.py", "test_prefects_engine_is_a_program"),
    Part(
        "prefect",
        "flow_run_suspension_request",
        "tasks/flow_run/buttons.py",
        "test_prefect_tells_a_flow_that_it_is_suspended",
    ),
    Part(
        "prefect",
        "prefect._internal.concurrency",
        "tasks/config/calm_log.py",
        "test_prefects_services_tell_of_failures_there",
    ),
    Part(
        "prefect",
        "Finished in state Cancelled",
        "tasks/config/calm_log.py",
        "test_prefect_logs_the_end_of_a_task_in_these_words",
    ),
    Part(
        "prefect",
        "prefect.server.api.server.create_app",
        "tasks/servers/prefect_server.py",
        "test_prefects_server_can_be_made_without_services",
    ),
    Part(
        "prefect",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL",
        "flows/cli/launch.py",
        "test_prefects_console_is_silenced_by_a_variable",
    ),
    Part("mlflow", "json", "tasks/servers/health_check.py", "test_mlflow_keeps_a_refusal_that_is_not_its_own"),
    Part(
        "mlflow",
        "mlflow.system_metrics.system_metrics_monitor.SystemMetricsMonitor",
        "tasks/tracking/system_metrics.py",
        "test_mlflow_monitors_without_an_active_run",
    ),
    Part(
        "mlflow",
        "mlflow.system_metrics",
        "tasks/tracking/system_metrics.py",
        "test_mlflow_monitors_without_an_active_run",
    ),
    Part("mlflow", "mlflow.store.db.utils", TRACKER, "test_mlflow_logs_failed_statements_there"),
    Part("mlflow", "mlflow.store", "tasks/databases/mlflow_store.py", "test_mlflow_logs_failed_statements_there"),
    *(
        Part(
            "prefect",
            f"prefect.server.database.{name}",
            "tasks/databases/prefect_database.py",
            "test_prefects_database_is_migrated_by_its_interface",
        )
        for name in (
            "configurations.AioSqliteConfiguration",
            "dependencies.provide_database_interface",
            "dependencies.temporary_database_config",
        )
    ),
    Part("mlflow", "mlflow.data.context", TRACKER, "test_mlflow_knows_the_tags"),
    Part(
        "mlflow",
        "mlflow.models.utils._save_example",
        "tasks/tracking/model_format.py",
        "test_mlflow_stores_an_example_beside_the_model",
    ),
    Part("mlflow", "keras_module.txt", "tasks/tracking/model_format.py", "test_mlflow_stores_keras_models_as_we_do"),
    Part("mlflow", "mlflow.sharedViewState.", "tasks/tracking/experiment_page.py", "test_mlflows_ui_reads_our_views"),
    Part("mlflow", "viewStateShareKey", "tasks/tracking/links.py", "test_mlflows_ui_reads_our_views"),
    Part("keras", "_get_variable_index", OPTIMIZERS, "test_keras_adam_keeps_its_moments"),
    Part("keras", "_momentums", OPTIMIZERS, "test_keras_adam_keeps_its_moments"),
    Part("keras", "_velocities", OPTIMIZERS, "test_keras_adam_keeps_its_moments"),
    Part("tensorflow", "raw_ops.ResourceApplyAdam", OPTIMIZERS, "test_tensorflow_has_the_kernels"),
    Part(
        "tensorflow",
        "raw_ops.FusedBatchNormV3",
        "mnist_models/trainer/fused_batch_norm.py",
        "test_tensorflow_has_the_kernels",
    ),
    Part(
        "tensorflow",
        "raw_ops.SoftmaxCrossEntropyWithLogits",
        "mnist_models/trainer/losses.py",
        "test_tensorflow_has_the_kernels",
    ),
    Part("tensorflow", "raw_ops.Identity", "mnist_models/trainer/inference.py", "test_tensorflow_has_the_kernels"),
    Part(
        "tensorflow",
        "raw_ops.ImageProjectiveTransformV3",
        "mnist_models/trainer/augmentation.py",
        "test_tensorflow_has_the_kernels",
    ),
)

DOCUMENTED = {"_replace", "_asdict", "_fields", "_make", "_exit"}  # of named tuples, and os._exit
UNDOCUMENTED_MODULES = re.compile(
    r"^(mlflow\.(protos|server|store|system_metrics|tracking|utils|\w+\.utils)|prefect\.(server|utilities)|keras\.src"
    r"|tensorflow\.python|numpy\._core)\b"
)
UNDOCUMENTED_TEXT = re.compile(r"PREFECT__\w+|_MLFLOW_\w+|mlflow\.sharedViewState\.|viewStateShareKey")
OURS = ("flows", "tasks", "mnist_models")


def uses(tree: ast.AST) -> set[str]:
    """Return what a file's syntax tree uses of others that is private by its name or by its place."""
    nodes = [*ast.walk(tree)]
    ours = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    ours |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    ours |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    found = set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Attribute) and node.value.attr == "raw_ops":
                found.add(f"raw_ops.{node.attr}")
            if _is_private(node.attr) and node.attr not in ours | DOCUMENTED:
                found.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = {".".join([*module, alias.name]) for alias in node.names}
            found |= {
                name
                for name in names
                if name.partition(".")[0] not in OURS
                and (UNDOCUMENTED_MODULES.match(name) or any(map(_is_private, name.split("."))))
            }
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {match[0] for match in UNDOCUMENTED_TEXT.finditer(node.value)}
            if UNDOCUMENTED_MODULES.fullmatch(node.value) or re.fullmatch(r"[\w.]+", node.value):
                found |= {node.value} if UNDOCUMENTED_MODULES.match(node.value) else set()
    return found


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _source(module: str) -> str:
    """Return a module's text without importing it."""
    folder = Path(importlib.util.find_spec(module.partition(".")[0]).origin).parent
    return (folder.parent / f"{module.replace('.', '/')}.py").read_text()


def test_every_private_part_in_our_code_is_in_the_list():
    missing = [
        f"{file.relative_to(HOUSE)}: {name}"
        for package in OURS
        for file in sorted((HOUSE / package).rglob("*.py"))
        for name in sorted(uses(ast.parse(file.read_text())))
        if not any(part.file == str(file.relative_to(HOUSE)) and part.name.startswith(name) for part in PARTS)
    ]
    assert not missing, "use what the library documents, or add the part and a test of it to this file"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from mlflow.models import _thing", "mlflow.models._thing"),
        ("import prefect._internal.concurrency", "prefect._internal.concurrency"),
        ("from mlflow.utils.rest_utils import http_request", "mlflow.utils.rest_utils.http_request"),
        ("class A(B):\n    def f(self):\n        return self._theirs", "_theirs"),
        ("tf.raw_ops.Roll(x)", "raw_ops.Roll"),
        ("os.environ['PREFECT__SERVER_FINAL'] = '1'", "PREFECT__SERVER_FINAL"),
        ("logging.getLogger('mlflow.store.db')", "mlflow.store.db"),
    ],
    ids=str,
)
def test_each_kind_of_private_part_is_found(code, name):
    assert uses(ast.parse(code)) == {name}


def test_own_private_names_and_words_are_not_taken_for_a_librarys():
    own = (
        "class A:\n    def __init__(self):\n        self._x = 1\n    def _f(self):\n        return self._x\n    g = _f"
    )
    assert uses(ast.parse(f'"""About mlflow.store and so on."""\nfrom tasks.x import _y\n{own}')) == set()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.library}: {part.name}")
def test_the_list_is_true(part):
    text = (HOUSE / part.file).read_text()
    assert part.name in text or all(name in text for name in part.name.rsplit(".", 1)), (
        f"{part.file} does not use it any more: remove the entry"
    )
    assert part.test in globals()


SUPERVISED = """
from flows.cli.up import _Supervisor

supervisor = _Supervisor()
supervisor.add_process("first", "exit 3")
supervisor.add_process("flows", "exec sleep 600")
supervisor.loop()
print("first to end:", supervisor.first_to_end, supervisor.first_status())
"""


def test_honcho_keeps_pid_and_status_and_terminates_by_our_method():
    ran = subprocess.run([sys.executable, "-c", SUPERVISED], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert "first to end: first 3" in ran.stdout, ran.stderr
    assert "flows stopped (rc=-15)" in ran.stdout


def test_prefect_has_leases_on_disk():
    assert "\nclass ConcurrencyLeaseStorage(" in _source("prefect.server.concurrency.lease_storage.filesystem")


def test_prefects_runner_ends_by_handle_sigterm():
    from prefect.runner import Runner

    assert "signal.signal(signal.SIGTERM, self.handle_sigterm)" in inspect.getsource(Runner.start)
    assert [each.kind for each in inspect.signature(Runner.handle_sigterm).parameters.values()][1:] == [
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    ]


def test_prefects_runner_runs_the_command_it_is_given():
    from prefect.runner import runner
    from prefect.utilities.processutils import command_from_string

    assert inspect.signature(runner.EngineCommandStarter).parameters["command"].default is None
    assert "return EngineCommandStarter(" in _source("prefect.runner.runner")
    assert "command=" not in _source("prefect.runner.runner").partition("return EngineCommandStarter(")[2][:800]
    assert command_from_string("'a b' -P -m x.y") == ["a b", "-P", "-m", "x.y"]


def test_prefects_engine_is_a_program():
    assert 'if __name__ == "__main__":' in _source("prefect.engine")
    assert "return importlib.import_module(module_name)" in _source("prefect.utilities.importtools")


def test_prefect_tells_a_flow_that_it_is_suspended():
    from prefect.context import FlowRunContext

    request = FlowRunContext.model_fields["flow_run_suspension_request"].get_default(call_default_factory=True)
    assert request.is_requested() is False


def test_prefects_services_tell_of_failures_there():
    assert "from prefect._internal.concurrency import logger" in _source("prefect._internal.concurrency.services")


def test_prefect_logs_the_end_of_a_task_in_these_words():
    assert 'msg = f"Finished in state {display_state}"' in _source("prefect.task_engine")
    assert 'get_logger("prefect.task_runs")' in _source("prefect.logging.loggers")


def test_prefects_server_can_be_made_without_services():
    functions = {
        node.name: node for node in ast.parse(_source("prefect.server.api.server")).body if hasattr(node, "name")
    }
    assert {"ephemeral", "final"} <= {argument.arg for argument in functions["create_app"].args.args}
    words = " ".join((ast.get_docstring(functions["create_app"]) or "").split())
    assert "treated as ephemeral. The UI and services will be disabled." in words


def test_prefects_console_is_silenced_by_a_variable(monkeypatch):
    from prefect.logging import configuration

    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    config = configuration.load_logging_config(configuration.DEFAULT_LOGGING_SETTINGS_PATH)
    assert config["handlers"]["console"]["level"] == "CRITICAL"


def test_the_libraries_know_all_variables_that_we_set_or_read():
    """A name that a library has dropped does nothing, and says nothing."""
    from mlflow import environment_variables
    from prefect import settings

    # Above; `prefect.settings.sources`; `mlflow server --help`.
    elsewhere = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_PROFILE", "MLFLOW_BACKEND_STORE_URI"}
    elsewhere |= {*OTHER_SERVERS}
    assert '"PREFECT_PROFILE"' in _source("prefect.settings.sources")
    ours = {f"MLFLOW_{key.upper()}" for key in Settings.model_fields}
    names = {
        text
        for package in OURS
        for file in (HOUSE / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(text := getattr(node, "value", getattr(node, "arg", None)), str)
        and re.fullmatch(r"(PREFECT|MLFLOW)_[A-Z_]*[A-Z]", text)
    }
    assert len(names) > 20
    modules = {"PREFECT": settings, "MLFLOW": environment_variables}
    assert [name for name in names - ours - elsewhere if not hasattr(modules[name.partition("_")[0]], name)] == []


def test_mlflow_keeps_a_refusal_that_is_not_its_own():
    from mlflow.exceptions import RestException

    foreign = RestException({"message": "Unauthorized"})
    assert (foreign.json, foreign.get_http_status_code()) == ({"message": "Unauthorized"}, 500)
    assert RestException({"error_code": "PERMISSION_DENIED", "message": ""}).get_http_status_code() == 403


def test_mlflow_monitors_without_an_active_run():
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run_id="", tracking_uri="http://127.0.0.1:9")  # never started: nobody is asked
    assert monitor.aggregate_metrics() == {}
    monitor.collect_metrics()
    assert "cpu_utilization_percentage" in monitor.aggregate_metrics()
    for each in monitor.monitors:
        each.clear_metrics()
    assert monitor.aggregate_metrics() == {}


def test_mlflow_logs_failed_statements_there():
    assert re.search(r"^_logger = logging.getLogger\(__name__\)$", _source("mlflow.store.db.utils"), re.M)


def test_mlflow_knows_the_tags():
    from mlflow.utils import mlflow_tags

    assert mlflow_tags.MLFLOW_DATASET_CONTEXT == "mlflow.data.context"
    assert mlflow_tags.MLFLOW_MODEL_VERSIONS == VERSIONS


def test_prefects_database_is_migrated_by_its_interface():
    from prefect.server.database.interface import PrefectDBInterface

    assert "self.run_migrations_upgrade()" in inspect.getsource(PrefectDBInterface.create_db)


def test_mlflow_stores_an_example_beside_the_model(tmp_path):
    from mlflow.models import Model
    from mlflow.models.utils import _save_example

    model = Model()
    _save_example(model, np.zeros((1, 2, 2), np.uint8), str(tmp_path))
    assert model.saved_input_example_info["type"] == "ndarray"
    assert model.load_input_example(str(tmp_path)).tolist() == [[[0, 0], [0, 0]]]


def test_mlflow_stores_keras_models_as_we_do():
    for constant in ('_MODEL_SAVE_PATH = "model"', '_KERAS_MODULE_SPEC_PATH = "keras_module.txt"'):
        assert constant in _source("mlflow.keras.save")
    assert '_MODEL_DATA_PATH = "data"' in _source("mlflow.keras.save")
    for option in ('"data"', '"keras_version"', '"keras_backend"', '"save_exported_model"'):
        assert option in _source("mlflow.keras.save")


def test_mlflows_ui_reads_our_views():
    build = Path(importlib.util.find_spec("mlflow").origin).parent / "server" / "js" / "build"
    scripts = "".join(file.read_text() for file in build.rglob("*.js"))
    words = ["mlflow.sharedViewState.", "viewStateShareKey", "workflowType", "machine_learning", "plot_metric_keys"]
    words += ["selectedColumns", "columnOrder", "columnWidths", "orderByKey", "orderByAsc", "searchFilter"]
    words += ["groupByKeys", "groupByData", "aggregateFunction"]
    assert [word for word in words if word not in scripts] == []


@pytest.mark.slow
def test_keras_adam_keeps_its_moments():
    import keras

    adam, variables = keras.optimizers.Adam(), [keras.Variable([1.0]), keras.Variable([1.0, 2.0])]
    adam.build(variables)
    assert [adam._get_variable_index(variable) for variable in variables] == [0, 1]
    for moments in (adam._momentums, adam._velocities):
        assert [moment.shape for moment in moments] == [(1,), (2,)]
    assert [*inspect.signature(adam.update_step).parameters] == ["gradient", "variable", "learning_rate"]


@pytest.mark.slow
def test_tensorflow_has_the_kernels():
    import tensorflow as tf

    used = {
        "ResourceApplyAdam": "var m v beta1_power beta2_power lr beta1 beta2 epsilon grad",
        "FusedBatchNormV3": "x scale offset mean variance epsilon",
        "SoftmaxCrossEntropyWithLogits": "features labels",
        "Identity": "input",
        "ImageProjectiveTransformV3": "images transforms output_shape fill_value interpolation fill_mode",
    }
    for name, arguments in used.items():
        assert set(arguments.split()) <= set(inspect.signature(getattr(tf.raw_ops, name)).parameters)
