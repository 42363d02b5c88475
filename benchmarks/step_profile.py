"""Where the time of a training step goes, operation by operation, on one core, in the precision that this machine uses.

python benchmarks/step_profile.py [--fraction 0.1]
"""

import tempfile
from collections import Counter
from pathlib import Path

from measurements import fraction_asked, keep
from trainer_in_process import set_up, tf

from mnist_models.trainer_pool.machine import machine

RECIPES = ("keras_conv_net", "fast_conv_net")
MOST = 8


def profile(name: str, steps: int) -> dict[str, float]:
    """Milliseconds a step by kind of operation, the dearest first; what is left is "others"."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    training = set_up(name, precision=machine().fast_precision, steps=1000)
    training.run(0, 5)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        training.run(5, 5 + steps)
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace()
        space.ParseFromString(file.read_bytes())
    milliseconds: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                # "while/conv_1/Conv2D:_MklNativeFusedConv2D": the optimiser of graphs has put in kernels of its own
                kind = plane.event_metadata[event.metadata_id].name.rpartition(":")[2]
                plain = kind.removeprefix("_Mkl").removeprefix("Native").removeprefix("Fused").removesuffix("WithBias")
                if hasattr(tf.raw_ops, plain):
                    milliseconds[plain] += event.duration_ps / 1e9 / steps
    shown = dict(milliseconds.most_common(MOST))
    return shown | {"others": milliseconds.total() - sum(shown.values())}


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    tf.config.threading.set_inter_op_parallelism_threads(1)
    operations = {name: profile(name, max(5, round(50 * fraction))) for name in RECIPES}
    keep("step_profile", {"precision": machine().fast_precision, "operations": operations}, fraction)


if __name__ == "__main__":
    main()
