"""Photos' bytes to square pixels, without TensorFlow; the exported graph does the same for itself.

The photo's aspect is kept: its centre square is scaled to the network's size. A big JPEG is decoded
at 1/2, 1/4 or 1/8 of its size, as the graph does. EXIF rotation is not applied (a graph cannot).
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import PhotoError

Pixels = NDArray[np.uint8]

SCALED_DECODES = (8, 4, 2)
MAX_PIXELS = 150_000_000
MAGIC_NUMBERS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF8",
    "BMP": b"BM",
    "WebP": b"RIFF",
}
READABLE = "JPEG, PNG, GIF, BMP or WebP"
# libjpeg's warning of a file that ends before its pixels do.
CUT_OFF = "Premature end of JPEG file"
# What shows through. TensorFlow's reader of GIF makes it black and says nothing of it.
PAPERS = {"PNG": "white", "WebP": "white", "GIF": "black"}
# Red, green and blue of a BMP of 32 bits a pixel, in the order that every reader expects.
BITMAP_MASKS = b"\0\0\xff\0\0\xff\0\0\xff\0\0\0"


def photo_format(data: bytes) -> str:
    """What the bytes are: JPEG, PNG, GIF, BMP or WebP. Raises PhotoError for anything else."""
    if not data:
        raise PhotoError("the file is empty")
    for name, magic in MAGIC_NUMBERS.items():
        if data.startswith(magic) and (name != "WebP" or data[8:12] == b"WEBP"):
            return name
    raise PhotoError(f"not a {READABLE} photo; it starts with {data[:8]!r}")


def scale_for(short_side: int, size: int) -> int:
    """The largest of 8, 4, 2, 1 by which a JPEG may be shrunk and still fill `size` pixels."""
    return next((ratio for ratio in SCALED_DECODES if short_side >= ratio * size), 1)


def square(data: bytes, size: int) -> Pixels:
    """The centre square of an encoded photo as `(size, size, 3)` RGB. Raises PhotoError."""
    from PIL import Image

    pixels = whole(data, size)
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    # Cut first: Pillow's own `box` would mix in the pixels beside it, which the graph never sees.
    image = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def whole(data: bytes, size: int) -> Pixels:
    """The whole photo as `(height, width, 3)` RGB. Raises PhotoError.

    A big JPEG is shrunk on the way, its shorter side still at least `size`.
    """
    kind = photo_format(data)
    pixels = _jpeg(data, size) if kind == "JPEG" else None
    return pixels if pixels is not None else np.asarray(_pillow(data, kind, size))


def square_of_file(path: Path, size: int) -> Pixels:
    """The same for a file; the PhotoError then names it."""
    try:
        return square(path.read_bytes(), size)
    except OSError as error:
        raise PhotoError(f"{path.name}: cannot be opened ({error.strerror or error})") from error
    except PhotoError as error:
        raise PhotoError(f"{path.name}: {error}") from error


def short_side(path: Path) -> int:
    """The shorter side of a photo in pixels, from its header. Raises PhotoError naming the file."""
    from PIL import Image

    try:
        with path.open("rb") as file, Image.open(file) as image:
            return min(image.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{path.name}: a damaged photo ({error})") from error


def _jpeg(data: bytes, size: int) -> Pixels | None:
    """The whole photo, or None when the fast decoder has no way (CMYK) and Pillow has to try.

    What is odd but whole is read, as Pillow and the graph read it; what ends early is refused.
    """
    import simplejpeg

    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        _refuse_bomb(width, height)
        if colours not in ("Gray", "YCbCr", "RGB"):
            return None
        ratio = scale_for(min(height, width), size)
        least = {"min_height": -(-height // ratio), "min_width": -(-width // ratio)}
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", **least)
        except ValueError as error:
            if CUT_OFF in str(error):
                raise
            pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False, **least)
    except ValueError as error:
        raise PhotoError(f"a damaged JPEG ({error})") from error
    return pixels


def _pillow(data: bytes, kind: str, size: int) -> Any:
    """The photo, or the first frame of several, in RGB, as TensorFlow's readers see it."""
    from PIL import Image, UnidentifiedImageError

    if kind == "BMP":
        _check_bitmap(data)
    try:
        image = Image.open(io.BytesIO(data))
        _refuse_bomb(*image.size)
        if kind == "GIF":
            _refuse_small_frame(image, data)
        image.draft(image.mode, (size, size))
        image.load()
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(f"too many pixels; at most {MAX_PIXELS // 1_000_000} million") from None
    except UnidentifiedImageError:
        raise PhotoError(f"a damaged {kind} (its header cannot be read)") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise PhotoError(f"a damaged {kind} ({error})") from error
    return _in_rgb(image, kind)


def _in_rgb(image: Any, kind: str) -> Any:
    from PIL import Image, ImageChops

    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "CMYK" and "adobe" not in image.info:
        # Pillow takes every CMYK for Adobe's, which is inverted; the marker says which is.
        return ImageChops.invert(image).convert("RGB")
    if kind in PAPERS and image.has_transparency_data and image.mode != "1":
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, PAPERS[kind]), seen).convert(
            "RGB"
        )
    return image.convert("RGB")


def _refuse_small_frame(image: Any, data: bytes) -> None:
    width, height = struct.unpack("<HH", data[6:10])
    if tuple(image.tile[0][1]) != (0, 0, width, height):
        raise PhotoError("a GIF whose first frame does not fill it")


def _check_bitmap(data: bytes) -> None:
    header, bits, packing = data[14:18], data[28:30], data[30:34]
    if len(packing) == 4:
        depth, packed = int.from_bytes(bits, "little"), int.from_bytes(packing, "little")
        masked = packed == 3 and depth == 32 and data[54:66] == BITMAP_MASKS
        plain = packed == 0 and depth in (8, 24, 32)
        if int.from_bytes(header, "little") >= 40 and (masked or plain):
            return
    raise PhotoError("a BMP that is packed or not of 8, 24 or 32 bits")


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"too many pixels ({width} × {height}); at most {MAX_PIXELS // 1_000_000} million"
        )
