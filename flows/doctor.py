"""`mnist doctor`."""

from rich import box
from rich.console import Console
from rich.table import Table

from mnist_models.workers.settings import machine


def print_diagnosis() -> None:
    """How this machine trains and why, and what would change that."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title="How trainings run here", title_justify="left")
    table.add_column("")
    table.add_column("chosen", no_wrap=True)
    table.add_column("why")
    table.add_column("to change it, set", no_wrap=True)
    for choice in machine().choices:
        table.add_row(choice.name, choice.value, choice.why, choice.variable)
    Console().print(table)
