"""`mnist data log`: the versions of a named data set, what each has changed, and which runs have used it."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.filesize import decimal
from rich.table import Column

from flows.cli.data.sets import changes_of
from flows.cli.tables import new_table
from mnist_models.data.sets.names import existing, set_names
from mnist_models.data.sets.versions import Version, all_versions
from mnist_models.redaction import redacted
from mnist_models.screen import Screen
from mnist_models.shown_text import in_title
from tasks.config.settings import Settings, load_settings
from tasks.tracking.set_users import SetUser, users_of

MOST_RUNS = 3  # that are named

Users = dict[str, list[SetUser]]


def run_log(name: str = "", as_json: bool = False) -> int:
    """Print the versions, the newest first, or without a name all data sets; return the exit status."""
    settings = load_settings()
    if not name:
        _print_sets(settings, as_json)
        return 0
    existing(name, settings.named_sets)
    versions = all_versions(settings.named_sets, name)[::-1]
    with Screen(stderr=True).status("Asking MLflow", refresh_per_second=4):  # on a terminal only
        users, away = _users(settings, name)
    if as_json:
        print(json.dumps({"name": name, "versions": [_plain(each, users, away) for each in versions]}, indent=2))
        return 0
    console = Screen(highlight=False)
    headings = ("version", "images", "what has changed", "used by")
    table = new_table(*(Column(heading, overflow="fold") for heading in headings))
    for each in versions:
        about = f"{each}\n{_moment(each)}\n{each.digest[:12]}"
        said = f"{changes_of(each)}\n{'without' if each.removed else 'from'} {in_title(', '.join(each.sources))}"
        table.add_row(about, f"{each.images:,}\n{decimal(each.size)}", said, "?" if away else _runs(users, each))
    console.print(table)
    if away:
        console.print(f"Which runs have used it is not known, because MLflow does not answer: {away}.")
    return 0


def _users(settings: Settings, name: str) -> tuple[Users, str]:
    """Return who has used each version, or why that is not known."""
    from tasks.servers.health_check import check_reachable
    from tasks.tracking.outage import is_mlflow_error

    try:
        check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
        return users_of(settings, name), ""
    except Exception as error:
        if not isinstance(error, OSError) and not is_mlflow_error(error):
            raise
        return {}, redacted(in_title(str(error)).rstrip("."))


def _runs(users: Users, version: Version) -> str:
    found = users.get(str(version.number), [])[::-1]
    named = [f"{in_title(each.name)} ({_counted(len(each.trainings))})" for each in found[:MOST_RUNS]]
    more = [f"and {len(found) - MOST_RUNS:,} more"] if len(found) > MOST_RUNS else []
    return "\n".join([*named, *more]) or "no run"


def _counted(trainings: int) -> str:
    return {0: "no new training", 1: "1 training"}.get(trainings, f"{trainings} trainings")


def _moment(version: Version) -> str:
    return f"{datetime.fromisoformat(version.made).astimezone():%d %b %Y %H:%M}"


def _plain(version: Version, users: Users, away: str) -> dict[str, Any]:
    """Return a version as JSON-able values; `runs` is null if it is not known."""
    runs = None if away else [asdict(each) for each in users.get(str(version.number), [])]
    return version.to_json() | {"images": version.images, "runs": runs}


def _print_sets(settings: Settings, as_json: bool) -> None:
    newest = [all_versions(settings.named_sets, name)[-1] for name in set_names(settings.named_sets)]
    if as_json:
        print(json.dumps({"sets": [each.to_json() | {"images": each.images} for each in newest]}, indent=2))
        return
    console = Screen(highlight=False)
    if not newest:
        console.print("There is no data set yet; `mnist data add NAME PATH` makes one.")
        return
    table = new_table(Column("newest version", no_wrap=True), "images", "classes", "size")
    for each in newest:
        table.add_row(str(each), f"{each.images:,}", f"{len(each.classes):,}", decimal(each.size))
    console.print(table)
