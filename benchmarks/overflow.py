"""When the naive loss overflows: the first NaN step of rows 2 and 3 taken as one training, for many seeds.

python benchmarks/overflow.py 24
"""

import os
import sys

os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import keras

from mnist_models.data.official import load_official
from mnist_models.data.split import stratified_split
from mnist_models.recipes import find_recipe
from mnist_models.trainer.loop import Loop
from mnist_models.trainer.optimizers import build_optimizer
from mnist_models.trainer.order import DataOrder

STEPS = 5000


def first_nan(seed: int) -> int | None:
    """The step, counted from 1, at which the loss is no longer a number; None if that does not happen."""
    recipe, data = find_recipe("relu_dropout_naive"), load_official()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    training, _ = stratified_split(data.y_train, recipe.validation_fraction, seed)
    model = recipe.network(data.image_shape, data.classes)
    optimizer = build_optimizer(recipe.optimizer, STEPS, "float32")
    optimizer.build(model.trainable_variables)
    loop = Loop(model, optimizer, recipe, data.x_train[training], data.y_train[training], seed)
    order = DataOrder(len(training), recipe.batch_size, seed, stream=0)
    for start in range(0, STEPS, 250):
        stretch = loop.run(order.batches(start, start + 250), start)
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
