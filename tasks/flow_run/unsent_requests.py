"""Requests of which MLflow has not taken everything, kept on the disk until it has."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings
from tasks.flow_run.errors import RecipesFailed
from tasks.tracking.outage import NotSent, is_mlflows


@dataclass(frozen=True)
class Unsent:
    """A request as it was made, but for `force`: what was trained anew is not trained once more."""

    file: Path
    request: dict[str, Any]  # the train flow's parameters
    data_digest: str
    reason: str


def unsent_requests(settings: Settings) -> list[Unsent]:
    """All that are kept, oldest first.

    Raises:
        InvalidInput: a file that this pipeline has not written.
    """
    found = []
    for file in sorted(settings.unsent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns):
        try:
            content = json.loads(file.read_text())
            found.append(Unsent(file, dict(content["request"]), str(content["data_digest"]), str(content["reason"])))
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(f"{file}: is not a request that was kept; remove it.") from None
    return found


@contextmanager
def kept_until_sent(settings: Settings, request: Mapping[str, Any], data_digest: str) -> Iterator[None]:
    """Keep the request on the disk if the block fails because of MLflow, and clear it away once the block is through.

    Raises:
        NotSent: names the one command that sends what is missing.
    """
    kept = dict(request) | {"force": False}
    if kept["data"]:
        kept["data"] = str(Path(kept["data"]).resolve())
    name = hashlib.sha256(json.dumps([kept, data_digest], sort_keys=True).encode()).hexdigest()[:16]
    file = settings.unsent / f"{name}.json"
    try:
        yield
    except RecipesFailed:  # of which MLflow knows
        file.unlink(missing_ok=True)
        raise
    except Exception as error:
        if not is_mlflows(error):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        write_atomically(
            file, json.dumps({"request": kept, "data_digest": data_digest, "reason": reason}, indent=2) + "\n"
        )
        raise NotSent(
            f"MLflow does not do its part: {reason}; everything that was trained is in {settings.runs}, and"
            " `mnist sync` sends what is missing."
        ) from error
    file.unlink(missing_ok=True)
