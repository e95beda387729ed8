"""The last blocks of a pretrained network, trained on from their cached inputs.

Depthwise kernels stay as they are (their gradient costs ten times the rest; measured on two cores,
2026-11-21), their biases learn. Mixup: Zhang et al., 2018 (arXiv:1710.09412). The weights that are
kept are a running mean (Polyak and Juditsky, 1992).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.checkpoints import Arrays
from trainer.hyper import Hyper
from trainer.imports import tensorflow
from trainer.models.network import Classifier, Floats, Layer, Network
from trainer.models.rules import Rule, dropped, losses, penalty, right, step_rates

MIXUP = 0.2
MOST_NORM = 5.0
MEAN_DECAY = 0.99
JUDGED_AT_ONCE = 128

# For each photo its cached views, each `(height, width, channels)` float16.
Views = Sequence[Sequence[NDArray[np.float16]]]


def split(network: Network, layer: int) -> tuple[Network, Network]:
    """The network before a layer, and from it on; the second reads the maps that the first ends in.

    No layer of the second may add the output of one of the first.
    """
    tail = tuple(
        each if each.adds is None else replace(each, adds=each.adds - layer)
        for each in network.layers[layer:]
    )
    return replace(network, layers=network.layers[:layer]), Network(
        network.architecture, network.size, 0.0, 1.0, tail
    )


def joined(network: Network, layer: int, tail: Network) -> Network:
    """The whole network again, with another tail."""
    moved = tuple(
        each if each.adds is None else replace(each, adds=each.adds + layer) for each in tail.layers
    )
    return replace(network, layers=(*network.layers[:layer], *moved))


class Tail:
    """A student: 1 × 1 convolutions, biases and the head learn from maps and targets."""

    def __init__(
        self,
        tail: Network,
        start: Classifier,
        views: Views,
        targets: Floats,
        hyper: Hyper,
        look_up: Callable[[], None] = lambda: None,
    ) -> None:
        """`start` has the head to begin with; `targets` are `(photos, labels)`, 0 or 1.

        `look_up` is called before views are read.
        """
        self._look_up, self._halved = look_up, multiplies_bfloat16()
        self.tf = tensorflow()
        self.tf.config.experimental.enable_op_determinism()
        self.tail, self.views, self.targets, self.hyper = tail, views, targets, hyper
        self.multi_label = start.multi_label
        self.rule = Rule(hyper.optimizer, hyper.weight_decay)
        self.count = 0
        self.learned = {name: self._variable(value) for name, value in _first(tail, start).items()}
        self.means = {name: self._variable(value) for name, value in self.learned.items()}
        self.slots = {
            name: (self._variable(value * 0), self._variable(value * 0))
            for name, value in self.learned.items()
        }
        self._compiled = self.tf.function(self._step, autograph=False)
        self._judge = self.tf.function(self._judged, autograph=False, reduce_retracing=True)

    @property
    def photos(self) -> int:
        """How many photos teach."""
        return len(self.views)

    def step(
        self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
    ) -> tuple[float, float]:
        """The loss and the share of right answers of one step; one view of each photo."""
        self.count += 1
        self._look_up()
        turns = random.random(len(chosen))
        each = [self.views[photo] for photo in chosen]
        maps = [views[int(turn * len(views))] for views, turn in zip(each, turns, strict=True)]
        share = random.beta(MIXUP, MIXUP)
        mix = np.float32(max(share, 1 - share))
        kept = min(MEAN_DECAY, (1 + self.count) / (10 + self.count))
        rates = np.append(step_rates(rate, self.count), [mix, kept]).astype(np.float32)
        number = np.int32(self.count)
        loss, right = self._compiled(np.stack(maps), self.targets[chosen], rates, number)
        return float(loss), float(right)

    def embeddings(self, maps: Sequence[NDArray[np.float16]]) -> Floats:
        """Embeddings `(photos, width)` by the weights that are kept."""
        parts = []
        for start in range(0, len(maps), JUDGED_AT_ONCE):
            self._look_up()
            parts.append(self._judge(np.stack(maps[start : start + JUDGED_AT_ONCE])).numpy())
        return np.concatenate(parts)

    def weights(self) -> Arrays:
        """The weights that are kept, by name."""
        return {name: variable.numpy() for name, variable in self.means.items()}

    def arrays(self) -> Arrays:
        """Everything to go on from."""
        known = {f"now/{name}": variable.numpy() for name, variable in self.learned.items()}
        for name, pair in self.slots.items():
            known |= {f"slot{place}/{name}": slot.numpy() for place, slot in enumerate(pair)}
        return {**self.weights(), **known, "count": np.array(self.count)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes back either of the two. Raises KeyError or ValueError if they differ."""
        for name, variable in self.means.items():
            variable.assign(arrays[name])
            self.learned[name].assign(arrays.get(f"now/{name}", arrays[name]))
        if "count" in arrays:
            self.count = int(arrays["count"])
            for name, pair in self.slots.items():
                for place, slot in enumerate(pair):
                    slot.assign(arrays[f"slot{place}/{name}"])

    def network(self) -> Network:
        """The tail with the weights that are kept."""
        return replace(
            self.tail,
            layers=tuple(self._layer(place, layer) for place, layer in enumerate(self.tail.layers)),
        )

    def head(self) -> tuple[Floats, Floats]:
        """Weights `(width, labels)` and bias `(labels,)`."""
        return self.means["head"].numpy(), self.means["bias"].numpy()

    def _variable(self, values: Any) -> Any:
        return self.tf.Variable(self.tf.cast(values, self.tf.float32))

    def _layer(self, place: int, layer: Layer) -> Layer:
        kernel = layer.kernel
        if f"{place}/kernel" in self.means and kernel is not None:
            kernel = self.means[f"{place}/kernel"].numpy().reshape(kernel.shape)
        return replace(layer, kernel=kernel, bias=self.means[f"{place}/bias"].numpy())

    def _step(self, maps: Any, targets: Any, rates: Any, number: Any) -> Any:
        tf, mix = self.tf, rates[3]
        values = tf.cast(maps, tf.float32)
        values = mix * values + (1 - mix) * tf.roll(values, 1, 0)
        mixed = mix * targets + (1 - mix) * tf.roll(targets, 1, 0)
        names = list(self.learned)
        with tf.GradientTape() as tape:
            row = self._forward(values, self.learned, halved=self._halved)
            row = dropped(tf, row, self.hyper.dropout, self.hyper.seed, number)
            logits = tf.matmul(row, self.learned["head"]) + self.learned["bias"]
            each = losses(tf, logits, mixed, self.hyper.label_smoothing, self.multi_label)
            loss = tf.reduce_mean(each) + penalty(
                tf, self.learned.values(), self.hyper.l1, self.hyper.l2
            )
        gradients = tape.gradient(loss, [self.learned[name] for name in names])
        gradients, _ = tf.clip_by_global_norm(gradients, MOST_NORM)
        for name, gradient in zip(names, gradients, strict=True):
            self.rule.update(tf, self.learned[name], gradient, self.slots[name], rates)
            mean = self.means[name]
            mean.assign(rates[4] * mean + (1 - rates[4]) * self.learned[name])
        return loss, tf.reduce_mean(right(tf, logits, targets, self.multi_label))

    def _judged(self, maps: Any) -> Any:
        return self._forward(self.tf.cast(maps, self.tf.float32), self.means)

    def _forward(self, values: Any, known: Mapping[str, Any], halved: bool = False) -> Any:
        tf, outputs = self.tf, [values]
        for place, layer in enumerate(self.tail.layers):
            value = outputs[-1]
            if layer.kind == "depthwise":
                strides = (1, layer.stride, layer.stride, 1)
                value = tf.nn.depthwise_conv2d(value, layer.kernel, strides, "SAME")
            else:
                # As a matrix product: twice as fast as a 1 × 1 convolution on CPUs.
                kernel = known[f"{place}/kernel"]
                flat = _product(tf, tf.reshape(value, (-1, value.shape[-1])), kernel, halved)
                value = tf.reshape(flat, (-1, *value.shape[1:3], kernel.shape[1]))
            value = value + known[f"{place}/bias"]
            value = tf.nn.relu6(value) if layer.relu6 else value
            outputs.append(value if layer.adds is None else value + outputs[layer.adds + 1])
        return tf.reduce_mean(outputs[-1], (1, 2))


def multiplies_bfloat16(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies bfloat16, in which a step takes 2/3 to 3/4 of the time.

    Validation accuracy was the same (clothing photos, blocks 11, 13 and 15, 2026-11-22). Elsewhere
    it is slower than float32.
    """
    try:
        flags = cpu.read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _product(tf: Any, values: Any, kernel: Any, halved: bool) -> Any:
    if not halved:
        return values @ kernel
    return tf.cast(tf.cast(values, tf.bfloat16) @ tf.cast(kernel, tf.bfloat16), tf.float32)


def _first(tail: Network, start: Classifier) -> dict[str, Floats]:
    """The values to begin with: 1 × 1 kernels as matrices, every bias, the head."""
    known: dict[str, Floats] = {}
    for place, layer in enumerate(tail.layers):
        assert layer.kernel is not None and layer.bias is not None
        if layer.kind == "convolution":
            known[f"{place}/kernel"] = layer.kernel[0, 0]
        known[f"{place}/bias"] = layer.bias
    return {**known, "head": start.weights, "bias": start.bias}
