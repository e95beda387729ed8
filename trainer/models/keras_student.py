"""A Keras backbone and a linear head that learn from squares: the upper layers, or all of them.

Layers below are never touched. What is drawn comes from numpy's seed and the step's number, so that
one seed gives one network, also after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.checkpoints import Arrays
from trainer.data.augment import apply, mixed
from trainer.data.augment_draws import seeds_of
from trainer.data.resize import Pixels
from trainer.hyper import Hyper
from trainer.imports import tensorflow
from trainer.models.keras_backbone import Backbone
from trainer.models.network import Floats
from trainer.models.rules import Rule, dropped, losses, penalty, right, step_rates

JUDGED_AT_ONCE = 64
MOST_NORM = 5.0
# The applications' own 0.99 and 0.999 need thousands of steps to forget what they began with.
NORM_MOMENTUM = 0.9
NORMS = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization")


class PixelArray(Protocol):
    """Squares `(photos, size, size, 3)` uint8, in memory or read when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any) -> Pixels: ...


class KerasStudent:
    """Steps on training squares, logits of any squares, arrays to keep it by."""

    def __init__(
        self,
        backbone: Backbone,
        head: tuple[Floats, Floats],
        pixels: PixelArray,
        targets: Floats,
        hyper: Hyper,
        factors: tuple[float, ...],
        multi_label: bool,
        mirrored: bool,
    ) -> None:
        """`head` are weights `(width, labels)` and bias `(labels,)` to begin with.

        `factors` has one multiple of the step length for each layer that learns, the lowest first;
        `pixels` are `(photos, size, size, 3)` uint8, `targets` `(photos, labels)`, 0 or 1.
        """
        self.tf = tensorflow()
        self.tf.config.experimental.enable_op_determinism()
        self.backbone, self.pixels, self.targets = backbone, pixels, targets
        self.hyper, self.multi_label, self.mirrored = hyper, multi_label, mirrored
        self.rule = Rule(hyper.optimizer, hyper.weight_decay)
        self.count = 0
        self.learned, self.factors = _learned(backbone.base, factors)
        for name, value in zip(("head", "bias"), head, strict=True):
            self.learned[name] = self.tf.Variable(self.tf.cast(value, self.tf.float32))
            self.factors[name] = 1.0
        self.running = {} if backbone.pretrained else _running(backbone.base)
        self.slots = {
            name: (self.tf.Variable(value * 0), self.tf.Variable(value * 0))
            for name, value in self.learned.items()
        }
        self._compiled = self.tf.function(self._step, autograph=False)
        side = backbone.size
        spec = self.tf.TensorSpec((None, side, side, 3), self.tf.uint8)
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

    def logits(self, pixels: PixelArray) -> Floats:
        """Logits `(photos, labels)` of squares, as the exported network will give them."""
        parts = [
            self._judge(pixels[start : start + JUDGED_AT_ONCE]).numpy()
            for start in range(0, len(pixels), JUDGED_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.targets.shape[1]), np.float32)

    def head(self) -> tuple[Floats, Floats]:
        """Weights `(width, labels)` and bias `(labels,)`."""
        return self.learned["head"].numpy(), self.learned["bias"].numpy()

    def weights(self) -> Arrays:
        """All that training changes, by name; the rest of the backbone stays what it was."""
        known = {**self.learned, **self.running}
        return {name: variable.numpy() for name, variable in known.items()}

    def arrays(self) -> Arrays:
        """Everything to go on from: weights, the optimizer's averages, the number of steps."""
        slots = {
            f"slot{place}/{name}": slot.numpy()
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
                    slot.assign(arrays[f"slot{place}/{name}"])

    def _step(self, pixels: Any, targets: Any, seeds: Any, rates: Any, number: Any) -> Any:
        tf, hyper, names = self.tf, self.hyper, self.hyper.augment or ()
        changed = apply(tf, tf.cast(pixels, tf.float32), names, seeds)
        changed, wanted = mixed(tf, changed, targets, names, seeds)
        with tf.GradientTape() as tape:
            row = self.backbone.embedding(changed, training=not self.backbone.pretrained)
            row = dropped(tf, row, hyper.dropout, hyper.seed, number)
            logits = tf.matmul(row, self.learned["head"]) + self.learned["bias"]
            each = losses(tf, logits, wanted, hyper.label_smoothing, self.multi_label)
            loss = tf.reduce_mean(each) + penalty(tf, self.learned.values(), hyper.l1, hyper.l2)
        gradients = tape.gradient(loss, list(self.learned.values()))
        gradients, _ = tf.clip_by_global_norm(gradients, MOST_NORM)
        own = {
            factor: tf.concat([rates[:1] * factor, rates[1:]], 0)
            for factor in sorted(set(self.factors.values()))
        }
        for (name, variable), gradient in zip(self.learned.items(), gradients, strict=True):
            self.rule.update(tf, variable, gradient, self.slots[name], own[self.factors[name]])
        return loss, tf.reduce_mean(right(tf, logits, targets, self.multi_label))

    def _judged(self, pixels: Any) -> Any:
        tf, values = self.tf, self.tf.cast(pixels, self.tf.float32)
        row = self.backbone.embedding(values)
        if self.mirrored:
            row = (row + self.backbone.embedding(tf.reverse(values, [2]))) / 2.0
        return tf.matmul(row, self.learned["head"]) + self.learned["bias"]


def units(base: Any) -> list[list[Any]]:
    """The layers with weights, each with the normalisations that follow it, from the lowest up."""
    found: list[list[Any]] = []
    for layer in base.layers:
        is_norm = type(layer).__name__ in NORMS
        if is_norm and found:
            found[-1].append(layer)
        elif layer.trainable_weights and not is_norm:
            found.append([layer])
    return found


def _learned(base: Any, factors: tuple[float, ...]) -> tuple[dict[str, Any], dict[str, float]]:
    """What learns of a network, and the multiple of the step length of each, by name."""
    learned: dict[str, Any] = {}
    known: dict[str, float] = {}
    top = units(base)[-len(factors) :] if factors else []
    for factor, layers in zip(factors, top, strict=True):
        for variable in (one for layer in layers for one in layer.trainable_weights):
            learned[variable.path] = variable.value
            known[variable.path] = factor
    return learned, known


def _running(base: Any) -> dict[str, Any]:
    """The statistics of batch normalisation and the state of random layers, by name."""
    for layer in base.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = NORM_MOMENTUM
    return {variable.path: variable.value for variable in base.non_trainable_variables}
