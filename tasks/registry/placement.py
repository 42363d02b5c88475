"""Whether the pipeline or a person has put the champion where it is; aliases in MLflow have no history of their own."""

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from tasks.registry.champion import champion_version, is_missing
from tasks.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

MEMORY = "pipeline.placement"  # tag of the registered model
ROLLED_BACK = "rolled_back"  # tag of a version: why it does not return by itself
BY_HAND = {"decision": "put there by hand"}
MOST_VERSIONS = 1000


@dataclass(frozen=True)
class Placement:
    """Where the alias was last seen."""

    versions: tuple[str, ...]  # one, or two while the pipeline moves it; an empty text for no version
    newest: int | None = None  # when a person was seen to have moved it: the newest version; None if nobody has

    def moved_by_hand_to(self, version: str) -> bool:
        """Whether only a person can have put it there."""
        return version not in self.versions


def observe(tracker: Tracker) -> "tuple[ModelVersion | None, Placement]":
    """Return the version that serves, and how it came there; a move by hand is noted for good.

    Whoever calls this holds the lock of promotions; other machines do not, and so it looks until nothing moves.
    """
    client, name = tracker.client, tracker.settings.registered_model
    before = _recall(client, name)
    while True:
        serving = champion_version(tracker)
        memory = _recall(client, name)
        if memory == before:
            break
        before = memory
    now = str(serving.version) if serving else ""
    if memory is None:  # a model that has no champion yet, or got it before moves were noted
        memory = Placement((now,))
        if serving is not None:
            remember(client, name, memory)
    if memory.moved_by_hand_to(now):
        memory = _note_move(client, name, memory, serving)
    return serving, memory


def remember(client: "MlflowClient", name: str, placement: Placement) -> None:
    """Note where the alias is, or is about to be."""
    client.set_registered_model_tag(name, MEMORY, json.dumps(asdict(placement)))


def refusal(placement: Placement, twins: "list[ModelVersion]") -> str | None:
    """Say why a candidate may not take the champion's place although it may be better; None if nothing forbids it.

    `twins` are the versions that the same training has already, be it that it was run again.
    """
    for twin in twins:
        if why := twin.tags.get(ROLLED_BACK):
            return f"{why}, and what was rolled back does not return by itself; to bring it back, give it the alias"
    known = [int(twin.version) for twin in twins]
    if placement.newest is not None and known and min(known) <= placement.newest:
        return (
            f"a person has decided which version serves when version {min(known)}, the same training, was there"
            " already; only a new one can take its place"
        )
    return None


def twins(client: "MlflowClient", name: str, run_id: str, identity: str) -> "list[ModelVersion]":
    """Return the versions of a training, oldest first: of its run, or of another run of the same identity."""
    found = client.search_model_versions(f"name='{name}'", MOST_VERSIONS, ["version_number ASC"])
    return [each for each in found if each.run_id == run_id or each.tags.get("identity") == identity]


def _recall(client: "MlflowClient", name: str) -> Placement | None:
    from mlflow.exceptions import MlflowException

    try:
        noted = client.get_registered_model(name).tags.get(MEMORY)
        found = Placement(**json.loads(noted)) if noted else None
    except (ValueError, TypeError):  # somebody has changed it
        return None
    except MlflowException as error:
        if not is_missing(client, name, error):
            raise
        return None
    return replace(found, versions=tuple(found.versions)) if found else None


def _note_move(client: "MlflowClient", name: str, memory: Placement, serving: "ModelVersion | None") -> Placement:
    """Mark the version that a person has taken the alias from, and the one that has it now."""
    from mlflow.exceptions import MlflowException

    now = str(serving.version) if serving else ""
    place = f"put version {now} in its place" if now else "taken the alias away from it"
    for version in memory.versions:
        try:
            if version:
                client.set_model_version_tag(name, version, ROLLED_BACK, f"a person has {place}")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":  # deleted, which takes the alias away as well
                raise
    if serving is not None:
        if ROLLED_BACK in serving.tags:
            client.delete_model_version_tag(name, now, ROLLED_BACK)
        before = next((f"in the place of version {each}" for each in memory.versions if each), "where none was")
        for key, value in {**BY_HAND, "reason": f"a person has put it {before}"}.items():
            client.set_model_version_tag(name, now, key, value)
    logger.warning(
        "a person has made version %s of %s the champion; it stays until a new one is better", now or "–", name
    )
    latest = client.search_model_versions(f"name='{name}'", 1, ["version_number DESC"])
    placement = Placement((now,), max((int(each.version) for each in latest), default=0))
    remember(client, name, placement)
    return placement
