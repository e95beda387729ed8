"""Photos with two labels, made of photos with one: two clothing photos side by side.

    python examples/clothing_pairs.py ../shared/datasets/clothing pairs --pairs 600
    ops import-dataset pairs/pairs.csv

SOURCE holds `train`, `validation` and `test`, each a folder per class. OUT gets the photos and
`pairs.csv`, rows of split, path, label, label. A pair is of two classes and of one split, so no
photo of the test pairs is ever learned from. The same seed makes the same pairs.
"""

import argparse
import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

SPLITS = {"training": "train", "validation": "validation", "test": "test"}
SHARES = {"training": 0.8, "validation": 0.1, "test": 0.1}
SUFFIXES = (".jpg", ".jpeg", ".png")
HALF_WIDTH, SIDE = 224, 448


@dataclass(frozen=True)
class Pair:
    """Two photos of different classes, left and right."""

    split: str
    left: Path
    right: Path

    @property
    def labels(self) -> tuple[str, str]:
        """The classes of both, left first."""
        return self.left.parent.name, self.right.parent.name


def draw_pairs(source: Path, count: int, seed: int) -> Iterator[Pair]:
    """So many pairs, 80/10/10 by split; every two classes are as likely as any other two."""
    dice = random.Random(seed)
    for split, folder in SPLITS.items():
        photos = photos_by_class(source / folder)
        for _ in range(round(count * SHARES[split])):
            first, second = dice.sample(sorted(photos), 2)
            yield Pair(split, dice.choice(photos[first]), dice.choice(photos[second]))


def photos_by_class(folder: Path) -> dict[str, list[Path]]:
    """The photos of a folder per class. SystemExit where there are fewer than two classes."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = {
        path.name: sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        for path in classes
    }
    filled = {name: photos for name, photos in found.items() if photos}
    if len(filled) < 2:
        raise SystemExit(f"{folder} needs photos of two classes. Received: {sorted(filled)}")
    return filled


def side_by_side(pair: Pair) -> Image.Image:
    """A white square with both photos whole: a model that looks at the centre sees all of them."""
    canvas = Image.new("RGB", (SIDE, SIDE), "white")
    for place, path in enumerate((pair.left, pair.right)):
        with Image.open(path) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        photo.thumbnail((HALF_WIDTH, SIDE))
        left = place * HALF_WIDTH + (HALF_WIDTH - photo.width) // 2
        canvas.paste(photo, (left, (SIDE - photo.height) // 2))
    return canvas


def write_pairs(source: Path, folder: Path, count: int, seed: int) -> Path:
    """The CSV beside the photos it names; written last, so that it never names a missing one."""
    photos = folder / "photos"
    photos.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, pair in enumerate(draw_pairs(source, count, seed)):
        name = f"{number:05d}.jpg"
        side_by_side(pair).save(photos / name, "JPEG", quality=88)
        rows.append([pair.split, f"photos/{name}", *pair.labels])
    table = folder / "pairs.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return table


def main() -> None:
    """Writes the pairs that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a folder with train, validation and test")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--pairs", type=int, default=600, help="how many photos to make")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same pairs")
    given = parser.parse_args()
    table = write_pairs(given.source, given.out, given.pairs, given.seed)
    print(f"Photos with two labels each are listed in {table}")


if __name__ == "__main__":
    main()
