"""`trainer.data.decode`: any photo as a square, or a sentence on why not."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.trainer.data.photos import PNG_MAGIC, RGBA, chunk
from trainer.data.decode import scale_for, square, whole
from trainer.data.resize import resized
from trainer.errors import PhotoError

Maker = Callable[..., bytes]


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        ("JPEG", "RGB", (300, 200)),
        ("JPEG", "L", (300, 200)),
        ("JPEG", "CMYK", (300, 200)),
        ("JPEG", "RGB", (2000, 1500)),
        ("PNG", "RGBA", (120, 300)),
        ("PNG", "P", (300, 200)),
        ("PNG", "1", (300, 200)),
        ("PNG", "L", (1, 1)),
        ("PNG", "RGB", (1000, 3)),
        ("GIF", "P", (300, 200)),
        ("BMP", "RGB", (300, 200)),
        ("WEBP", "RGBA", (300, 200)),
    ],
)
def test_every_kind_of_photo_becomes_a_square(
    photo_bytes: Maker, kind: str, mode: str, size: tuple[int, int]
) -> None:
    """Grey, palette, alpha, CMYK, tiny, thin and big photos all give (64, 64, 3) bytes."""
    pixels = square(photo_bytes(kind, mode, size), 64)

    assert pixels.shape == (64, 64, 3)
    assert pixels.dtype == np.uint8


def test_the_centre_is_kept_and_not_squashed() -> None:
    """The sides of a wide photo are cut off; its middle third fills the square."""
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")

    assert square(file.getvalue(), 50).min() == 255


def test_a_transparent_photo_lies_on_white() -> None:
    """What alpha hides is white, not whatever colour the pixels below happen to have."""
    file = io.BytesIO()
    Image.new("RGBA", (10, 10), (10, 20, 30, 0)).save(file, "PNG")

    assert square(file.getvalue(), 8).min() == 255


@pytest.mark.parametrize(("short", "ratio"), [(100, 1), (127, 1), (128, 2), (255, 2), (9999, 8)])
def test_a_jpeg_is_shrunk_as_far_as_it_still_fills_the_square(short: int, ratio: int) -> None:
    """The scaled decode never leaves fewer pixels than the network's 64."""
    assert scale_for(short, 64) == ratio


def test_a_big_photo_has_the_bits_of_one_seen_whole() -> None:
    """Read in strips, six million pixels with alpha give what the whole, cut and scaled, gives."""
    values = np.random.default_rng(0).integers(0, 256, (2300, 2600, 4), np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", compress_level=0)
    cut = whole(file.getvalue(), 64)[:, 150:2450]

    np.testing.assert_array_equal(square(file.getvalue(), 64), resized(cut, 64, 64))


def test_a_big_photo_is_in_memory_once() -> None:
    """A PNG of 25 million pixels with alpha takes its 100 MB and few more, not five times that."""
    pack = zlib.compressobj(1)
    row = b"\0" + bytes(4 * 5000)
    packed = b"".join(pack.compress(row) for _ in range(5000)) + pack.flush()
    header = struct.pack(">IIBBBBB", 5000, 5000, 8, RGBA, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    program = (
        "import sys, PIL.PngImagePlugin; from trainer.data.decode import square\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: int(status().partition('VmHWM:')[2].split()[0])\n"
        "photo, before = sys.stdin.buffer.read(), peak()\n"
        "square(photo, 64); print(peak() - before)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], input=PNG_MAGIC + body, capture_output=True, check=True
    )

    assert int(done.stdout) / 1024 < 200


def test_bytes_that_are_no_photo_are_told(photo_bytes: Maker) -> None:
    """Empty, text, cut short and too many pixels each have their sentence."""
    bomb = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(bomb, "PNG")
    cases = {
        b"": "the file is empty",
        b"hello": "not a JPEG, PNG, GIF, BMP or WebP photo; it starts with b'hello'",
        photo_bytes("JPEG")[:1500]: "a damaged JPEG",
        photo_bytes("PNG")[:1500]: "a damaged PNG",
        bomb.getvalue(): "too many pixels",
    }
    for data, sentence in cases.items():
        with pytest.raises(PhotoError, match=sentence):
            square(data, 64)
