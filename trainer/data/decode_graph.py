"""The graph from encoded photos to square pixels: what `decode.square` does, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.data.decode import MAGIC_NUMBERS, SCALED_DECODES


def decoded(image_bytes: Any, size: int) -> Any:
    """The graph of square pixels `(batch, size, size, 3)` float32, 0–255, of encoded photos."""
    from trainer.export import tensorflow

    tf = tensorflow()

    def square(data: Any) -> Any:
        pixels = _decode(tf, data, size)
        shape = tf.shape(pixels)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        pixels = pixels[top : top + side, left : left + side]
        wide = _rounded(tf, tf.image.resize(pixels, (side, size), "bilinear", antialias=True))
        small = _rounded(tf, tf.image.resize(wide, (size, size), "bilinear", antialias=True))
        return tf.ensure_shape(small, (size, size, 3))

    return tf.map_fn(square, image_bytes, fn_output_signature=tf.float32)


def _decode(tf: Any, data: Any, size: int) -> Any:
    """All pixels `(height, width, 3)` uint8 of one photo; a big JPEG at a fraction of its size."""

    def starts(name: str) -> Any:
        magic = MAGIC_NUMBERS[name]
        return tf.equal(tf.strings.substr(data, 0, len(magic)), magic)

    def jpeg() -> Any:
        shape = tf.io.extract_jpeg_shape(data)
        short = tf.minimum(shape[0], shape[1])
        fits = [tf.cast(short >= ratio * size, tf.int32) for ratio in SCALED_DECODES]
        return tf.switch_case(
            tf.add_n(fits), [_jpeg_reader(tf, data, ratio) for ratio in (1, 2, 4, 8)]
        )

    def other() -> Any:
        readers = [
            (starts("PNG"), lambda: _on_white(tf, tf.io.decode_png(data, 4))),
            (starts("GIF"), lambda: tf.io.decode_gif(data)[0]),
        ]
        return tf.case(readers, default=lambda: _bitmap(tf, data))

    return tf.cond(starts("JPEG"), jpeg, other)


def _rounded(tf: Any, pixels: Any) -> Any:
    """Whole pixel values: Pillow, which training uses, rounds after each direction of a resize."""
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)


def _jpeg_reader(tf: Any, data: Any, ratio: int) -> Callable[[], Any]:
    return lambda: tf.io.decode_jpeg(data, 3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def _on_white(tf: Any, pixels: Any) -> Any:
    seen, cover = tf.cast(pixels[..., :3], tf.float32), tf.cast(pixels[..., 3:], tf.float32) / 255.0
    return tf.cast(tf.round(seen * cover + 255.0 * (1.0 - cover)), tf.uint8)


def _bitmap(tf: Any, data: Any) -> Any:
    """A BMP of 1, 3 or 4 channels as RGB; anything else is refused by TensorFlow's own reader."""
    pixels = tf.io.decode_bmp(data)
    copies = tf.where(tf.equal(tf.shape(pixels)[2], 1), 3, 1)
    return tf.tile(pixels[..., :3], [1, 1, copies])
