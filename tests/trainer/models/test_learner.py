"""`trainer.models.learner`: what is trained is what is exported, and can be gone on from."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.errors import ConfigError
from trainer.flags import parse, read_table, settled
from trainer.hyper import Hyper, settle
from trainer.models.cnn import embed
from trainer.models.learner import Learner
from trainer.models.network import Floats
from trainer.models.zoo import blocks

FAMILIES = ("linear", "dnn", "dnn_dropout", "cnn", "cnn_batch_norm")


def hyper_of(*arguments: str) -> Hyper:
    """The hyper-parameters of flags, for 40 photos of 8 × 8 pixels and small layers."""
    table = read_table()
    flags = settled(parse(arguments, table), table)
    small = replace(settle(flags, 40, [16]), image_size=8)
    return replace(small, hidden_units=(6,) if small.hidden_units else (), filters=(4, 5))


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Forty squares, dark for the first label and light for the second."""
    random = np.random.default_rng(0)
    dark = random.integers(0, 100, (20, 8, 8, 3))
    return np.concatenate([dark, dark + 120]).astype(np.uint8)


@pytest.fixture
def targets() -> Floats:
    """Which label each square has."""
    return np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)


def taught(learner: Learner, steps: int) -> float:
    """The last loss of so many steps on all photos."""
    random = np.random.default_rng(0)
    loss = 0.0
    for _ in range(steps):
        loss, _ = learner.step(random.permutation(learner.photos), random, 0.01)
    return loss


@pytest.mark.parametrize(
    ("family", "several"), [*((name, False) for name in FAMILIES), ("cnn", True)]
)
def test_the_exported_network_gives_the_trained_one_s_logits(
    pixels: NDArray[np.uint8], targets: Floats, family: str, several: bool
) -> None:
    """With batch normalisation folded in and dropout gone the numbers stay; and it has learned."""
    hyper = hyper_of(f"--model-type={family}")
    learner = Learner(blocks(hyper), pixels, targets, hyper, several)

    first, last = taught(learner, 1), taught(learner, 60)
    network, weights, bias = learner.network()
    exported = embed(network, pixels) @ weights + bias

    np.testing.assert_allclose(exported, learner.logits(pixels), rtol=1e-2, atol=2e-3)
    assert last < first
    assert (exported.argmax(1) == targets.argmax(1)).mean() >= 0.9


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_restored_learner_goes_on_as_the_first_would(
    pixels: NDArray[np.uint8], targets: Floats, optimizer: str
) -> None:
    """Weights, the optimizer's averages and the step's number come back: the same next steps."""
    hyper = hyper_of("--model-type=cnn_batch_norm", f"--optimizer={optimizer}")
    first, second = (Learner(blocks(hyper), pixels, targets, hyper, False) for _ in range(2))
    taught(first, 3)

    second.restore(first.arrays())

    assert taught(first, 3) == taught(second, 3)
    for name, value in first.arrays().items():
        np.testing.assert_array_equal(value, second.arrays()[name])


def test_regularisation_is_in_the_loss(pixels: NDArray[np.uint8], targets: Floats) -> None:
    """With L1 or L2 the first loss is higher by the weights' size."""
    losses = []
    for flag in ("--l1=0", "--l1=0.1", "--l2=0.1"):
        hyper = hyper_of("--model-type=dnn", flag)
        losses.append(taught(Learner(blocks(hyper), pixels, targets, hyper, False), 1))

    assert losses[1] > losses[0] + 0.1
    assert losses[2] > losses[0] + 0.1


def test_too_many_filters_for_the_image_are_refused() -> None:
    """Four pools of 8 pixels leave nothing; the flags to change are named."""
    hyper = replace(hyper_of("--model-type=cnn"), filters=(4, 4, 4, 4))

    with pytest.raises(ConfigError, match="4 filters halve 8 pixels too often"):
        blocks(hyper)
