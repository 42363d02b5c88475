"""What a flow run is called in Prefect, and its tags: by them the dashboard is searched, and they say whose it is."""

import logging
import re
from collections.abc import Iterable

from prefect import runtime
from prefect.client.orchestration import get_client

from tasks.config.settings import Settings

logger = logging.getLogger(__name__)

GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi"
    "|psi|omega"
)
# The names that Prefect makes up: its server such as furry-bullfrog, its forms such as nu34-aquarii-matalas.
GENERATED = re.compile(rf"[a-z]+-[a-z]+|(?:{GREEK})[0-9]*(?:-[a-z]+){{1,2}}")


def run_name(ours: str) -> str:
    """Return the name that the user has given to the flow run that begins, or ours if he has given none."""
    given = runtime.flow_run.name or ""
    return given if given and not GENERATED.fullmatch(given) else ours


def project_tag(settings: Settings) -> str:
    """Return the tag that all flow runs and deployments of a project have."""
    return f"project:{settings.project_name}"


def add_tags(*tags: str) -> None:
    """Add tags to the flow run that is going on; a server that is away costs it the tags only."""
    try:
        present: Iterable[str] = runtime.flow_run.tags or []
        if missing := [tag for tag in tags if tag not in present]:
            with get_client(sync_client=True) as client:
                client.update_flow_run(runtime.flow_run.id, tags=[*present, *missing])
    except Exception as error:
        logger.warning("the flow run lacks tags, because Prefect takes none for now: %s", error)
