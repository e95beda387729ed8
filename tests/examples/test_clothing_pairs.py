"""`examples/clothing_pairs.py`: photos with two labels, of photos with one."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "examples/clothing_pairs.py"
COLOURS = {"coat": "red", "hat": "lime", "t-shirt": "blue"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two photos, one colour a class, in each class of each split."""
    for split in ("train", "validation", "test"):
        for label, colour in COLOURS.items():
            folder = tmp_path / "source" / split / label
            folder.mkdir(parents=True)
            for number in range(2):
                Image.new("RGB", (90, 120), colour).save(folder / f"{number}.jpg")
    return tmp_path / "source"


def make(source: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The script's run."""
    command = [sys.executable, str(SCRIPT), str(source), str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_row_names_what_is_on_the_photo(source: Path, tmp_path: Path) -> None:
    """Left and right half of every photo have the colours of its row's two labels."""
    assert make(source, tmp_path / "out", "--pairs", "20").returncode == 0

    rows = list(csv.reader((tmp_path / "out/pairs.csv").open()))
    assert [row[0] for row in rows] == ["training"] * 16 + ["validation"] * 2 + ["test"] * 2
    for _, name, left, right in rows:
        photo = Image.open(tmp_path / "out" / name)
        for label, place in ((left, 112), (right, 336)):
            pixel = photo.getpixel((place, 224))
            assert isinstance(pixel, tuple)
            assert max(range(3), key=lambda c: pixel[c]) == list(COLOURS).index(label)


def test_the_same_seed_makes_the_same_pairs(source: Path, tmp_path: Path) -> None:
    """Two runs of one seed are equal by the byte, another seed is not."""
    for name, seed in (("one", "3"), ("two", "3"), ("three", "4")):
        make(source, tmp_path / name, "--pairs", "20", "--seed", seed)

    one, two, three = ((tmp_path / n / "pairs.csv").read_bytes() for n in ("one", "two", "three"))
    photos = [(tmp_path / n / "photos/00000.jpg").read_bytes() for n in ("one", "two")]
    assert one == two != three
    assert photos[0] == photos[1]


def test_a_source_without_photos_is_refused(tmp_path: Path) -> None:
    """The sentence names the folder that is missing."""
    run = make(tmp_path / "nothing", tmp_path / "out")

    assert run.returncode == 1
    assert "train needs photos of two classes" in run.stderr
