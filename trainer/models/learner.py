"""A network of blocks in training: its variables, its one compiled step, and what it has learned.

All random numbers are numpy's or drawn from the seed and the step's number, and TensorFlow's
operations are asked to be deterministic: one seed gives one network, also after a restart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.augment import apply, mixed
from trainer.data.augment_draws import seeds_of
from trainer.data.resize import Pixels
from trainer.hyper import Hyper
from trainer.imports import tensorflow
from trainer.models.network import MIDDLE, Floats, Layer, Network
from trainer.models.rules import Rule, dropped, losses, penalty, right, step_rates
from trainer.models.zoo import Block

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.9
JUDGED_AT_ONCE = 256

Arrays = dict[str, NDArray[Any]]


class Learner:
    """One network: steps on training squares, logits of any squares, arrays to keep it by."""

    def __init__(
        self,
        blocks: Sequence[Block],
        pixels: Pixels,
        targets: Floats,
        hyper: Hyper,
        multi_label: bool,
    ) -> None:
        """`pixels` `(photos, size, size, 3)` uint8 and `targets` `(photos, labels)`, 0 or 1."""
        self.tf = tensorflow()
        self.tf.config.experimental.enable_op_determinism()
        self.blocks, self.pixels, self.targets = tuple(blocks), pixels, targets
        self.hyper, self.multi_label = hyper, multi_label
        self.rule = Rule(hyper.optimizer, hyper.weight_decay)
        self.size = pixels.shape[1]
        self.count = 0
        self.learned: dict[str, Any] = {}
        self.running: dict[str, Any] = {}
        self._make_variables(np.random.default_rng(hyper.seed))
        self.slots = {
            name: (self._variable(value * 0), self._variable(value * 0))
            for name, value in self.learned.items()
        }
        self._compiled = self.tf.function(self._step, autograph=False)
        spec = self.tf.TensorSpec((None, self.size, self.size, 3), self.tf.uint8)
        self._judge = self.tf.function(self._judged, input_signature=[spec], autograph=False)

    @property
    def photos(self) -> int:
        """How many photos teach."""
        return len(self.pixels)

    def step(
        self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
    ) -> tuple[float, float]:
        """The loss and the share of right answers of one step on the chosen photos."""
        self.count += 1
        rates, seeds = step_rates(rate, self.count), seeds_of(random, chosen)
        number = np.int32(self.count)
        loss, share = self._compiled(
            self.pixels[chosen], self.targets[chosen], seeds, rates, number
        )
        return float(loss), float(share)

    def logits(self, pixels: Pixels) -> Floats:
        """Logits `(photos, labels)` of squares, as the exported network will give them."""
        parts = [
            self._judge(pixels[start : start + JUDGED_AT_ONCE]).numpy()
            for start in range(0, len(pixels), JUDGED_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.targets.shape[1]), np.float32)

    def weights(self) -> Arrays:
        """What the exported network is made of, by name."""
        known = {**self.learned, **self.running}
        return {name: variable.numpy() for name, variable in known.items()}

    def arrays(self) -> Arrays:
        """Everything to go on from: weights, the optimizer's averages, the number of steps."""
        slots = {
            f"{name}/slot{place}": slot.numpy()
            for name, pair in self.slots.items()
            for place, slot in enumerate(pair)
        }
        return {**self.weights(), **slots, "count": np.array(self.count)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes back `weights()` or `arrays()`. Raises KeyError or ValueError if they differ."""
        for name, variable in {**self.learned, **self.running}.items():
            variable.assign(arrays[name])
        if "count" in arrays:
            self.count = int(arrays["count"])
            for name, pair in self.slots.items():
                for place, slot in enumerate(pair):
                    slot.assign(arrays[f"{name}/slot{place}"])

    def network(self) -> tuple[Network, Floats, Floats]:
        """The network with batch normalisation folded in, and the head's weights and bias."""
        layers = [
            self._layer(place, block)
            for place, block in enumerate(self.blocks)
            if block.kind != "dropout"
        ]
        name = self.hyper.model_type.replace("_", "-")
        network = Network(name, self.size, MIDDLE, MIDDLE, tuple(layers))
        return network, self.learned["head"].numpy(), self.learned["bias"].numpy()

    def _variable(self, values: Any) -> Any:
        return self.tf.Variable(self.tf.cast(values, self.tf.float32))

    def _make_variables(self, random: np.random.Generator) -> None:
        side, depth = self.size, 3
        for place, block in enumerate(self.blocks):
            if block.kind == "pool":
                side = -(-side // 2)
            elif block.kind == "flatten":
                side, depth = 1, depth * side * side
            elif block.kind in ("convolution", "dense"):
                window = (block.kernel, block.kernel) if block.kind == "convolution" else ()
                inputs = math.prod(window) * depth
                kernel = random.normal(0, math.sqrt(2 / inputs), (*window, depth, block.units))
                self.learned[f"{place}/kernel"] = self._variable(kernel)
                self._make_shift(place, block)
                depth = block.units
        classes = self.targets.shape[1]
        self.learned["head"] = self._variable(random.normal(0, 0.01, (depth, classes)))
        self.learned["bias"] = self._variable(np.zeros(classes))

    def _make_shift(self, place: int, block: Block) -> None:
        self.learned[f"{place}/shift"] = self._variable(np.zeros(block.units))
        if block.normalised:
            self.learned[f"{place}/gain"] = self._variable(np.ones(block.units))
            self.running[f"{place}/mean"] = self._variable(np.zeros(block.units))
            self.running[f"{place}/variance"] = self._variable(np.ones(block.units))

    def _layer(self, place: int, block: Block) -> Layer:
        if block.kind in ("pool", "flatten"):
            return Layer("pool" if block.kind == "pool" else "flatten")
        kernel = self.learned[f"{place}/kernel"].numpy()
        shift = self.learned[f"{place}/shift"].numpy()
        if block.normalised:
            variance = self.running[f"{place}/variance"].numpy().astype(np.float64)
            factor = self.learned[f"{place}/gain"].numpy() / np.sqrt(variance + NORM_EPSILON)
            shift = shift - self.running[f"{place}/mean"].numpy() * factor
            kernel = kernel * factor
        arrays = kernel.astype(np.float32), shift.astype(np.float32)
        if block.kind == "dense":
            return Layer("dense", *arrays, relu6=True)
        return Layer("convolution", *arrays, relu6=True)

    def _step(self, pixels: Any, targets: Any, seeds: Any, rates: Any, number: Any) -> Any:
        tf, names = self.tf, self.hyper.augment or ()
        changed = apply(tf, tf.cast(pixels, tf.float32), names, seeds)
        changed, wanted = mixed(tf, changed, targets, names, seeds)
        values = self._centred(changed)
        with tf.GradientTape() as tape:
            logits = self._forward(values, number)
            each = losses(tf, logits, wanted, self.hyper.label_smoothing, self.multi_label)
            loss = tf.reduce_mean(each) + penalty(
                tf, self.learned.values(), self.hyper.l1, self.hyper.l2
            )
        gradients = tape.gradient(loss, list(self.learned.values()))
        for (name, variable), gradient in zip(self.learned.items(), gradients, strict=True):
            self.rule.update(tf, variable, gradient, self.slots[name], rates)
        return loss, tf.reduce_mean(right(tf, logits, targets, self.multi_label))

    def _judged(self, pixels: Any) -> Any:
        return self._forward(self._centred(pixels), None)

    def _centred(self, pixels: Any) -> Any:
        return (self.tf.cast(pixels, self.tf.float32) - MIDDLE) / MIDDLE

    def _forward(self, values: Any, number: Any) -> Any:
        """Logits; `number` is that of the training step, None outside of training."""
        tf = self.tf
        for place, block in enumerate(self.blocks):
            if block.kind == "pool":
                values = tf.nn.max_pool2d(values, 2, 2, "SAME")
            elif block.kind == "flatten":
                values = tf.reshape(values, (-1, math.prod(values.shape[1:])))
            elif block.kind == "dropout":
                if number is not None:
                    values = dropped(tf, values, block.rate, self.hyper.seed, number)
            else:
                kernel = self.learned[f"{place}/kernel"]
                if block.kind == "dense":
                    values = tf.matmul(values, kernel)
                else:
                    values = tf.nn.conv2d(values, kernel, 1, "SAME")
                values = tf.nn.relu6(self._shifted(values, place, block, number is not None))
        return tf.matmul(values, self.learned["head"]) + self.learned["bias"]

    def _shifted(self, values: Any, place: int, block: Block, training: bool) -> Any:
        tf, shift = self.tf, self.learned[f"{place}/shift"]
        if not block.normalised:
            return values + shift
        gain = self.learned[f"{place}/gain"]
        mean, variance = self.running[f"{place}/mean"], self.running[f"{place}/variance"]
        if not training:
            return (values - mean) * gain / tf.sqrt(variance + NORM_EPSILON) + shift
        maps = values if len(values.shape) == 4 else values[:, None, None, :]
        maps, seen_mean, seen_variance, *_ = tf.compat.v1.nn.fused_batch_norm(
            maps, gain, shift, epsilon=NORM_EPSILON
        )
        for running, seen in ((mean, seen_mean), (variance, seen_variance)):
            running.assign(NORM_MOMENTUM * running + (1 - NORM_MOMENTUM) * seen)
        return maps if len(values.shape) == 4 else maps[:, 0, 0, :]
