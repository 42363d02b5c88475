"""The tables of docs/speed.md, from docs/benchmarks.json.

python benchmarks/report.py
"""

from typing import Any

from documents import SPEED, replace_block
from measurements import kept


def _suite(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    ours = f"{it['pipeline_seconds']:,.0f} s"
    return [
        ("all rows of the notebook, against a plain Keras script", f"{it['times_plain']:.2f}× faster"
         f" ({ours}, {it['plain_seconds']:,.0f} s)", "2.5×"),
        ("the same, against a tutorial's Prefect and MLflow pipeline", f"{it['times_tutorial']:.2f}× faster"
         f" ({ours}, {it['tutorial_seconds']:,.0f} s)", "3×"),
    ]  # fmt: skip


def _fixed(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    seconds = it["seconds"]
    cold, warm = seconds["empty flow, cold"], seconds["empty flow, warm"]
    more = ", ".join(f"{kind} {value:.2f} s" for kind, value in it.get("one_more_recipe_core_seconds", {}).items())
    return [
        ("one tiny recipe, cold, over an empty Prefect flow", f"{it['cold']:.2f}× of {cold:.1f} s", "≤ 1.5×"),
        ("one tiny recipe, warm, over an empty Prefect flow", f"{it['warm']:.2f}× of {warm:.1f} s", "≤ 1.5×"),
        ("`quick`, all of it reused, over an empty Prefect flow", f"{it['reused']:.2f}×", "≤ 1.25×"),
        ("one more tiny recipe", f"{it['one_more_recipe']:.2f} s", "≤ 1.0 s"),
        *([("processor time of one more tiny recipe", more, "–")] if more else []),
        ("the first line that `mnist train` prints", f"after {it['first_line']:.1f} s", "≤ 2 s"),
        ("`mnist --help`", f"{it['help']:.2f} s", "≤ 0.5 s"),
    ]


def _accuracy(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    lines = [
        (
            "`fast_conv_net` to the end: test accuracy over five seeds, training",
            f"{it['final_accuracy_mean']:.2%} ± {it['final_accuracy_sd'] * 100:.2f}, {it['training_seconds']:.1f} s",
            "99.24 % in 20 s",
        )
    ]
    for level in ("99.00%", "99.24%"):
        if level in it:
            training, command = it[level]["training_seconds"], it[level]["seconds_from_command"]
            lines.append((f"until {level} on the test set: training, from the command",
                          f"{training:.1f} s, {command:.1f} s", "–"))  # fmt: skip
    if "times_less_training" in it:
        lines.append(("less training than the notebook's rows 8 and 9", f"{it['times_less_training']:.0f}×", "30×"))
    return lines


def _growth(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    lines = []
    for name, slopes in it["slopes"].items():
        result = it["results"][name]
        lines.append((
            f"ten times the {name}: slope of time, of the store; the flow's memory",
            f"{slopes['command_seconds']:.2f}, {slopes['store_mb']:.2f}; {result['flow_peak_mb']:.0f} MB",
            "≤ 1; ≤ 400 MB",
        ))  # fmt: skip
    return lines


def _tracking(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [("training, slowed by tracking", f"{it['slower_by']:+.1%}", "≤ 2 %")]


def _throughput(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    least = {"float32": "≥ 60 %", "bfloat16": "≥ 50 %"}
    return [
        (
            f"`{name}` in {precision}, share of a matrix product's {it['ceiling_gflops'][precision]:.0f} GFLOP/s",
            f"{figures['share_of_ceiling']:.0%} ({figures['milliseconds_per_step']:.0f} ms a step)",
            least[precision],
        )
        for name, both in it["recipes"].items()
        for precision, figures in both.items()
    ]


def _precision(it: dict[str, Any]) -> list[tuple[str, str, str]]:
    spread = max(it["float32"]["sd"], it["bfloat16"]["sd"])
    return [
        ("bfloat16 less float32, `fast_conv_net`, five seeds", f"{it['difference'] * 100:+.3f} points",
         f"within the spread, {spread * 100:.3f}"),
    ]  # fmt: skip


SECTIONS = {
    "notebook_suite": _suite,
    "fixed_costs": _fixed,
    "time_to_accuracy": _accuracy,
    "growth": _growth,
    "tracking_cost": _tracking,
    "throughput": _throughput,
    "precision": _precision,
}


def _profile(it: dict[str, Any]) -> list[str]:
    """One column for each recipe, one line for each operation."""
    precision, operations = it["precision"], it["operations"]
    names = list(operations)
    lines = [f"| ms a step, {precision} | {' | '.join(f'`{name}`' for name in names)} |", f"|---|{'--:|' * len(names)}"]
    for operation in [*dict.fromkeys(key for each in operations.values() for key in each if key != "others"), "others"]:
        cells = (f"{operations[name][operation]:.1f}" if operation in operations[name] else "" for name in names)
        lines.append(f"| {operation} | {' | '.join(cells)} |")
    return lines


def write_table() -> None:
    """Write a row for each measurement that docs/benchmarks.json holds."""
    figures = kept()
    lines = ["| what | measured | to reach |", "|---|---|---|"]
    for name, section in SECTIONS.items():
        if name in figures:
            lines += [f"| {what} | {measured} | {target} |" for what, measured, target in section(figures[name])]
    if "step_profile" in figures:
        lines += ["", *_profile(figures["step_profile"])]
    replace_block(SPEED, "benchmarks", "\n".join(lines) + "\n")


if __name__ == "__main__":
    write_table()
