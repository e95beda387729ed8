"""Photos' bytes to square pixels, without TensorFlow; the exported graph does the same for itself.

The photo's aspect is kept: its centre square is scaled to the network's size. A big JPEG is decoded
at 1/2, 1/4 or 1/8 of its size, as the graph does. EXIF rotation is not applied (a graph cannot).
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from trainer.data.resize import Pixels, resized
from trainer.errors import PhotoError

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
# libjpeg's warning of a file that ends before its pixels do; it keeps only its last warning.
CUT_OFF = "Premature end of JPEG file"
# The start of a scan, and the end of the image (ITU-T T.81, table B.1).
SCAN, END = b"\xff\xda", b"\xff\xd9"
# What shows through. TensorFlow's reader of GIF makes it black and says nothing of it.
PAPERS = {"PNG": "white", "WebP": "white", "GIF": "black"}
# Red, green and blue of a BMP of 32 bits a pixel, in the order that every reader expects.
BITMAP_MASKS = b"\0\0\xff\0\0\xff\0\0\xff\0\0\0"
# The lengths of a BMP's header that Pillow knows, without those of less than 40 bytes.
BITMAP_HEADERS = (40, 52, 56, 64, 108, 124)
# What Pillow read is made RGB and low in strips, so that a big photo is in memory once.
STRIP_PIXELS = 4_000_000


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
    kind = photo_format(data)
    pixels = _jpeg(data, size) if kind == "JPEG" else None
    if pixels is None:
        return resized(_low(_pillow(data, kind, size), kind, size), size, size)
    left, top, right, bottom = _centre(pixels.shape[1], pixels.shape[0])
    return resized(pixels[top:bottom, left:right], size, size)


def whole(data: bytes, size: int) -> Pixels:
    """The whole photo as `(height, width, 3)` RGB. Raises PhotoError.

    A big JPEG is shrunk on the way, its shorter side still at least `size`.
    """
    kind = photo_format(data)
    pixels = _jpeg(data, size) if kind == "JPEG" else None
    return pixels if pixels is not None else np.asarray(_in_rgb(_pillow(data, kind, size), kind))


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


def _centre(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest square in the middle."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _low(image: Any, kind: str, size: int) -> Pixels:
    """The centre square in RGB `(size, side, 3)`, scaled to `size` pixels down, its width kept.

    A resize scales down first, column by column, and rounds: strips give the bits of the whole.
    """
    left, top, right, bottom = _centre(*image.size)
    columns = max(1, STRIP_PIXELS // (bottom - top))
    low = np.empty((size, right - left, 3), np.uint8)
    for start in range(left, right, columns):
        end = min(start + columns, right)
        strip = np.asarray(_in_rgb(image.crop((start, top, end, bottom)), kind))
        low[:, start - left : end - left] = resized(strip, end - start, size)
    return low


def _jpeg(data: bytes, size: int) -> Pixels | None:
    """The whole photo, or None when Pillow has to try (CMYK, oddities in the header).

    What is odd but whole is read, as Pillow and the graph read it; what ends early is refused.
    """
    import simplejpeg

    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    _refuse_bomb(width, height)
    if colours not in ("Gray", "YCbCr", "RGB"):
        return None
    try:
        ratio = scale_for(min(height, width), size)
        least = {"min_height": -(-height // ratio), "min_width": -(-width // ratio)}
        how = {"fastupsample": True, **least}
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", **how)
        except ValueError as error:
            if CUT_OFF in str(error) or data.rfind(END) < data.rfind(SCAN):
                raise
            pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False, **how)
    except ValueError as error:
        raise PhotoError(f"a damaged JPEG ({error})") from error
    return pixels


def _pillow(data: bytes, kind: str, size: int) -> Any:
    """The photo, or the first frame of several; what TensorFlow's readers refuse is refused."""
    from PIL import Image, UnidentifiedImageError

    if kind == "BMP":
        _check_bitmap(data)
    try:
        image = Image.open(io.BytesIO(data))
        _refuse_bomb(*image.size)
        if kind == "GIF":
            _check_first_frame(image, data)
        if kind == "PNG":
            _check_chunks(data)
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
    return image


def _in_rgb(image: Any, kind: str) -> Any:
    """An image, or a part of one, in RGB, as TensorFlow's readers see it."""
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


def _check_chunks(data: bytes) -> None:
    """Refuses a PNG without its last chunk, or with damage in one that is needed.

    libpng, TensorFlow's reader, does; Pillow has no look at them (12.3). A critical chunk's name
    begins with a capital letter, and nothing after IEND counts (PNG, W3C, sections 5.4 and 5.6).
    """
    view, place, name = memoryview(data), len(MAGIC_NUMBERS["PNG"]), b""
    while name != b"IEND":
        length, name = int.from_bytes(view[place : place + 4]), bytes(view[place + 4 : place + 8])
        end = place + 8 + length
        if end + 4 > len(data):
            raise PhotoError("a damaged PNG (it ends before its last chunk)")
        checksum = int.from_bytes(view[end : end + 4])
        if name[:1].isupper() and zlib.crc32(view[place + 4 : end]) != checksum:
            raise PhotoError(f"a damaged PNG (the checksum of {name!r} is wrong)")
        place = end + 4


def _check_first_frame(image: Any, data: bytes) -> None:
    """Refuses a GIF whose first frame is smaller, or lacks the 0 after its blocks of pixels."""
    width, height = struct.unpack("<HH", data[6:10])
    tile = image.tile[0]
    if tuple(tile[1]) != (0, 0, width, height):
        raise PhotoError("a GIF whose first frame does not fill it")
    place = tile[2]
    while place < len(data) and data[place]:
        place += 1 + data[place]
    if place >= len(data):
        raise PhotoError("a damaged GIF (it ends before its pixels do)")


def _check_bitmap(data: bytes) -> None:
    start, header, columns, rows, planes_bits, packed = struct.unpack(
        "<IIiiII", data[10:34].ljust(24, b"\0")
    )
    depth = planes_bits >> 16
    masked = packed == 3 and depth == 32 and data[54:66] == BITMAP_MASKS
    plain = packed == 0 and depth in (8, 24, 32)
    if header not in BITMAP_HEADERS or not (masked or plain):
        raise PhotoError("a BMP that is packed or not of 8, 24 or 32 bits")
    if len(data) < start + (columns * depth + 31) // 32 * 4 * abs(rows):
        raise PhotoError("a damaged BMP (it ends before its pixels do)")


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"too many pixels ({width} × {height}); at most {MAX_PIXELS // 1_000_000} million"
        )
