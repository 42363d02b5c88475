"""The form that Prefect's dashboard shows for a flow."""

from collections.abc import Callable
from typing import Any, TypeVar

from prefect import Flow

SomeFlow = TypeVar("SomeFlow", bound=Flow[..., Any])


def form(**titles: str) -> Callable[[SomeFlow], SomeFlow]:
    """Give a flow's fields their titles; a field without one has use only for a command line, and is not shown.

    Help comes from the flow's docstring, bounds and choices from its annotations. A title in an annotation would be
    lost, because Prefect replaces it by the parameter's name.
    """

    def improve(flow: SomeFlow) -> SomeFlow:
        fields = flow.parameters.properties
        for name in [*fields]:
            if name in titles:
                fields[name]["title"] = titles[name]
            else:
                del fields[name]
        return flow

    return improve
