"""`mnist doctor`."""

from rich.console import Console

from flows.cli.tables import new_table
from mnist_models.trainer_pool.machine import machine
from tasks.config.settings import load_settings
from tasks.operations.doctor_checks import findings


def print_diagnosis() -> int:
    """How this machine trains and why, and what is wrong with it; gives the exit status, 1 if something is."""
    settings, console = load_settings(), Console()
    table = new_table("How trainings run here")
    table.add_column("")
    table.add_column("chosen", no_wrap=True)
    table.add_column("why")
    table.add_column("to change it, set", no_wrap=True)
    for choice in machine().choices:
        table.add_row(choice.name, choice.value, choice.why, choice.variable)
    console.print(table)
    found = findings(settings)
    if not found:
        console.print("Nothing is wrong: disk, ports, versions, store, and no run is stale or unsent.")
        return 0
    wrong = new_table("What is wrong")
    wrong.add_column("", overflow="fold")
    wrong.add_column("what to do", overflow="fold")
    for each in found:
        wrong.add_row(each.what, each.remedy)
    console.print(wrong)
    return 1
