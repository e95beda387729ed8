"""A small copy of a photo for a page that carries its pictures itself."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

QUALITY = 78


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a data URI, and its width and height in pixels."""

    uri: str
    width: int
    height: int


def thumbnail(photo: bytes, longest_side: int) -> Thumbnail | None:
    """The photo, upright and no longer than `longest_side` pixels; None when it cannot be decoded.

    JPEG; PNG for what is small already (handwritten digits), which JPEG would blur. Whoever calls
    it for many holds `quiet_about_large_photos` around all of them.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(photo)) as opened:
            if opened.format == "JPEG":
                opened.draft("RGB", (longest_side, longest_side))
            small = max(opened.size) <= longest_side // 2
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    form = "PNG" if small else "JPEG"
    picture.save(file, form, quality=QUALITY, optimize=True)
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/{form.lower()};base64,{encoded}", *picture.size)
