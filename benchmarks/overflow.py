"""When the naive loss overflows: the first NaN step of rows 2 and 3 taken as one training, for many seeds.

python benchmarks/overflow.py 24
"""

import sys

from trainer_in_process import set_up

STEPS = 5000


def first_nan(seed: int) -> int | None:
    """The step, counted from 1, at which the loss is no longer a number; None if that does not happen."""
    training = set_up("relu_dropout_naive", seed, steps=STEPS)
    for start in range(0, STEPS, 250):
        stretch = training.run(start, start + 250)
        if stretch.bad_step >= 0:
            return start + stretch.bad_step + 1
    return None


def main() -> None:
    """Print the step for each seed, and how many come within row 2's own 2,000 steps."""
    seeds = int(sys.argv[1])
    steps = [first_nan(seed) for seed in range(seeds)]
    for seed, step in enumerate(steps):
        print(f"seed {seed}: {step}")
    print(f"{sum(step is not None and step <= 2000 for step in steps)} of {seeds} within row 2's 2,000 steps")


if __name__ == "__main__":
    main()
