"""Random affine distortions inside the compiled step."""

import math

import tensorflow as tf

from mnist_models.recipe import Augmentation


def augment(images: tf.Tensor, settings: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Rotate, zoom and shift each image by its own random amounts, bilinearly, with zeros outside.

    Args:
        images: float32 [n, height, width, 1].
        settings: the largest amounts.
        seed: int32 [2]; the same seed gives the same distortions.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    draws = tf.random.stateless_uniform([4, count], seed, -1.0, 1.0)
    angle = draws[0] * (settings.rotation_degrees * math.pi / 180)
    scale = 1 + draws[1] * settings.zoom
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    shift_x = centre_x + draws[2] * settings.shift * width
    shift_y = centre_y + draws[3] * settings.shift * height
    # Output pixel (x, y) reads from (a·x + b·y + c, d·x + e·y + f): turned about the centre, then shifted.
    offset_x = shift_x - cosine * centre_x + sine * centre_y
    offset_y = shift_y - sine * centre_x - cosine * centre_y
    zeros = tf.zeros_like(angle)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cosine, -sine, offset_x, sine, cosine, offset_y, zeros, zeros], axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
