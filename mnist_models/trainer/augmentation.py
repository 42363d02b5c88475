"""Random affine distortions inside the compiled step."""

import math

import tensorflow as tf

from mnist_models.recipe import Augmentation


def augment(images: tf.Tensor, settings: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Rotate, zoom (each axis by itself) and shift each image by random amounts up to `settings`; outside is 0.

    Images are float32 [n, height, width, channels]. The same seed, int32 [2], gives the same distortions.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    draws = tf.random.stateless_uniform([5, count], seed, -1.0, 1.0)
    angle = draws[0] * (settings.rotation_degrees * math.pi / 180)
    zoom_x, zoom_y = 1 + draws[1] * settings.zoom, 1 + draws[2] * settings.zoom
    # Output pixel (x, y) is read at (a·x + b·y + c, d·x + e·y + f): rotated and zoomed about the centre, then shifted.
    a, b, d, e = tf.cos(angle) * zoom_x, -tf.sin(angle) * zoom_x, tf.sin(angle) * zoom_y, tf.cos(angle) * zoom_y
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    c = centre_x + draws[3] * settings.shift * width - a * centre_x - b * centre_y
    f = centre_y + draws[4] * settings.shift * height - d * centre_x - e * centre_y
    zeros = tf.zeros_like(angle)
    distorted = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, zeros, zeros], axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(distorted, images.shape)
