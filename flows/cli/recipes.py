"""`mnist recipes`."""

from rich.console import Console

from flows.cli.tables import new_table
from mnist_models.recipe_catalog import all_recipes, all_suites


def print_recipes() -> None:
    """What can be trained, with one line each, and the suites."""
    console = Console()
    table = new_table()
    table.add_column("recipe", no_wrap=True)
    table.add_column("what it is")
    for recipe in all_recipes().values():
        table.add_row(recipe.name, recipe.summary)
    console.print(table)
    for suite, names in all_suites().items():
        console.print(f"suite {suite}: {', '.join(names)}", highlight=False)
