"""`trainer.data.augment`: each photo's change is its own, of the size the table says."""

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.data import augment
from trainer.data.augment import NAMES, OPERATIONS, apply, mixed
from trainer.data.augment_draws import photo_seeds, seeds_of, uniform
from trainer.imports import tensorflow

SIZE = 40
GEOMETRY = ("crop", "flip", "zoom", "rotation", "affine")


@pytest.fixture(scope="module")
def tf() -> Any:
    """TensorFlow, once."""
    return tensorflow()


@pytest.fixture
def pixels() -> NDArray[np.float32]:
    """Twelve smooth pictures, brighter to the right, each of another colour."""
    down, across = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    shades = [
        np.stack([100 + 60 * across, 70 + 50 * down, 60 + 6 * n + 0 * down], 2) for n in range(12)
    ]
    return np.stack(shades).astype(np.float32)


def changed(tf: Any, pixels: Any, names: tuple[str, ...], seeds: Any) -> NDArray[np.float32]:
    """What `apply` makes of them in a graph."""
    graph = tf.function(lambda p, s: apply(tf, p, names, s), autograph=False)
    found: NDArray[np.float32] = graph(tf.constant(pixels), tf.constant(seeds)).numpy()
    return found


def test_a_photo_changes_the_same_in_any_batch(tf: Any, pixels: NDArray[np.float32]) -> None:
    """Alone, in another order, in a graph or without one; in the next epoch otherwise."""
    seeds = photo_seeds(7, 3, range(12))
    together = changed(tf, pixels, NAMES, seeds)

    backwards = changed(tf, pixels[::-1], NAMES, seeds[::-1])
    alone = apply(tf, tf.constant(pixels[4:5]), NAMES, tf.constant(seeds[4:5])).numpy()
    later = changed(tf, pixels, NAMES, photo_seeds(7, 4, range(12)))
    other = changed(tf, pixels, NAMES, photo_seeds(8, 3, range(12)))

    np.testing.assert_allclose(backwards[::-1], together, atol=1e-3)
    np.testing.assert_allclose(alone[0], together[4], atol=1e-3)
    assert all(np.abs(later[n] - together[n]).mean() > 1 for n in range(12))
    assert all(np.abs(other[n] - together[n]).mean() > 1 for n in range(12))


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS if one.change])
def test_every_operation_changes_photos_and_keeps_their_range(
    tf: Any, pixels: NDArray[np.float32], name: str
) -> None:
    """Most photos change, not all alike; nothing leaves 0–255, and the shape stays."""
    found = changed(tf, pixels, (name,), photo_seeds(0, 0, range(12)))

    differences = np.abs(found - pixels).mean((1, 2, 3))
    assert found.shape == pixels.shape
    assert found.min() >= 0 and found.max() <= 255
    assert (differences > 0.1).sum() >= 4
    assert differences.std() > 0.01


def test_nothing_asked_is_nothing_done(tf: Any, pixels: NDArray[np.float32]) -> None:
    """Without names, and with mixup alone, the photos come back as they are."""
    seeds = photo_seeds(0, 0, range(12))

    for names in ((), ("mixup",)):
        np.testing.assert_array_equal(changed(tf, pixels, names, seeds), pixels)


def test_a_flip_is_a_mirror_image_of_about_half(tf: Any, pixels: NDArray[np.float32]) -> None:
    """Each photo is exactly itself or its mirror image, 40 to 60 % of a thousand the latter."""
    found = changed(tf, pixels, ("flip",), photo_seeds(0, 0, range(12)))
    turned = (uniform(tf, photo_seeds(0, 0, range(1000)), 1, 1).numpy() < 0.5).mean()

    for before, after in zip(pixels, found, strict=True):
        assert np.allclose(after, before, atol=1e-2) or np.allclose(
            after, before[:, ::-1], atol=1e-2
        )
    assert 0.4 < turned < 0.6


def test_a_crop_is_of_the_photo_enlarged_by_ten_pixels(tf: Any) -> None:
    """Of a ramp of 100 px a tenth less is left, steeper by nothing else than the enlargement."""
    ramp = np.tile(np.arange(100, dtype=np.float32)[None, None, :, None], (8, 100, 1, 3))

    found = changed(tf, ramp, ("crop",), photo_seeds(0, 0, range(8)))

    steps = found[:, 50, 60, 0] - found[:, 50, 40, 0]
    np.testing.assert_allclose(steps, 20 * 100 / 110, atol=0.01)
    assert found[:, 50, 0, 0].min() >= 0 and np.ptp(found[:, 50, 0, 0]) > 2


