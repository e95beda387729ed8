"""Any photo, made to fit one prediction request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ops.data.convert import encode, orientation, upright
from ops.data.decode import examine, load, opened, quiet_about_large_photos
from ops.data.formats import JPEG
from ops.data.photos import read_file
from ops.data.problems import BadPhotoError
from ops.errors import Code, OpsError

if TYPE_CHECKING:
    from PIL import Image

MAX_REQUEST_BYTES = 1_500_000
"""Of a request to a shared public endpoint ("choose an endpoint type", read 2026-08-22: 1.5 MB)."""

MAX_CONTENT_BYTES = (MAX_REQUEST_BYTES - 2_000) // 4 * 3
"""Of the photo's own bytes: base64 writes 3 as 4, and 2,000 are kept for the JSON around it."""

MAX_PHOTO_BYTES = 200_000_000
"""Of a file that is opened to be shrunk; more is no photo of a camera."""

_STEPS = ((2048, 90), (2048, 80), (1600, 80), (1200, 80), (1024, 75), (512, 75))
"""Longest side in pixels and JPEG quality, tried in turn. The last always fits: 512 × 512 pixels
of three bytes are below the limit even uncompressed."""


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """Bytes for one request, at most MAX_CONTENT_BYTES, and what was done to them, if anything."""

    content: bytes
    mime_type: str
    note: str | None = None


def prepare_photo(photo: Path | bytes) -> PreparedPhoto:
    """The photo as it is when it fits and stands upright; else turned, converted or shrunk.

    OpsError BAD_DATA for what is not a photo, is damaged, or would fill the memory.
    """
    where = "The photo" if isinstance(photo, bytes) else str(photo)
    try:
        content = photo if isinstance(photo, bytes) else read_file(photo, MAX_PHOTO_BYTES)
        with quiet_about_large_photos():
            return _prepared(content)
    except BadPhotoError as bad:
        raise OpsError(Code.BAD_DATA, f"{where}: {bad.what}", bad.fix) from bad


def _prepared(content: bytes) -> PreparedPhoto:
    if len(content) > MAX_CONTENT_BYTES:
        return _shrunk(content)
    examined = examine(content)
    if examined.change is None:
        return PreparedPhoto(content, examined.format.mime_type)
    picture = upright(examined.image)
    encoded = encode(picture, JPEG)
    if len(encoded) > MAX_CONTENT_BYTES:
        return _shrunk(content)
    return PreparedPhoto(encoded, JPEG.mime_type, examined.change)


def _shrunk(content: bytes) -> PreparedPhoto:
    image, found = opened(content)
    before = _seen_size(image)
    if found is JPEG:
        # libjpeg decodes straight to a half, quarter or eighth: never below the first step.
        image.draft(None, (_STEPS[0][0], _STEPS[0][0]))
    load(image)
    picture = upright(image)
    for longest_side, quality in _STEPS:
        smaller = _fitted(picture, longest_side)
        encoded = encode(smaller, JPEG, quality)
        if len(encoded) <= MAX_CONTENT_BYTES:
            break
    note = (
        f"shrunk from {_words(before, len(content))} to {_words(smaller.size, len(encoded))} "
        "to fit the request of 1.5 MB"
    )
    return PreparedPhoto(encoded, JPEG.mime_type, note)


def _seen_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of the picture as one sees it, in pixels."""
    width, height = image.size
    return (height, width) if orientation(image) >= 5 else (width, height)


def _fitted(picture: Image.Image, longest_side: int) -> Image.Image:
    from PIL import Image

    smaller = picture.copy()
    smaller.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return smaller


def _words(size: tuple[int, int], size_bytes: int) -> str:
    return f"{size[0]}×{size[1]} ({size_bytes / 1e6:.1f} MB)"
