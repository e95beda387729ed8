"""`trainer.models.keras_student`: what learns, what stays, and that it can be gone on from."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.flags import parse, read_table, settled
from trainer.hyper import Hyper, settle
from trainer.models.backbones import IMAGENET, NONE
from trainer.models.keras_backbone import build
from trainer.models.keras_student import KerasStudent, units

SIDE, PHOTOS, BATCH = 32, 24, 8
HEAD = (np.zeros((1280, 2), np.float32), np.zeros(2, np.float32))


@pytest.fixture(scope="module")
def hyper() -> Hyper:
    """The settings of a transfer, with changes of photos and dropout."""
    table = read_table()
    flags = settled(parse(["--model-type=transfer", "--seed=2"], table), table)
    return replace(settle(flags, PHOTOS, [28]), augment=("crop", "zoom"))


@pytest.fixture(scope="module")
def lessons() -> tuple[np.ndarray, np.ndarray]:
    """Dark and bright noise as two labels."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (PHOTOS, SIDE, SIDE, 3)).astype(np.uint8)
    pixels[::2] //= 3
    targets = np.zeros((PHOTOS, 2), np.float32)
    targets[::2, 0] = targets[1::2, 1] = 1
    return pixels, targets


def taught(student: KerasStudent, steps: range, rate: float = 0.01) -> list[float]:
    """The losses of some steps, each as the loop would make it."""
    order = np.random.default_rng(0).permutation(PHOTOS)
    return [
        student.step(np.resize(order[step * BATCH :], BATCH), np.random.default_rng([2, 0]), rate)[
            0
        ]
        for step in steps
    ]


@pytest.mark.training
def test_only_the_top_learns_and_statistics_stay(
    hyper: Hyper, lessons: tuple[np.ndarray, np.ndarray]
) -> None:
    """Of Lite0's two upper layers, the lower at a rate of nought: all but the top is as it was."""
    lite0 = build("lite0", SIDE, IMAGENET, seed=0)
    before = {one.path: one.numpy() for one in lite0.base.weights}
    below, top = [
        {one.path for layer in layers for one in layer.weights} for layers in units(lite0.base)[-2:]
    ]

    student = KerasStudent(lite0, HEAD, *lessons, hyper, (0.0, 1.0), False, mirrored=True)
    losses = taught(student, range(3))

    after = {one.path: one.numpy() for one in lite0.base.weights}
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    learns = {path for path in below | top if "moving" not in path}
    assert np.isfinite(losses).all()
    assert changed == learns & top
    assert len(changed) == 3
    assert set(student.weights()) == learns | {"head", "bias"}


@pytest.mark.training
def test_from_nothing_all_learns_and_goes_on_as_if_never_stopped(
    hyper: Hyper, lessons: tuple[np.ndarray, np.ndarray]
) -> None:
    """Statistics are taken from these photos; arrays after a step lead to the same second step."""
    small = build("MobileNetV2", SIDE, NONE, seed=0, width=0.35)
    factors = (1.0,) * len(units(small.base))
    student = KerasStudent(small, HEAD, *lessons, hyper, factors, False, mirrored=False)

    first = taught(student, range(1))
    kept = student.arrays()
    second = taught(student, range(1, 2))
    weights = student.weights()
    student.restore(kept)
    third = taught(student, range(1, 2))

    assert third == second != first
    assert all(np.array_equal(value, weights[name]) for name, value in student.weights().items())
    means = [name for name in kept if name.endswith("moving_mean")]
    assert len(means) == 52
    assert not any(np.array_equal(kept[name], weights[name]) for name in means)


@pytest.mark.training
def test_layers_are_counted_with_their_normalisation() -> None:
    """Lite0 has 49 layers with kernels, each with the normalisation that follows it."""
    lite0 = build("lite0", SIDE, NONE, seed=0)

    found = units(lite0.base)

    assert len(found) == 49
    assert {len(layers) for layers in found} == {2}