def test_brightness_and_contrast_are_within_the_table(tf: Any) -> None:
    """Brightness moves a grey photo by at most 63; contrast spreads one 0.2 to 1.8 times."""
    grey = np.full((200, 8, 8, 3), 128, np.float32)
    ramp = grey + np.linspace(-40, 40, 8, dtype=np.float32)[None, :, None, None]
    seeds = photo_seeds(1, 1, range(200))

    moved = changed(tf, grey, ("brightness",), seeds)[:, 0, 0, 0] - 128
    spreads = np.ptp(changed(tf, ramp, ("contrast",), seeds)[:, :, 0, 0], axis=1) / 80

    assert -63.01 <= moved.min() < -50 and 50 < moved.max() <= 63.01
    assert 0.199 <= spreads.min() < 0.4 and 1.6 < spreads.max() <= 1.801


def test_hue_and_saturation_keep_grey_photos_and_brightness(tf: Any) -> None:
    """Grey stays grey; of a colour the brightness stays and the hue moves by 36 degrees at most."""
    names, seeds = ("hue", "saturation"), photo_seeds(2, 0, range(100))
    grey = np.full((100, 4, 4, 3), 90, np.float32)
    red = np.zeros((100, 4, 4, 3), np.float32) + np.array([150, 100, 100], np.float32)

    np.testing.assert_allclose(changed(tf, grey, names, seeds), grey, atol=0.6)
    found = changed(tf, red, names, seeds)[:, 0, 0]
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found @ weights, red[:, 0, 0] @ weights, atol=0.6)
    assert found[:, 1].std() > 1 and found[:, 0].min() > found[:, 1:].max() - 25


def test_mixup_lays_photos_and_labels_alike(tf: Any, pixels: NDArray[np.float32]) -> None:
    """A photo's share in pixels is its share in targets, also of several labels a photo."""
    targets = np.zeros((12, 3), np.float32)
    targets[np.arange(12), np.arange(12) % 3] = 1
    targets[::4, :] = 1
    seeds = photo_seeds(0, 0, range(12))

    laid, wanted = (one.numpy() for one in mixed(tf, pixels, targets, ("mixup",), seeds))
    same = mixed(tf, pixels, targets, ("flip",), seeds)

    own = (laid - np.roll(pixels, -1, 0))[:, 0, 0, 2] / (pixels - np.roll(pixels, -1, 0))[
        :, 0, 0, 2
    ]
    assert (own > 0.499).all() and (own < 1.001).all()
    expected = own[:, None] * targets + (1 - own[:, None]) * np.roll(targets, -1, 0)
    np.testing.assert_allclose(wanted, expected, atol=1e-3)
    assert same[0] is pixels and same[1] is targets


def test_mixup_s_shares_are_of_beta(tf: Any) -> None:
    """Their mean, and how many are above 0.99, are those of numpy's Beta(0.2, 0.2)."""
    shares = augment._own_share(tf, photo_seeds(0, 0, range(20_000))).numpy()
    numpy_s = np.random.default_rng(0).beta(0.2, 0.2, 20_000)
    numpy_s = np.maximum(numpy_s, 1 - numpy_s)

    assert math.isclose(shares.mean(), numpy_s.mean(), abs_tol=0.005)
    assert math.isclose((shares > 0.99).mean(), (numpy_s > 0.99).mean(), abs_tol=0.015)


def test_draws_are_even_and_unrelated(tf: Any) -> None:
    """Of 20,000 photos: mean, spread, and no tie between purposes, places or neighbours."""
    seeds = photo_seeds(3, 1, range(20_000))

    draws = np.concatenate([uniform(tf, seeds, purpose, 3).numpy() for purpose in (0, 1, 9)], 1)
    ties = np.corrcoef(np.concatenate([draws[:-1], draws[1:]], 1).T) - np.eye(18)

    assert draws.min() >= 0 and draws.max() < 1
    np.testing.assert_allclose(draws.mean(0), 0.5, atol=0.01)
    np.testing.assert_allclose(draws.var(0), 1 / 12, atol=0.003)
    assert np.abs(ties).max() < 0.03


def test_an_epoch_s_generator_has_its_seeds() -> None:
    """Whatever was drawn from it before, its photos have the seeds of seed and epoch."""
    random = np.random.default_rng([5, 2])
    random.permutation(9)

    np.testing.assert_array_equal(seeds_of(random, [0, 3]), photo_seeds(5, 2, [0, 3]))


def test_the_flag_has_the_table_s_names() -> None:
    """`--augment` takes every operation and no other."""
    flags = tomllib.loads((Path(augment.__file__).parents[1] / "flags.toml").read_text())

    assert tuple(flags["augment"]["choices"]) == NAMES
