"""What a step of training minimises and how it moves the weights, as TensorFlow graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.models.network import Floats

MOMENTUM = 0.9
FIRST_DECAY, SECOND_DECAY = 0.9, 0.999
RMS_DECAY = 0.9
SMALL = 1e-8


@dataclass(frozen=True)
class Rule:
    """An optimizer by name and its decoupled weight decay, which spares vectors (biases, gains)."""

    optimizer: str
    weight_decay: float

    def update(
        self, tf: Any, variable: Any, gradient: Any, slots: tuple[Any, Any], rates: Any
    ) -> None:
        """Moves one variable; `rates` are those of `step_rates`."""
        step = _STEPS[self.optimizer](tf, gradient, *slots, rates)
        decays = self.optimizer in ("adamw", "sgd") and len(variable.shape) > 1
        decay = self.weight_decay * variable if decays else 0.0
        variable.assign_sub(rates[0] * (step + decay))


def step_rates(rate: float, step: int) -> Floats:
    """`(3,)`: the step length, and Adam's corrections of its two averages at step 1, 2, …"""
    return np.array([rate, 1 - FIRST_DECAY**step, 1 - SECOND_DECAY**step], np.float32)


def losses(tf: Any, logits: Any, targets: Any, smoothing: float, multi_label: bool) -> Any:
    """Cross-entropies `(batch,)` in nats, of logits and targets `(batch, labels)`, 0 or 1."""
    if multi_label:
        wanted = targets * (1 - smoothing) + smoothing / 2
        pairs = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
        return tf.reduce_sum(pairs, 1)
    wanted = targets * (1 - smoothing) + smoothing / targets.shape[1]
    return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)


def right(tf: Any, logits: Any, targets: Any, multi_label: bool) -> Any:
    """Which photos are answered right `(batch,)`, 0 or 1: all of their labels, or the one."""
    if multi_label:
        same = tf.equal(logits >= 0.0, targets >= 0.5)
        return tf.cast(tf.reduce_all(same, 1), tf.float32)
    same = tf.equal(tf.argmax(logits, 1), tf.argmax(targets, 1))
    return tf.cast(same, tf.float32)


def penalty(tf: Any, variables: Iterable[Any], l1: float, l2: float) -> Any:
    """What weights cost by their size; vectors (biases, gains) are free."""
    total = tf.constant(0.0)
    for variable in variables:
        if len(variable.shape) > 1 and l1:
            total += l1 * tf.reduce_sum(tf.abs(variable))
        if len(variable.shape) > 1 and l2:
            total += l2 * tf.reduce_sum(tf.square(variable))
    return total


def dropped(tf: Any, values: Any, rate: float, seed: int, number: Any) -> Any:
    """Values of which a share is left out, drawn from the seed and the step's number."""
    if not rate:
        return values
    seeds = tf.stack([tf.constant(seed % 2**31, tf.int32), number])
    kept = tf.random.stateless_uniform(tf.shape(values), seeds) >= rate
    return values * tf.cast(kept, tf.float32) / (1 - rate)


def _adam(tf: Any, gradient: Any, first: Any, second: Any, rates: Any) -> Any:
    """Kingma and Ba, 2015 (arXiv:1412.6980)."""
    first.assign(FIRST_DECAY * first + (1 - FIRST_DECAY) * gradient)
    second.assign(SECOND_DECAY * second + (1 - SECOND_DECAY) * tf.square(gradient))
    return (first / rates[1]) / (tf.sqrt(second / rates[2]) + SMALL)


def _sgd(_: Any, gradient: Any, first: Any, __: Any, ___: Any) -> Any:
    first.assign(MOMENTUM * first + gradient)
    return first


def _rmsprop(tf: Any, gradient: Any, _: Any, second: Any, __: Any) -> Any:
    """Tieleman and Hinton, 2012, lecture 6.5."""
    second.assign(RMS_DECAY * second + (1 - RMS_DECAY) * tf.square(gradient))
    return gradient / (tf.sqrt(second) + 1e-7)


_STEPS: dict[str, Callable[..., Any]] = {
    "adam": _adam,
    "adamw": _adam,
    "sgd": _sgd,
    "rmsprop": _rmsprop,
}
