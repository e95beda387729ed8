"""Photos' pixels at another size, as the exported graph makes them."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Pixels `(height, width, 3)` uint8, each the mean of those below it, weighed by distance.

    Pillow's BILINEAR, rounded after each direction, down before across; read-only.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    way = _simd()
    if way is None:
        return _by_pillow(pixels, width, height)
    before = way.image(pixels.shape[1], pixels.shape[0], way.rgb, pixels.tobytes())
    after = way.image(width, height, way.rgb)
    # A resizer keeps its buffers and serves one thread; making one takes some microseconds.
    way.resizer().resize(before, after, way.options)
    return np.frombuffer(after.get_buffer(), np.uint8).reshape(height, width, 3)


def _by_pillow(pixels: Pixels, width: int, height: int) -> Pixels:
    """The same where there is no SIMD resizer; of photographs one pixel in 400 is a level apart."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    lower = image.resize((image.width, height), Image.Resampling.BILINEAR)
    return np.asarray(lower.resize((width, height), Image.Resampling.BILINEAR))


class _Simd:
    """What the SIMD resizer needs, looked up once."""

    def __init__(self, library: Any) -> None:
        self.resizer, self.image = library.Resizer, library.ImageData
        self.rgb = library.PixelType.U8x3
        bilinear = library.ResizeAlg.convolution(library.FilterType.bilinear)
        self.options = library.ResizeOptions(bilinear)


@cache
def _simd() -> _Simd | None:
    try:
        import cykooz_resizer
    except ImportError:  # Linux on ARM
        return None
    return _Simd(cast(Any, cykooz_resizer))
