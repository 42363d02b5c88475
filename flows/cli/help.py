"""Help at the command line: the list of commands, and what a shell completes."""

import inspect
from typing import Any

from typer.core import TyperGroup


class WholeHelp(TyperGroup):
    """A group that lists its commands with the whole first paragraph of each help text, wrapped and never cut."""

    def get_command(self, *arguments: Any) -> Any:
        """Return a command, as the base class does."""
        command = super().get_command(*arguments)
        if command is not None and not command.short_help:
            command.short_help = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())
        return command


def complete_suite(incomplete: str) -> list[str]:
    """Return the suites whose names begin so."""
    from mnist_models.recipe_catalog import all_suites

    return _beginning(incomplete, [*all_suites()])


def complete_recipes(incomplete: str) -> list[str]:
    """Return what a list of recipes, with commas between them, can go on with."""
    from mnist_models.recipe_catalog import all_recipes

    before, comma, last = incomplete.rpartition(",")
    chosen = before.split(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, [*all_recipes()]) if name not in chosen]


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
