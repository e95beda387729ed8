"""The graph from encoded photos to square pixels: what `decode.square` does, in TensorFlow.

Each photo of a batch is read by its own format's reader, so that formats may be mixed. TensorFlow's
readers of BMP and WebP take any format, and one of them writes beyond its memory on an animated
WebP read without alpha (2.21), so that nothing reaches a reader before its header is checked here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.data.decode import (
    BITMAP_HEADERS,
    BITMAP_MASKS,
    MAGIC_NUMBERS,
    MAX_PIXELS,
    READABLE,
    SCALED_DECODES,
)

HEADER_BYTES = 80


def decoded(image_bytes: Any, size: int) -> Any:
    """The graph of square pixels `(batch, size, size, 3)` float32, 0–255, of encoded photos."""
    from trainer.imports import tensorflow

    tf = tensorflow()

    def square(data: Any) -> Any:
        pixels = _decode(tf, data, size)
        shape = tf.shape(pixels)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        pixels = pixels[top : top + side, left : left + side]
        low = _rounded(tf, tf.image.resize(pixels, (size, side), "bilinear", antialias=True))
        small = _rounded(tf, tf.image.resize(low, (size, size), "bilinear", antialias=True))
        return tf.ensure_shape(small, (size, size, 3))

    return tf.map_fn(square, image_bytes, fn_output_signature=tf.float32)


def _rounded(tf: Any, pixels: Any) -> Any:
    """Whole pixel values: training's `resized` rounds after each direction."""
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)


def _decode(tf: Any, data: Any, size: int) -> Any:
    """All pixels `(height, width, 3)` uint8 of one photo; a big JPEG at a fraction of its size."""
    photo = _Photo(tf, data)
    readers: dict[str, Callable[[], Any]] = {
        "JPEG": lambda: _jpeg(photo, size),
        "PNG": lambda: _png(photo),
        "GIF": lambda: _gif(photo),
        "BMP": lambda: _bitmap(photo),
        "WebP": lambda: _webp(photo),
    }

    def starts(magic: bytes) -> Any:
        return tf.equal(tf.strings.substr(data, 0, len(magic)), magic)

    def refused() -> Any:
        photo.demand(False, f"not a {READABLE} photo")
        return tf.zeros((1, 1, 3), tf.uint8)

    cases = [(starts(MAGIC_NUMBERS[name]), reader) for name, reader in readers.items()]
    return tf.case(cases, default=refused)


class _Photo:
    """An encoded photo in the graph, and the numbers of its header; beyond its end there are 0s."""

    def __init__(self, tf: Any, data: Any) -> None:
        self.tf, self.data = tf, data
        start = tf.strings.join([tf.strings.substr(data, 0, HEADER_BYTES), bytes(HEADER_BYTES)])
        values = tf.io.decode_raw(tf.strings.substr(start, 0, HEADER_BYTES), tf.uint8)
        self._header = tf.cast(values, tf.int64)

    def number(self, start: int, length: int, big_endian: bool = False) -> Any:
        """The unsigned number, int64, in so many bytes of the header."""
        powers = [256**place for place in range(length)]
        weights = self.tf.constant(powers[::-1] if big_endian else powers, self.tf.int64)
        return self.tf.reduce_sum(self._header[start : start + length] * weights)

    def says(self, start: int, words: bytes) -> Any:
        """Whether the header has these bytes there."""
        found = self._header[start : start + len(words)]
        return self.tf.reduce_all(found == self.tf.constant(list(words), self.tf.int64))

    def demand(self, condition: Any, otherwise: str) -> None:
        """Refuses the photo for this reason unless the condition holds."""
        self.tf.debugging.Assert(condition, [otherwise])

    def refuse_bomb(self, width: Any, height: Any) -> None:
        pixels = self.tf.cast(width, self.tf.int64) * self.tf.cast(height, self.tf.int64)
        self.demand(pixels <= MAX_PIXELS, f"too many pixels; at most {MAX_PIXELS // 10**6} million")


def _jpeg(photo: _Photo, size: int) -> Any:
    tf = photo.tf
    shape = tf.io.extract_jpeg_shape(photo.data)
    photo.refuse_bomb(shape[1], shape[0])
    short = tf.minimum(shape[0], shape[1])
    fits = [tf.cast(short >= ratio * size, tf.int32) for ratio in SCALED_DECODES]
    readers = [_jpeg_reader(photo, ratio) for ratio in (1, 2, 4, 8)]
    return tf.switch_case(tf.add_n(fits), readers)


def _jpeg_reader(photo: _Photo, ratio: int) -> Callable[[], Any]:
    reader, way = photo.tf.io.decode_jpeg, "INTEGER_ACCURATE"
    return lambda: reader(photo.data, 3, ratio=ratio, dct_method=way, fancy_upscaling=False)


def _png(photo: _Photo) -> Any:
    """A PNG as RGB on white.

    Asked for alpha, TensorFlow makes a palette without any, and grey of less than 8 bits,
    invisible; not asked for it, it misreads RGB of which one colour is transparent (2.21). A
    transparent one of few greys is seen, here and by Pillow.
    """
    photo.refuse_bomb(photo.number(16, 4, True), photo.number(20, 4, True))
    as_it_is = (photo.number(25, 1) == 3) | (photo.number(24, 1) < 8)
    read = photo.tf.io.decode_png
    pixels = photo.tf.cond(as_it_is, lambda: read(photo.data), lambda: read(photo.data, 4))
    return _on_white(photo.tf, pixels)


