"""A photo verified, in RGB and of the size asked for, in the bytes that go into a shard."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

import numpy as np

from trainer.data.dataset import Row
from trainer.data.decode import MAX_PIXELS, photo_format, whole
from trainer.data.resize import Pixels
from trainer.errors import PhotoError
from trainer.preparing.rows import BadRowError

QUALITY = 95
ORIENTATION = 0x0112
# EXIF 2.32, table 4; 1 is upright.
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Prepared:
    """An encoded photo and what it is."""

    data: bytes
    format: str
    width: int
    height: int


def check_bytes(row: Row, data: bytes) -> None:
    """Raises BadRowError for bytes that are none, of another photo, or no photo."""
    if not data:
        raise BadRowError("empty", row.uri)
    if SHA256.fullmatch(row.identity) and hashlib.sha256(data).hexdigest() != row.identity:
        raise BadRowError("changed", row.uri)
    try:
        photo_format(data)
    except PhotoError as error:
        raise BadRowError("not_a_photo", row.uri, str(error)) from error
    width, height, _ = _header(row, data)
    if width * height > MAX_PIXELS:
        raise BadRowError("too_many_pixels", row.uri, f"{width} × {height}")


def prepared(row: Row, data: bytes, size: int) -> Prepared:
    """The photo, upright, with its shorter side at most `size`, its aspect kept.

    Raises BadRowError. What is small enough, upright and plain RGB or grey stays as it is, byte for
    byte. JPEG becomes JPEG of
    quality 95 with all its colour; what was coded without loss becomes PNG. The same photo and the
    same versions of libraries give the same bytes.
    """
    check_bytes(row, data)
    pixels = decoded(row, data, size)
    kind = photo_format(data)
    width, height, mode = _header(row, data)
    turn = _turn(data)
    if (
        turn is None
        and min(width, height) <= size
        and mode in ("RGB", "L")
        and kind in ("JPEG", "PNG")
    ):
        return Prepared(data, kind, width, height)
    pixels = _shrunk(_turned(pixels, turn), size)
    lossy = kind == "JPEG" or (kind == "WebP" and b"VP8 " in data[12:64])
    coded = _jpeg(pixels) if lossy else _png(pixels)
    return Prepared(coded, "JPEG" if lossy else "PNG", pixels.shape[1], pixels.shape[0])


def upright(row: Row, data: bytes, size: int) -> bytes:
    """The photo's bytes, or where EXIF turns it a PNG of it upright. Raises BadRowError.

    That of a big JPEG is smaller, its shorter side still at least `size`.
    """
    turn = _turn(data)
    return data if turn is None else _png(_turned(decoded(row, data, size), turn))


def decoded(row: Row, data: bytes, size: int) -> Pixels:
    """The whole photo in RGB. Raises BadRowError for one that is damaged."""
    try:
        return whole(data, size)
    except PhotoError as error:
        raise BadRowError("damaged", row.uri, str(error)) from error


def _header(row: Row, data: bytes) -> tuple[int, int, str]:
    """Width, height and colour mode."""
    import io
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                transparent = image.has_transparency_data
                return *image.size, f"{image.mode}A" if transparent else image.mode
    except Image.DecompressionBombError as error:
        raise BadRowError("too_many_pixels", row.uri, str(error)) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BadRowError("damaged", row.uri, str(error)) from error


def _turn(data: bytes) -> str | None:
    """What Pillow calls the turn that EXIF asks for; None for an upright photo."""
    import io

    from PIL import Image

    if photo_format(data) == "PNG" and b"eXIf" not in data:
        return None  # Pillow would decode it all, for an EXIF behind the pixels
    try:
        with Image.open(io.BytesIO(data)) as image:
            found = image.getexif().get(ORIENTATION)
            return TURNS.get(found) if isinstance(found, int) else None
    except (OSError, SyntaxError, ValueError, struct.error):
        return None


def _turned(pixels: Pixels, turn: str | None) -> Pixels:
    from PIL import Image

    if turn is None:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.transpose(Image.Transpose[turn]))


def _shrunk(pixels: Pixels, size: int) -> Pixels:
    from PIL import Image

    height, width = pixels.shape[:2]
    if min(height, width) <= size:
        return pixels
    scale = size / min(height, width)
    target = max(size, round(width * scale)), max(size, round(height * scale))
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(target, Image.Resampling.BILINEAR))


def _jpeg(pixels: Pixels) -> bytes:
    import simplejpeg

    whole_colour = {"colorspace": "RGB", "colorsubsampling": "444"}
    coded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=QUALITY, **whole_colour
    )
    return coded


def _png(pixels: Pixels) -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
