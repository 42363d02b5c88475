"""What typer lacks: whole help texts, the names that a shell completes, and pipes that may break."""

import inspect
from typing import Any

from typer.core import TyperGroup


class PipeBroken(Exception):
    """A broken pipe on its way past typer, which would take it for that of standard output and end in silence."""

    def __init__(self, cause: BrokenPipeError) -> None:
        super().__init__()
        self.cause = cause


class Commands(TyperGroup):
    """The commands, listed with the whole first paragraph of each help text, wrapped and never cut."""

    def invoke(self, *arguments: Any) -> Any:
        """Run a command, as the base class does; raise PipeBroken instead of BrokenPipeError."""
        try:
            return super().invoke(*arguments)
        except BrokenPipeError as error:
            raise PipeBroken(error) from None

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
