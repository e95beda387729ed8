"""Flatten and dense layers: the SavedModel's graph and the LiteRT file give the same rows."""

import numpy as np
import pytest

from trainer.export import embedded
from trainer.imports import tensorflow
from trainer.models.litert import Interpreter, classifier_model, embedding_model
from trainer.models.network import Classifier, Floats, Layer, Network


def dense_network() -> Network:
    """A convolution, a flatten and a dense layer on 6 × 6 pixels."""
    random = np.random.default_rng(0)

    def array(*shape: int) -> Floats:
        return random.normal(size=shape).astype(np.float32)

    layers = (
        Layer("convolution", array(3, 3, 3, 4), array(4), stride=2, relu6=True),
        Layer("flatten"),
        Layer("dense", array(36, 5), array(5), relu6=True),
    )
    return Network("test", 6, 100.0, 50.0, layers)


@pytest.fixture
def pixels() -> Floats:
    """Two photos of 6 × 6 random pixels."""
    return np.random.default_rng(2).integers(0, 256, (2, 6, 6, 3)).astype(np.float32)


def test_rows_of_both_runtimes_are_the_same(pixels: Floats) -> None:
    """TensorFlow and LiteRT agree, and the row is the matrix product of the flattened maps."""
    network = dense_network()
    wide = Network("test", 6, 100.0, 50.0, network.layers[:2])
    kernel, bias = network.layers[2].kernel, network.layers[2].bias
    assert kernel is not None and bias is not None

    expected = embedded(network, tensorflow().constant(pixels)).numpy()
    lite = np.stack([Interpreter(embedding_model(network)).run(photo) for photo in pixels])
    flat = np.stack([Interpreter(embedding_model(wide)).run(photo) for photo in pixels])

    np.testing.assert_allclose(lite, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.clip(flat @ kernel + bias, 0, 6), lite, rtol=1e-3, atol=1e-4)
    assert (wide.width, network.width) == (36, 5)


def test_pixels_alone_are_an_embedding(pixels: Floats) -> None:
    """A linear model has no layer but a flatten; its scores are those of the class itself."""
    network = Network("linear", 6, 100.0, 50.0, (Layer("flatten"),))
    weights = np.random.default_rng(1).normal(size=(108, 3)).astype(np.float32)
    classifier = Classifier(network, weights, np.zeros(3, np.float32), ("a", "b", "c"), False)
    flat = ((pixels - 100) / 50).reshape(2, -1).astype(np.float32)

    scores = Interpreter(classifier_model(classifier)).run(pixels[0])
    expected: Floats = classifier.scores(flat)

    np.testing.assert_allclose(scores, expected[0], rtol=1e-3, atol=1e-5)
