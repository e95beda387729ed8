"""`trainer.models.tail`: a network cut in two, its end trained on, and put together again."""

from typing import Any

import numpy as np
import pytest

from trainer.flags import parse, read_table, settled
from trainer.hyper import Hyper, settle
from trainer.models.cnn import embed
from trainer.models.efficientnet_lite import lite0, tail_layer
from trainer.models.litert import Interpreter, maps_model
from trainer.models.network import Classifier, Floats, Layer, Network
from trainer.models.tail import Tail, Views, joined, split

CUT = 2


@pytest.fixture(scope="module")
def network() -> Network:
    """Two layers in front; a block with a residual and a head convolution behind."""
    random = np.random.default_rng(0)

    def layer(*shape: int, **more: Any) -> Layer:
        kind: Any = "depthwise" if shape[-1] == 1 else "convolution"
        kernel = (random.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
        bias = np.zeros(shape[2] if kind == "depthwise" else shape[-1], np.float32)
        return Layer(kind, kernel, bias, **more)

    layers = (
        layer(3, 3, 3, 8, stride=2, relu6=True),
        layer(1, 1, 8, 6),
        layer(1, 1, 6, 12, relu6=True),
        layer(3, 3, 12, 1, relu6=True),
        layer(1, 1, 12, 12),
        layer(1, 1, 12, 12, adds=2),
        layer(1, 1, 12, 10, relu6=True),
    )
    return Network("test", 16, 127.0, 64.0, layers)


@pytest.fixture(scope="module")
def photos() -> Floats:
    """Thirty squares: redder for the first label, bluer for the second."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 120, (30, 16, 16, 3)).astype(np.float32)
    pixels[:15, ..., 0] += 110
    pixels[15:, ..., 2] += 110
    return pixels


@pytest.fixture(scope="module")
def views(network: Network, photos: Floats) -> Views:
    """The front's maps of each photo."""
    reader = Interpreter(maps_model(network, CUT))
    made = []
    for photo in photos:
        reader.run(photo)
        made.append([reader.second().astype(np.float16)])
    return made


def student(network: Network, views: Views, *flags: str) -> Tail:
    """A tail with a head of zeros, one label a photo."""
    table = read_table()
    hyper: Hyper = settle(settled(parse(["--model-type=transfer", *flags], table), table), 30, [])
    nothing = np.zeros((10, 2), np.float32), np.zeros(2, np.float32)
    start = Classifier(network, *nothing, ("red", "blue"), mirrored=False)
    targets = np.repeat(np.eye(2, dtype=np.float32), 15, axis=0)
    return Tail(split(network, CUT)[1], start, views, targets, hyper)


def teach(tail: Tail, steps: int) -> float:
    """The last loss of so many steps."""
    random, loss = np.random.default_rng(0), 0.0
    for _ in range(steps):
        loss, _ = tail.step(random.permutation(30), random, 0.05)
    return loss


def test_a_network_cut_and_joined_is_the_same(network: Network) -> None:
    """Also Lite0, whose last blocks add only each other's outputs."""
    whole = lite0()
    for each, layer in ((network, CUT), (whole, tail_layer())):
        again = joined(each, layer, split(each, layer)[1])
        assert [made.adds for made in again.layers] == [was.adds for was in each.layers]
        assert again.width == each.width


def test_an_untrained_tail_gives_the_network_s_own_embeddings(
    network: Network, photos: Floats, views: Views
) -> None:
    """Maps through the tail are what the whole network gives, but for float16."""
    rows = student(network, views).embeddings([view for each in views for view in each])

    np.testing.assert_allclose(rows, embed(network, photos.astype(np.uint8)), rtol=0.02, atol=0.01)


def test_a_trained_tail_is_what_the_joined_network_computes(
    network: Network, photos: Floats, views: Views
) -> None:
    """It learns, depthwise kernels stay, and the whole network with it gives its answers."""
    tail = student(network, views)

    first, last = teach(tail, 1), teach(tail, 60)
    whole = joined(network, CUT, tail.network())
    weights, bias = tail.head()
    logits = embed(whole, photos.astype(np.uint8)) @ weights + bias

    assert last < first
    assert (logits.argmax(1) == np.repeat([0, 1], 15)).mean() >= 0.9
    np.testing.assert_array_equal(whole.layers[3].kernel, network.layers[3].kernel)
    rows = tail.embeddings([view for each in views for view in each])
    np.testing.assert_allclose(rows @ weights + bias, logits, rtol=0.05, atol=0.05)


def test_a_restored_tail_goes_on_as_the_first_would(network: Network, views: Views) -> None:
    """Weights, running means and momentum come back: the same next steps."""
    first, second = student(network, views), student(network, views)
    teach(first, 3)

    second.restore(first.arrays())

    assert teach(first, 2) == teach(second, 2)
    for name, value in first.weights().items():
        np.testing.assert_array_equal(value, second.weights()[name])
