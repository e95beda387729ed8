"""Perturbed copies of photos by the hundred thousand: cropped, tinted and encoded anew, seeded."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.folds import Photo, split_of
from bench.jobs import Row

if TYPE_CHECKING:
    from PIL import Image

# The short side of a copy: above the network's 224, so that each has to be scaled as a photo is.
SIDE_PIXELS = 256
QUALITY = 80


def copies(photos: Sequence[Photo], count: int, folder: Path) -> list[Row]:
    """Rows of so many copies below the folder, as many of each photo, give or take one.

    The first copies of all photos come first, so that fewer are a part of more. A copy is for what
    its photo is for in fold 0: no test photo's copy teaches. Copies that are there are kept.
    """
    photos = photos[:count]
    each = [len(range(place, count, len(photos))) for place in range(len(photos))]
    make = partial(write_copies, folder)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        made = list(pool.map(make, photos, each, chunksize=16))
    rows = [
        (number, Row(path, (photo.label,), split_of(photo.sha256, 0)))
        for photo, paths in zip(photos, made, strict=True)
        for number, path in enumerate(paths)
    ]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def write_copies(folder: Path, photo: Photo, count: int) -> list[Path]:
    """The files of a photo's copies; the photo is decoded once."""
    import simplejpeg
    from PIL import Image

    targets = [
        folder / f"{number // 10:03d}" / f"{photo.sha256[:16]}-{number}.jpg"
        for number in range(count)
    ]
    missing = [target for target in targets if not target.exists()]
    if missing:
        whole = Image.fromarray(simplejpeg.decode_jpeg(photo.path.read_bytes(), "RGB"))
    for target in missing:
        target.parent.mkdir(parents=True, exist_ok=True)
        number = int(target.stem.rpartition("-")[2])
        dice = np.random.default_rng([int(photo.sha256[:8], 16), number])
        draft = target.with_suffix(".part")
        draft.write_bytes(simplejpeg.encode_jpeg(perturbed(whole, dice), QUALITY))
        draft.replace(target)
    return targets


def perturbed(whole: "Image.Image", dice: np.random.Generator) -> NDArray[np.uint8]:
    """Pixels of a random part, at least 70 % of each side, mirrored half the time, tinted."""
    from PIL import Image

    width, height = (round(side * dice.uniform(0.7, 1.0)) for side in whole.size)
    left, top = dice.integers(whole.width - width + 1), dice.integers(whole.height - height + 1)
    scale = SIDE_PIXELS / min(width, height)
    size = (round(width * scale), round(height * scale))
    box = (int(left), int(top), int(left) + width, int(top) + height)
    part = np.asarray(whole.resize(size, Image.Resampling.BILINEAR, box))
    tinted = np.clip(part * dice.uniform(0.85, 1.15, 3), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(tinted[:, ::-1] if dice.random() < 0.5 else tinted)
