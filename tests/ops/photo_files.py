"""Real photos, made with Pillow: every one another picture, the same in every run."""

import io
import random
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def picture(seed: object, size: tuple[int, int] = (24, 16)) -> Image.Image:
    """Noise that nobody else has."""
    pixels = random.Random(str(seed)).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, pixels)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture as a file of this format."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(seed: object) -> bytes:
    """A small JPEG that nobody else has."""
    return encoded(picture(seed))


def write_photos(folder: Path, labels: Mapping[str, int]) -> Path:
    """`folder`, with this many photos under each label: LABEL/00.jpg, LABEL/01.jpg, …"""
    for label, number in labels.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for index in range(number):
            (folder / label / f"{index:02}.jpg").write_bytes(photo(f"{label}/{index}"))
    return folder


def with_orientation(image: Image.Image, orientation: int) -> bytes:
    """A JPEG whose EXIF says how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, exif=exif)
