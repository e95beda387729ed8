"""Photos' bytes to square pixels, without TensorFlow; the exported graph does the same for itself.

The photo's aspect is kept: its centre square is scaled to the network's size. A big JPEG is decoded
at 1/2, 1/4 or 1/8 of its size, as the graph does. EXIF rotation is not applied (a graph cannot).
"""

from __future__ import annotations

import io
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
}
READABLE = "JPEG, PNG, GIF or BMP"


def photo_format(data: bytes) -> str:
    """What the bytes are: JPEG, PNG, GIF or BMP. Raises PhotoError for anything else.

    WebP is not among them: a graph with TensorFlow's WebP reader (2.20 and later) would not load in
    the prediction images that Vertex offers (2.15).
    """
    if not data:
        raise PhotoError("the file is empty")
    for name, magic in MAGIC_NUMBERS.items():
        if data.startswith(magic):
            return name
    raise PhotoError(f"not a {READABLE} photo; it starts with {data[:8]!r}")


def scale_for(short_side: int, size: int) -> int:
    """The largest of 8, 4, 2, 1 by which a JPEG may be shrunk and still fill `size` pixels."""
    return next((ratio for ratio in SCALED_DECODES if short_side >= ratio * size), 1)


def square(data: bytes, size: int) -> Pixels:
    """The centre square of an encoded photo as `(size, size, 3)` RGB. Raises PhotoError."""
    from PIL import Image

    kind = photo_format(data)
    pixels = _jpeg(data, size) if kind == "JPEG" else None
    whole = pixels if pixels is not None else np.asarray(_pillow(data))
    height, width = whole.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    # Cut first: Pillow's own `box` would mix in the pixels beside it, which the graph never sees.
    image = Image.fromarray(np.ascontiguousarray(whole[top : top + side, left : left + side]))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


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
    """The whole photo, or None when the fast decoder has no way (CMYK) and Pillow has to try."""
    import simplejpeg

    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        _refuse_bomb(width, height)
        if colours not in ("Gray", "YCbCr", "RGB"):
            return None
        ratio = scale_for(min(height, width), size)
        shape = -(-height // ratio), -(-width // ratio)
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, "RGB", min_height=shape[0], min_width=shape[1]
        )
    except ValueError as error:
        raise PhotoError(f"a damaged JPEG ({error})") from error
    return pixels


def _pillow(data: bytes) -> Any:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data))
        _refuse_bomb(*image.size)
        image.load()
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(f"too many pixels; at most {MAX_PIXELS // 1_000_000} million") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise PhotoError(f"a damaged photo ({error})") from error
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.format == "PNG" and image.has_transparency_data:
        seen = image.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(paper, seen).convert("RGB")
    return image.convert("RGB")


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"too many pixels ({width} × {height}); at most {MAX_PIXELS // 1_000_000} million"
        )
