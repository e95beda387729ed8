"""Upright, 8-bit pictures that every trainer reads: what `ops` does to photos it cannot keep."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from ops.data.formats import JPEG, PNG, Format

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION_TAG = 0x0112  # EXIF 2.32, table 4
_UPRIGHT = 1
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_QUALITY = 95
_ALPHA_MODES = frozenset(("LA", "La", "PA", "RGBA", "RGBa"))
_DEEP_MODES = ("I", "F")
_PLAIN_MODES = frozenset(("1", "L", "P", "RGB", "LA", "RGBA"))


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) to 8; 1 where there is none or it is nonsense."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, _UPRIGHT)
    except (SyntaxError, ValueError, struct.error):
        return _UPRIGHT
    return value if value in _TURNS else _UPRIGHT


def why_converted(image: Image.Image, stored: Format) -> str | None:
    """Why this picture cannot be kept byte for byte, as words to print; None when it can."""
    reasons = []
    if orientation(image) != _UPRIGHT:
        reasons.append("turned upright")
    if not stored.kept:
        reasons.append(f"converted from {stored.name}")
    elif image.mode not in _PLAIN_MODES:
        reasons.append(f"converted from {_MODE_WORDS.get(image.mode, image.mode)}")
    return ", ".join(reasons) or None


_MODE_WORDS = {
    "CMYK": "CMYK",
    "I": "32 bits a pixel",
    "F": "floating point",
    "I;16": "16 bits a pixel",
    "I;16B": "16 bits a pixel",
}


def upright(image: Image.Image) -> Image.Image:
    """The picture as one sees it: EXIF rotation applied, mode RGB or L, 8 bits, no transparency.

    Transparent parts become white. Deeper greys are scaled to 8 bits by their own format's range.
    """
    from PIL import Image

    turn = _TURNS.get(orientation(image))
    return _flat(image.transpose(Image.Transpose[turn]) if turn else image)


def _flat(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith(_DEEP_MODES):
        return _eight_bits(image)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits by its high byte; of 32 bits or floating point by its brightest pixel."""
    deep = image.convert("F")
    darkest, brightest = _extrema(deep)
    if image.mode.startswith("I;16"):
        darkest, brightest = 0.0, 65535.0
    scale = 255.0 / (brightest - darkest) if brightest > darkest else 0.0
    return deep.point(lambda value: value * scale - darkest * scale).convert("L")


def _extrema(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple):
        raise TypeError(f"expected one band, received mode {image.mode}")
    return float(low), float(high)


def encode(image: Image.Image, stored: Format, quality: int = _QUALITY) -> bytes:
    """JPEG or PNG bytes without any metadata; the same picture gives the same bytes."""
    out = io.BytesIO()
    image.info.clear()
    if stored is PNG:
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def converted(image: Image.Image, original: Format) -> tuple[bytes, Format]:
    """The bytes to store in place of the original's, and their format.

    JPEG at quality 95 for what was lossy already, PNG for what was lossless.
    """
    target = PNG if original.lossless else JPEG
    return encode(upright(image), target), target
