"""`trainer.data.resize`: Pillow's pixels, in less time."""

import numpy as np
import pytest
from PIL import Image

from trainer.data.resize import _by_pillow, resized

BILINEAR = Image.Resampling.BILINEAR


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((400, 533), (224, 224)),
        ((533, 400), (64, 64)),
        ((30, 20), (64, 96)),
        ((1, 1), (7, 5)),
        ((20_000, 3), (32, 32)),
        ((3, 20_000), (32, 32)),
    ],
)
def test_pixels_are_pillows_down_before_across(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    """One pixel in fifty is a level apart at most, none more: only the last bit's rounding."""
    values = np.random.default_rng(0).integers(0, 256, (*before, 3), np.uint8)
    height, width = after

    found = resized(values, width, height)

    image = Image.fromarray(values)
    expected = image.resize((image.width, height), BILINEAR).resize((width, height), BILINEAR)
    apart = np.abs(found.astype(int) - np.asarray(expected))
    assert found.shape == (height, width, 3)
    assert apart.max() <= 1
    assert apart.mean() <= 0.02


def test_one_size_stays_as_it_is() -> None:
    """No pixel of a photo that already has the size changes."""
    values = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)

    np.testing.assert_array_equal(resized(values, 8, 9), values)


def test_a_part_of_a_picture_is_seen_alone() -> None:
    """What lies beside a cut-out does not bleed into it."""
    values = np.zeros((40, 60, 3), np.uint8)
    values[:, :10] = values[:, 50:] = 255

    assert resized(values[:, 10:50], 16, 16).max() == 0


def test_without_the_simd_library_no_value_is_more_than_a_level_apart() -> None:
    """As on Linux on ARM, whichever way this machine takes."""
    values = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)

    apart = np.abs(resized(values, 32, 32).astype(int) - _by_pillow(values, 32, 32))

    assert apart.max() <= 1
    assert apart.mean() <= 0.02
