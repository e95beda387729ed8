"""A small convolutional network trained from scratch: for drawings, digits and signs.

Five 3 × 3 convolutions with batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167),
AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) with warm-up and cosine decay, and a small
random affine change of each photo. All random numbers are numpy's, and TensorFlow's operations are
asked to be deterministic, so that one seed gives one network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.data.augment import apply
from trainer.data.augment_draws import Seeds, photo_seeds
from trainer.data.resize import Pixels
from trainer.export import embedded
from trainer.imports import tensorflow
from trainer.models.linear import Labels
from trainer.models.network import MIDDLE, Floats, Layer, Network

CHANNELS = (16, 32, 32, 64, 64)
STRIDES = (2, 1, 1, 1, 1)
POOLED_AFTER = (2,)
POOLED_AFTER_IF_BIG = (0, 2)
BIG = 40
BATCH = 32
PEAK_RATE = 8e-3
WARM_UP = 0.1
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.05
NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.9
AUGMENTED_BY = ("affine",)


@dataclass(frozen=True)
class Trained:
    """A network with its linear head `(width, labels)`, and whether every planned step was made."""

    network: Network
    weights: Floats
    bias: Floats
    finished: bool


def train(
    pixels: Pixels,
    labels: Labels,
    classes: int,
    epochs: int,
    seed: int,
    listen: Callable[[int, int], None] = lambda *_: None,
    keep_going: Callable[[], bool] = lambda: True,
) -> Trained:
    """A network trained on squares `(photos, size, size, 3)` uint8; stops early if asked to."""
    tf = tensorflow()
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(seed)
    learner = _Learner(tf, pixels, classes, random)
    per_epoch = max(len(labels) // BATCH, 1)
    total = epochs * per_epoch
    for step in range(total):
        if not keep_going():
            return learner.result(finished=False)
        if step % per_epoch == 0:
            order = random.permutation(len(labels))
        chosen = np.resize(order[step % per_epoch * BATCH :], BATCH)
        rate = _rate(step, total)
        seeds = photo_seeds(seed, step // per_epoch, chosen)
        learner.step(pixels[chosen], labels[chosen], seeds, rate)
        listen(step + 1, total)
    return learner.result(finished=True)


def embed(network: Network, pixels: Pixels) -> Floats:
    """Embeddings `(photos, width)` of squares `(photos, size, size, 3)` uint8."""
    tf = tensorflow()
    parts = [
        embedded(network, tf.constant(pixels[start : start + 256], tf.float32)).numpy()
        for start in range(0, len(pixels), 256)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, network.width), np.float32)


def _rate(step: int, total: int) -> float:
    share = (step + 1) / total
    if share < WARM_UP:
        return PEAK_RATE * share / WARM_UP
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


class _Learner:
    """The variables of a network in training and its one compiled step."""

    def __init__(self, tf: Any, pixels: Pixels, classes: int, random: np.random.Generator) -> None:
        self.tf = tf
        self.size = pixels.shape[1]
        self.pooled_after = POOLED_AFTER_IF_BIG if self.size > BIG else POOLED_AFTER
        inputs = (3, *CHANNELS[:-1])
        self.kernels = [
            self._variable(random.normal(0, math.sqrt(2 / (9 * i)), (3, 3, i, o)))
            for i, o in zip(inputs, CHANNELS, strict=True)
        ]
        self.gains = [self._variable(np.ones(o)) for o in CHANNELS]
        self.shifts = [self._variable(np.zeros(o)) for o in CHANNELS]
        self.head = self._variable(random.normal(0, 0.01, (CHANNELS[-1], classes)))
        self.bias = self._variable(np.zeros(classes))
        self.running = [(np.zeros(o), np.ones(o)) for o in CHANNELS]
        self.learned = [*self.kernels, *self.gains, *self.shifts, self.head, self.bias]
        self.moments = [(self._variable(v * 0), self._variable(v * 0)) for v in self.learned]
        self.count = 0
        self._compiled = tf.function(self._step, autograph=False)

    def _variable(self, values: Any) -> Any:
        return self.tf.Variable(self.tf.cast(values, self.tf.float32))

    def step(self, pixels: Pixels, labels: Labels, seeds: Seeds, rate: float) -> None:
        """One update of every variable from a batch."""
        self.count += 1
        rates = np.array([rate, 1 - 0.9**self.count, 1 - 0.999**self.count], np.float32)
        seen = self._compiled(pixels, labels.astype(np.int32), seeds, rates)
        for place, (mean, variance) in enumerate(seen):
            old_mean, old_variance = self.running[place]
            self.running[place] = (
                NORM_MOMENTUM * old_mean + (1 - NORM_MOMENTUM) * mean.numpy(),
                NORM_MOMENTUM * old_variance + (1 - NORM_MOMENTUM) * variance.numpy(),
            )

    def result(self, finished: bool) -> Trained:
        """The network with batch normalisation folded into its convolutions."""
        layers: list[Layer] = []
        for place in range(len(CHANNELS)):
            layers.append(self._folded(place))
            if place in self.pooled_after:
                layers.append(Layer("pool"))
        network = Network("small-cnn-5", self.size, MIDDLE, MIDDLE, tuple(layers))
        return Trained(network, self.head.numpy(), self.bias.numpy(), finished)

    def _folded(self, place: int) -> Layer:
        mean, variance = self.running[place]
        factor = self.gains[place].numpy() / np.sqrt(variance + NORM_EPSILON)
        return Layer(
            kind="convolution",
            kernel=(self.kernels[place].numpy() * factor).astype(np.float32),
            bias=(self.shifts[place].numpy() - mean * factor).astype(np.float32),
            stride=STRIDES[place],
            relu6=True,
        )

    def _step(self, pixels: Any, labels: Any, seeds: Any, rates: Any) -> list[Any]:
        tf = self.tf
        changed = apply(tf, tf.cast(pixels, tf.float32), AUGMENTED_BY, seeds)
        values = (changed - MIDDLE) / MIDDLE
        with tf.GradientTape() as tape:
            logits, seen = self._forward(values)
            classes = self.bias.shape[0]
            wanted = tf.one_hot(labels, classes) * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / classes
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        gradients = tape.gradient(loss, self.learned)
        for variable, gradient, moments in zip(self.learned, gradients, self.moments, strict=True):
            self._update(variable, gradient, *moments, rates)
        return seen

    def _forward(self, values: Any) -> tuple[Any, list[Any]]:
        tf, seen = self.tf, []
        for place in range(len(CHANNELS)):
            values = tf.nn.conv2d(values, self.kernels[place], STRIDES[place], "SAME")
            values, mean, variance, *_ = tf.compat.v1.nn.fused_batch_norm(
                values, self.gains[place], self.shifts[place], epsilon=NORM_EPSILON
            )
            seen.append((mean, variance))
            values = tf.nn.relu6(values)
            if place in self.pooled_after:
                values = tf.nn.max_pool2d(values, 2, 2, "SAME")
        return tf.matmul(tf.reduce_mean(values, (1, 2)), self.head) + self.bias, seen

    def _update(self, variable: Any, gradient: Any, first: Any, second: Any, rates: Any) -> None:
        first.assign(0.9 * first + 0.1 * gradient)
        second.assign(0.999 * second + 0.001 * self.tf.square(gradient))
        step = (first / rates[1]) / (self.tf.sqrt(second / rates[2]) + 1e-8)
        decay = WEIGHT_DECAY * variable if len(variable.shape) > 1 else 0.0
        variable.assign_sub(rates[0] * (step + decay))
