"""`mnist export`."""

import json
from dataclasses import asdict

from flows.cli.launch import check_servers, quiet_settings
from mnist_models.screen import Screen
from mnist_models.trainer_pool.cancellation import Cancellation
from tasks.config.settings import with_model
from tasks.flow_run.early_start import new_backend
from tasks.supervision.model_export import check_format, data_of, export_version, output_path


def run_export(version: str, format: str, output: str, model: str, data: str, as_json: bool) -> int:
    """Write a registered version in another format, and print how well both agree; return the exit status."""
    settings = with_model(quiet_settings(), model)
    check_format(format)
    check_servers(settings)
    from tasks.registry.named_version import named_version
    from tasks.tracking.tracker import Tracker

    tracker = Tracker(settings)
    console = Screen(stderr=True)
    registered = named_version(tracker, version)
    path = output_path(output, format, f"{registered.name}-{registered.version}")
    backend = new_backend(settings, Cancellation())
    try:
        backend.start(1)
        with console.status(f"Writing version {registered.version}", refresh_per_second=4):  # on a terminal only
            folder = data_of(settings, registered, data, console.print)
            agreement = export_version(tracker, backend, registered, folder, format, path)
    finally:
        backend.close()
    if as_json:
        print(
            json.dumps({"output": str(path), "format": format, "version": str(registered.version), **asdict(agreement)})
        )
        return 0
    size = f"{agreement.bytes / 1e6:,.1f} MB"
    Screen().print(f"{path}: version {registered.version} as {format}, {size}; {agreement.in_words()}.", soft_wrap=True)
    return 0
