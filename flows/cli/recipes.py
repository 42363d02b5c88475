"""`mnist recipes`."""

import json

from rich.table import Column

from flows.cli.tables import new_table
from mnist_models.recipe_catalog import all_recipes, all_suites, broken_files
from mnist_models.screen import Screen

NOTES = ("name", "summary", "suites", "continues", "seconds")


def print_recipes(as_json: bool = False) -> None:
    """What can be trained, with one line each, and the suites."""
    if as_json:
        listed = [{key: getattr(recipe, key) for key in NOTES} for recipe in all_recipes().values()]
        print(json.dumps({"recipes": listed, "suites": all_suites()}, indent=2))
        return
    console = Screen()
    table = new_table(Column("recipe", no_wrap=True), "what it is")
    for recipe in all_recipes().values():
        table.add_row(recipe.name, recipe.summary)
    console.print(table)
    for broken in broken_files():
        console.print(f"Warning: {broken.sentence}; its recipes are missing.", highlight=False)
    for suite, names in all_suites().items():
        console.print(f"suite {suite}: {', '.join(names)}", highlight=False)
