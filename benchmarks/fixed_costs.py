"""What the pipeline costs besides training, against an empty Prefect flow in the same state.

Cold: an empty home and state, so that the data is downloaded and both databases are created. Warm: the same again.

python benchmarks/fixed_costs.py [--fraction 0.1]
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from measurements import fraction_asked, keep
from sandbox import RECIPES, ROOT, Place

MANY = 9  # of the recipes in benchmarks/recipes/tiny.py
KINDS = ("command", "server", "trainer", "drawing")
EMPTY = str(ROOT / "benchmarks" / "empty_flow.py")
ALL = ",".join(f"tiny_{number}" for number in range(1, MANY + 1))


def measure(pairs: int, folder: Path) -> dict[str, Any]:
    """Medians over that many pairs, in seconds; the two of a pair run one after the other."""
    seconds: dict[str, list[float]] = {}
    more: list[dict[str, float]] = []  # processor time of one more tiny recipe

    def note(name: str, taken: float) -> None:
        seconds.setdefault(name, []).append(taken)
        print(f"{name}: {taken:.2f} s", flush=True)

    for number in range(pairs):
        one, other = Place(folder / f"ours-{number}", MNIST_RECIPES=str(RECIPES)), Place(folder / f"empty-{number}")
        one.environment["MNIST_CACHE"] = str(one.folder / "cache")
        note("empty flow, cold", other.run(EMPTY).seconds)
        note("tiny recipe, cold", one.mnist("train", "--recipes", "tiny_1").seconds)
        note("empty flow, warm", other.run(EMPTY).seconds)
        single = one.mnist("train", "--recipes", "tiny_1", "--force")
        note("tiny recipe, warm", single.seconds)
        many = one.mnist("train", "--recipes", ALL, "--force")
        note(f"{MANY} tiny recipes, warm", many.seconds)
        more.append({kind: (many.core_seconds[kind] - single.core_seconds[kind]) / (MANY - 1) for kind in KINDS})
    quick = Place(folder / "quick")
    quick.mnist("train")
    for _ in range(pairs):
        note("empty flow, beside quick", other.run(EMPTY).seconds)
        reused = quick.mnist("train")
        note("quick, all reused", reused.seconds)
        note("first line", reused.first_line_seconds)
        note("mnist --help", quick.mnist("--help").seconds)
    middle = {name: median(values) for name, values in seconds.items()}
    return {
        "seconds": middle,
        "cold": middle["tiny recipe, cold"] / middle["empty flow, cold"],
        "warm": middle["tiny recipe, warm"] / middle["empty flow, warm"],
        "reused": middle["quick, all reused"] / middle["empty flow, beside quick"],
        "one_more_recipe": (middle[f"{MANY} tiny recipes, warm"] - middle["tiny recipe, warm"]) / (MANY - 1),
        "one_more_recipe_core_seconds": {kind: median(each[kind] for each in more) for kind in KINDS},
        "help": middle["mnist --help"],
        "first_line": middle["first line"],
    }


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        keep("fixed_costs", measure(3 if fraction == 1 else 1, Path(folder)), fraction)


if __name__ == "__main__":
    main()