def _gif(photo: _Photo) -> Any:
    """The first frame, which has to fill the picture; what is transparent is black."""
    width, height = photo.number(6, 2), photo.number(8, 2)
    photo.refuse_bomb(width, height)
    pixels = photo.tf.io.decode_image(photo.data, 3, expand_animations=False)
    shape = photo.tf.shape(pixels, photo.tf.int64)
    fills = (shape[0] == height) & (shape[1] == width)
    photo.demand(fills, "a GIF whose first frame does not fill it")
    return pixels


def _bitmap(photo: _Photo) -> Any:
    """A BMP of 8 bits with a palette, 24 or 32, not compressed, as RGB; its bytes after that cut.

    TensorFlow's reader wants the pixels to be the end (2.21); Pillow does not look further.
    """
    tf = photo.tf
    bits, packing = photo.number(28, 2), photo.number(30, 4)
    masked = (packing == 3) & (bits == 32) & photo.says(54, BITMAP_MASKS)
    plain = (packing == 0) & ((bits == 8) | (bits == 24) | (bits == 32))
    header = tf.reduce_any(photo.number(14, 4) == tf.constant(BITMAP_HEADERS, tf.int64))
    known = header & (masked | plain)
    photo.demand(known, "a BMP that is packed or not of 8, 24 or 32 bits")
    rows, columns = photo.number(22, 4), photo.number(18, 4)
    rows = tf.minimum(rows, 2**32 - rows)
    photo.refuse_bomb(columns, rows)
    end = photo.number(10, 4) + (columns * bits + 31) // 32 * 4 * rows
    pixels = tf.io.decode_bmp(tf.strings.substr(photo.data, tf.constant(0, tf.int64), end))
    return tf.cond(bits == 8, lambda: _coloured(photo, pixels), lambda: pixels[..., :3])


def _coloured(photo: _Photo, places: Any) -> Any:
    """Places in a BMP's palette `(height, width, 1)` as RGB."""
    tf = photo.tf
    length = tf.cast(tf.strings.length(photo.data), tf.int64)
    start = tf.minimum(14 + photo.number(14, 4), length)
    room = tf.strings.join([photo.data, bytes(1024)])
    raw = tf.io.decode_raw(tf.strings.substr(room, start, tf.cast(1024, tf.int64)), tf.uint8)
    palette = tf.reverse(tf.reshape(raw, (256, 4))[:, :3], [1])
    return tf.gather(palette, tf.cast(places[..., 0], tf.int32))


def _webp(photo: _Photo) -> Any:
    """A WebP as RGB on white; of an animated one the first frame."""
    tf = photo.tf
    photo.demand(photo.says(8, b"WEBP"), f"not a {READABLE} photo")
    extended = photo.says(12, b"VP8X")
    photo.refuse_bomb(*_webp_size(photo, extended))

    def first() -> Any:
        # Animations are made with alpha whatever they say, and read only if they say so (2.21).
        said = tf.gather([bytes([flags | 0x10]) for flags in range(256)], photo.number(20, 1))
        before, after = tf.strings.substr(photo.data, 0, 20), tf.strings.substr(photo.data, 21, -1)
        told = tf.strings.join([before, said, after])
        return tf.io.decode_image(told, 4, expand_animations=False)

    moving = extended & (photo.number(20, 1) & 2 > 0)
    return _on_white(tf, tf.cond(moving, first, lambda: tf.io.decode_webp(photo.data)[0]))


def _webp_size(photo: _Photo, extended: Any) -> tuple[Any, Any]:
    """Width and height as the container says (RFC 9649, sections 2.5 to 2.7)."""
    packed = photo.number(21, 4)
    canvas = 1 + photo.number(24, 3), 1 + photo.number(27, 3)
    lossless = 1 + (packed & 0x3FFF), 1 + (packed // 0x4000 & 0x3FFF)
    lossy = photo.number(26, 2) & 0x3FFF, photo.number(28, 2) & 0x3FFF
    where, is_lossless = photo.tf.where, photo.says(12, b"VP8L")
    width, height = (
        where(extended, canvas[side], where(is_lossless, lossless[side], lossy[side]))
        for side in (0, 1)
    )
    return width, height


def _on_white(tf: Any, pixels: Any) -> Any:
    """Pixels of 1 (grey), 2 (grey, alpha), 3 or 4 channels as RGB; what is hidden is white."""
    channels = tf.shape(pixels)[2]
    grey, covered = channels <= 2, tf.equal(channels % 2, 0)
    colours = tf.cond(grey, lambda: tf.tile(pixels[..., :1], [1, 1, 3]), lambda: pixels[..., :3])

    def paper() -> Any:
        cover = tf.cast(pixels[..., -1:], tf.float32) / 255.0
        seen = tf.cast(colours, tf.float32) * cover + 255.0 * (1.0 - cover)
        return tf.cast(tf.round(seen), tf.uint8)

    return tf.cond(covered, paper, lambda: colours)
