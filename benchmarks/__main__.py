"""All benchmarks, and the tables of docs/speed.md (`make bench`).

python benchmarks [--fraction 0.1]     each of them also runs alone: python benchmarks/NAME.py
"""

import subprocess
import sys
from pathlib import Path

from measurements import fraction_asked
from report import write_table

HERE = Path(__file__).resolve().parent
NAMES = (
    "notebook_suite",
    "fixed_costs",
    "time_to_accuracy",
    "growth",
    "tracking_cost",
    "throughput",
    "step_profile",
    "precision",
)


def main() -> None:
    """Run one after the other."""
    fraction = fraction_asked(__doc__ or "")
    for name in NAMES:
        print(f"— {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), "--fraction", str(fraction)], check=True)
    if fraction == 1:
        write_table()


if __name__ == "__main__":
    main()
