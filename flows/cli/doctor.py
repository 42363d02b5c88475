"""`mnist doctor`."""

import json
from dataclasses import asdict

from rich.table import Column

from flows.cli.tables import new_table
from mnist_models.screen import Screen
from mnist_models.trainer_pool.machine import machine
from tasks.config.settings import load_settings
from tasks.operations.doctor_checks import findings


def print_diagnosis(as_json: bool = False) -> int:
    """How this machine trains and why, and what is wrong with it; gives the exit status, 1 if something is."""
    settings, console = load_settings(), Screen()
    if as_json:
        wrong = [finding._asdict() for finding in findings(settings)]
        choices = [asdict(choice) for choice in machine().choices]
        print(json.dumps({"choices": choices, "findings": wrong}, indent=2))
        return int(bool(wrong))
    chosen, variable = Column("chosen", no_wrap=True), Column("to change it, set", no_wrap=True)
    table = new_table("", chosen, "why", variable, title="How trainings run here")
    for choice in machine().choices:
        table.add_row(choice.name, choice.value, choice.why, choice.variable)
    console.print(table)
    found = findings(settings)
    if not found:
        console.print(
            "Nothing is wrong: disk, ports, versions, store, variables and recipes, and no run is stale or unsent."
        )
        return 0
    remedies = new_table(Column(overflow="fold"), Column("what to do", overflow="fold"), title="What is wrong")
    for finding in found:
        remedies.add_row(*finding)
    console.print(remedies)
    return 1
