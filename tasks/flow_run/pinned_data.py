"""The version of a named data set that a flow run uses, whatever is added to the data set meanwhile."""

from dataclasses import replace

from prefect import runtime

from mnist_models.data.sets.names import Reference, named_version
from tasks.config.settings import Settings
from tasks.flow_run.request import TrainRequest

TAG = "data:"


def with_pinned_data(settings: Settings, request: TrainRequest) -> TrainRequest:
    """Return the request with the version that a name means now, or meant when this flow run began the first time.

    The flow run's tags remember it (`pinned_data_tags`), because one that is retried has its old parameters. Raise
    InvalidInput as `named_version`.
    """
    now = named_version(request.data, settings.named_sets)
    if now is None:
        return request
    is_stated = str(now) == request.data
    return replace(request, data=str(now if is_stated else _noted(now) or now))


def pinned_data_tags(settings: Settings, request: TrainRequest) -> list[str]:
    """Return the tag of a flow run that says which version it uses; none for other data."""
    return [f"{TAG}{request.data}"] if named_version(request.data, settings.named_sets) else []


def _noted(now: Reference) -> Reference | None:
    """Return the version of the same data set that an earlier try has noted."""
    start = f"{TAG}{now.name}@"
    noted = (tag.removeprefix(start) for tag in runtime.flow_run.tags or [] if tag.startswith(start))
    return next((Reference(now.name, int(number)) for number in noted if number.isdecimal()), None)
