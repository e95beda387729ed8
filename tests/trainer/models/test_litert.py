"""`trainer.models.litert`: files put together by hand that LiteRT runs as numpy would."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.models.litert import Interpreter, classifier_model, embedding_model
from trainer.models.network import Classifier, Floats, Layer, Network

Doubles = NDArray[np.float64]


def small_network() -> Network:
    """Every kind of layer once, on 8 × 8 pixels; nothing bigger than a person can check."""
    random = np.random.default_rng(0)

    def array(*shape: int) -> Floats:
        return random.normal(size=shape).astype(np.float32)

    return Network(
        "test",
        8,
        100.0,
        50.0,
        (
            Layer("convolution", array(3, 3, 3, 4), array(4), stride=2, relu6=True),
            Layer("depthwise", array(3, 3, 4, 1), array(4), relu6=True),
            Layer("convolution", array(1, 1, 4, 4), array(4), adds=0),
            Layer("pool"),
        ),
    )


def small_classifier(mirrored: bool) -> Classifier:
    """Three labels on the small network."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(4, 3)).astype(np.float32)
    return Classifier(small_network(), weights, np.zeros(3, np.float32), ("a", "b", "c"), mirrored)


def by_hand(network: Network, pixels: Floats) -> Doubles:
    """The embedding of one photo by plain loops: the definition, not a library."""
    outputs: list[Doubles] = [(pixels.astype(np.float64) - network.mean) / network.scale]
    for layer in network.layers:
        value = outputs[-1]
        if layer.kind == "pool":
            height, width, channels = value.shape
            cells = value.reshape(height // 2, 2, width // 2, 2, channels)
            outputs.append(cells.max(axis=(1, 3)))
            continue
        made = convolved(value, layer)
        if layer.relu6:
            made = np.clip(made, 0, 6)
        outputs.append(made if layer.adds is None else made + outputs[layer.adds + 1])
    result: Doubles = outputs[-1].mean(axis=(0, 1))
    return result


def convolved(value: Doubles, layer: Layer) -> Doubles:
    """A convolution with "SAME" padding as TensorFlow defines it."""
    assert layer.kernel is not None and layer.bias is not None
    side, size, step = len(value), len(layer.kernel), layer.stride
    out = -(-side // step)
    before = max((out - 1) * step + size - side, 0) // 2
    padded = np.pad(value, ((before, size), (before, size), (0, 0)))
    made = np.zeros((out, out, len(layer.bias)))
    for row in range(out):
        for column in range(out):
            top, left = row * step, column * step
            window = padded[top : top + size, left : left + size]
            if layer.kind == "depthwise":
                made[row, column] = (window * layer.kernel[..., 0]).sum(axis=(0, 1))
            else:
                made[row, column] = np.tensordot(window, layer.kernel, 3)
    result: Doubles = made + layer.bias
    return result


@pytest.fixture
def pixels() -> Floats:
    """One photo of 8 × 8 random pixels."""
    return np.random.default_rng(2).integers(0, 256, (8, 8, 3)).astype(np.float32)


def test_an_embedding_is_what_the_definition_says(pixels: Floats) -> None:
    """Convolution, depthwise, residual, pool and mean agree with plain loops."""
    network = small_network()

    row = Interpreter(embedding_model(network)).run(pixels)

    np.testing.assert_allclose(row, by_hand(network, pixels), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_scores_are_the_softmax_of_the_embedding(pixels: Floats, mirrored: bool) -> None:
    """The whole classifier's file gives the class's own scores, mirror image averaged in."""
    classifier = small_classifier(mirrored)
    rows = [by_hand(classifier.network, view) for view in (pixels, pixels[:, ::-1])]
    embedding = np.mean(rows if mirrored else rows[:1], axis=0, keepdims=True)

    scores = Interpreter(classifier_model(classifier), threads=2).run(pixels)

    np.testing.assert_allclose(scores, classifier.scores(embedding)[0], rtol=1e-3, atol=1e-5)


def test_a_digest_is_of_weights_labels_and_shape() -> None:
    """The same model has the same digest; another label, weight or view has another."""
    model = small_classifier(False)
    renamed = Classifier(model.network, model.weights, model.bias, ("a", "b", "d"), False)
    moved = Classifier(model.network, model.weights + 1e-6, model.bias, model.labels, False)

    digests = {m.digest() for m in (model, renamed, moved, small_classifier(True))}

    assert model.digest() == small_classifier(False).digest()
    assert len(digests) == 4
