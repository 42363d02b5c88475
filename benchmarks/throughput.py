"""How near the convolutional recipes come to what this processor can do, and what the machine's rules rest on.

The ceiling is a product of two matrices of 2,048 rows in the same process, with one thread. Multiplications and
additions are counted for the convolutions and dense layers only, once forwards and twice backwards, less the gradient
by the images that nothing needs; everything else is time in which nothing is counted.

python benchmarks/throughput.py [--fraction 0.1]
"""

import os
import subprocess
import sys
import time
from typing import Any

from measurements import fraction_asked, keep
from sandbox import ROOT
from trainer_in_process import Setup, keras, set_up, tf

from mnist_models.recipe_catalog import all_recipes
from mnist_models.training_run.job import Precision

SIZE = 2048
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def ceiling(precision: Precision) -> float:
    """GFLOP/s of a matrix product."""
    matrix = tf.cast(tf.random.normal([SIZE, SIZE]), precision)
    product = tf.function(lambda a: tf.matmul(a, tf.matmul(a, tf.matmul(a, a))))
    product(matrix)
    best = min(_seconds(lambda: product(matrix)) for _ in range(5))
    return 3 * 2 * SIZE**3 / best / 1e9


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def operations_per_step(training: Setup) -> float:
    """Floating-point operations of one step's convolutions and dense layers."""
    total, first = 0.0, True
    for layer in training.model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            places = 1
            for side in layer.output.shape[1:-1]:
                places *= side
            forwards = 2.0 * places * tf.size(layer.kernel).numpy()
            total += forwards * (2 if first else 3)
            first = False
    return total * training.recipe.batch_size


def seconds_per_step(training: Setup, steps: int) -> float:
    """Of the compiled loop, the best of three stretches."""
    training.run(0, 5)
    return min(_seconds(lambda: training.run(5, 5 + steps)) for _ in range(3)) / steps


def side_by_side(name: str, steps: int, trainers: int, threads: int) -> float:
    """Images a second of so many processes together, each with so many threads for an operation."""
    code = (
        f"from trainer_in_process import set_up;"
        f" import time; t = set_up({name!r}); t.run(0, 5); b = time.perf_counter();"
        f" t.run(5, {5 + steps}); print({steps} * t.recipe.batch_size / (time.perf_counter() - b))"
    )
    environment = {"MNIST_THREADS": str(threads), "PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | environment,
        )
        for _ in range(trainers)
    ]
    return sum(float(process.communicate()[0]) for process in processes)


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    steps = max(5, round(100 * fraction))
    tf.config.threading.set_inter_op_parallelism_threads(1)  # one core against the ceiling of one core
    recipes: dict[str, Any] = {}
    ceilings = {precision: ceiling(precision) for precision in PRECISIONS}
    for name in (recipe.name for recipe in all_recipes().values() if recipe.convolutional and not recipe.continues):
        for precision in PRECISIONS:
            training = set_up(name, precision=precision, steps=1000)
            seconds = seconds_per_step(training, steps)
            achieved = operations_per_step(training) / seconds / 1e9
            recipes.setdefault(name, {})[precision] = {
                "milliseconds_per_step": 1000 * seconds,
                "gflops": achieved,
                "share_of_ceiling": achieved / ceilings[precision],
            }
    together = {
        f"{trainers} × {threads} threads": side_by_side("keras_conv_net", steps, trainers, threads)
        for trainers, threads in ((1, 1), (1, 2), (2, 1))
    }
    figures = {"ceiling_gflops": ceilings, "recipes": recipes, "keras_conv_net_images_per_second": together}
    keep("throughput", figures, fraction)


if __name__ == "__main__":
    main()
