"""What the classes of a data set are called where nothing around a name says that it is a class."""

from collections.abc import Sequence

from mnist_models.shown_text import shortened

SHOWN, LONGEST = 8, 40  # names in a sentence, and characters of each


def are_numbers(class_names: Sequence[str]) -> bool:
    """Return whether all names are numbers, of which nobody sees by themselves that they name classes."""
    return all(name.isdecimal() for name in class_names)


def class_titles(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, or "class 3" for each where they are numbers."""
    return tuple(f"class {name}" for name in class_names) if are_numbers(class_names) else tuple(class_names)


def listed(class_names: Sequence[str]) -> str:
    """Return "3 classes: circle, square, triangle", with the first of many names; no names where they are numbers."""
    count = f"{len(class_names):,} classes"
    if are_numbers(class_names):
        return count
    names = [shortened(name, LONGEST) for name in class_names[:SHOWN]]
    more = f" and {len(class_names) - SHOWN:,} more" if len(class_names) > SHOWN else ""
    return f"{count}: {', '.join(names)}{more}"
