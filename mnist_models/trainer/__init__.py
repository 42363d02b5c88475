"""The training process: runs in a child of its own and is the only part that imports TensorFlow."""
