"""`mnist data add` and `mnist data remove`: a new version of a named data set."""

from collections.abc import Mapping
from dataclasses import replace

from mnist_models.data.loader import add_to_set
from mnist_models.data.sets.add import Addition
from mnist_models.data.sets.names import checked_set_name
from mnist_models.data.sets.remove import remove
from mnist_models.data.sets.versions import Version
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.processes.temporary_folder import check_temporary_folder
from mnist_models.screen import Screen
from mnist_models.shown_text import in_title
from tasks.config.settings import load_settings

MOST_CLASSES = 5  # that are named in a list


def run_add(name: str, paths: list[str], transposed: bool = False) -> int:
    """Add what lies at the paths; return the exit status."""
    if not paths:
        raise InvalidInput(f"data: give what to add: `mnist data add {in_title(name) or 'NAME'} PATH…`.")
    settings, console = load_settings(), Screen()
    check_temporary_folder()
    options = replace(settings.data_options, transposed=transposed)
    addition = Addition(checked_set_name(name), tuple(paths), options)
    added = add_to_set(settings.named_sets, addition, console.print)
    for note in added.notes:
        console.print(f"Of what was given, {note}.", highlight=False)
    if not added.is_new:
        console.print(f"{added.version} holds all of it already; nothing has changed.", highlight=False)
        return 0
    console.print(described(added.version), highlight=False)
    console.print(f"`mnist train --data {name}` trains on it.", highlight=False)
    return 0


def run_remove(name: str, wanted: list[str]) -> int:
    """Make a version without some images; return the exit status."""
    if not wanted:
        raise InvalidInput(f"data: say what to remove: `mnist data remove {in_title(name) or 'NAME'} IMAGE…`.")
    settings, console = load_settings(), Screen()
    try:
        version = remove(settings.named_sets, name, wanted, console.print)
    except OSError as error:
        raise Unavailable(f"The data set {in_title(name)} cannot be written: {error.strerror or error}.") from error
    console.print(described(version), highlight=False)
    return 0


def described(version: Version) -> str:
    """Say what a version is, on one line."""
    train, test = (version.parts.get(part, 0) for part in ("train", "test"))
    validation = version.parts.get("validation", 0)
    sides = (
        f"{train:,} to train on, " + (f"{validation:,} to validate on, " if validation else "") + f"{test:,} to test"
    )
    return f"{version}: {changes_of(version)}. It holds {version.images:,} images: {sides}."


def changes_of(version: Version) -> str:
    """Say what a version has changed, the classes with most change first."""
    counts = (("added", version.added), ("removed", version.removed))
    said = [f"{sum(each.values()):,} {word} ({_classes(each)})" for word, each in counts if each]
    if version.relabelled:
        pairs = {f"{before} → {after}": count for before, after, count in version.relabelled}
        said.append(f"{sum(pairs.values()):,} relabelled ({_classes(pairs)})")
    return "; ".join(said) or "sides or groups only"


def _classes(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    more = f" and {len(ordered) - MOST_CLASSES:,} more" if len(ordered) > MOST_CLASSES else ""
    return ", ".join(f"{in_title(name)} {count:,}" for name, count in ordered[:MOST_CLASSES]) + more
