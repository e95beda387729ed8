"""An explanation as a picture: the photo, dimmed and grey where it does not matter.

What the model never saw, beside the centre square, is darkest. Around the heaviest places runs a
line. Colours: what matters keeps its own, or, of single pixels, glows from orange to yellow.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.resize import Pixels
from trainer.explaining.boxes import heaviest
from trainer.models.network import Floats

MIME_TYPE = "image/jpeg"
MOST_SIDE = 640
QUALITY = 85
UNSEEN, DIM, GREY = 0.2, 0.3, 0.8
LINE = (255, 214, 10)
COLD, HOT = (214, 40, 40), (255, 236, 120)


@dataclass(frozen=True)
class Crop:
    """The square of a photo that the model sees, in the photo's pixels."""

    left: int
    top: int
    side: int
    width: int
    height: int


def centre_square(width: int, height: int) -> Crop:
    """The crop of a photo, as `trainer.data.decode` and the exported graph take it."""
    side = min(width, height)
    return Crop((width - side) // 2, (height - side) // 2, side, width, height)


def overlay(photo: Pixels, values: Floats, glows: bool, most_side: int) -> bytes:
    """The picture as JPEG, no side above `most_side`; `values` is a map of the centre square.

    `photo` is `(height, width, 3)` RGB. With `glows` weight is painted on the grey photo.
    """
    from PIL import Image

    crop = centre_square(photo.shape[1], photo.shape[0])
    scale = min(1.0, most_side / max(crop.width, crop.height))
    size = max(1, round(crop.width * scale)), max(1, round(crop.height * scale))
    smaller = Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS)
    pixels = np.asarray(smaller, np.float32)
    grey = pixels @ np.array((0.299, 0.587, 0.114), np.float32)
    dull = GREY * grey[..., None] + (1 - GREY) * pixels
    picture = dull * UNSEEN
    left, top = round(crop.left * scale), round(crop.top * scale)
    side = max(1, min(round(crop.side * scale), size[0] - left, size[1] - top))
    seen = slice(top, top + side), slice(left, left + side)
    weight = _enlarged(_importance(values), side)[..., None]
    shown = _glow(weight) if glows else pixels[seen]
    picture[seen] = weight * shown + (1 - weight) * dull[seen] * DIM
    if not glows:
        picture[seen][_edges(_enlarged(heaviest(values).astype(np.float32), side) > 0.5)] = LINE
    file = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _importance(values: Floats) -> Floats:
    """1 for the heaviest pixels, falling to 0 where 95 % of the positive weight is before them."""
    positive = np.clip(values, 0, None).astype(np.float64).ravel()
    order = np.argsort(-positive, kind="stable")
    before = (np.cumsum(positive[order]) - positive[order]) / max(positive.sum(), 1e-12)
    found = np.zeros(positive.size, np.float32)
    found[order] = np.clip((0.95 - before) / 0.45, 0, 1) * (positive[order] > 0)
    return found.reshape(values.shape)


def _enlarged(values: Floats, side: int) -> Floats:
    from PIL import Image

    image = Image.fromarray((values * 255).astype(np.uint8))
    larger = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32)
    return (larger / 255).astype(np.float32)


def _glow(weight: Floats) -> Floats:
    cold, hot = np.array(COLD, np.float32), np.array(HOT, np.float32)
    glow: Floats = cold + (hot - cold) * weight
    return glow


def _edges(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a shape that touch what is outside it, two wide."""
    core = inside.copy()
    for _ in range(2):
        smaller = core.copy()
        smaller[1:] &= core[:-1]
        smaller[:-1] &= core[1:]
        smaller[:, 1:] &= core[:, :-1]
        smaller[:, :-1] &= core[:, 1:]
        core = smaller
    return inside & ~core
