"""EfficientNet-Lite as a Keras network, batch normalisation apart: for training more than its tail.

The same table and weights as `efficientnet_lite.py`, where they are folded together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer import imports
from trainer.errors import ConfigError
from trainer.models.efficientnet_lite import (
    BATCH_NORM_EPSILON,
    PIXEL_MEAN,
    PIXEL_SCALE,
    STEM_CHANNELS,
    State,
    network,
    stages,
)
from trainer.models.network import Network

FEATURES = 1280
SMALLEST = 32
NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
# Keras has kernels as (height, width, in, out), torch as (out, in, height, width); a depthwise one
# has its channels in the place of Keras' inputs.
_TO_TORCH = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2D": (2, 3, 0, 1)}


def preprocess_input(pixels: Any) -> Any:
    """The graph of what the network sees of pixels, 0–255."""
    return (pixels - PIXEL_MEAN) / PIXEL_SCALE


def build(number: int, size: int) -> Any:
    """The Keras network without a top, its weights random. Raises ConfigError for a tiny size."""
    keras = imports.keras()
    if size < SMALLEST:
        raise ConfigError(
            f"--image-size must be at least {SMALLEST} for lite{number}. Received: {size}"
        )
    draft = _Draft(keras)
    pixels = keras.Input((size, size, 3))
    value = draft.convolution(pixels, STEM_CHANNELS, 3, 2, "_conv_stem", "_bn0")
    block, channels = 0, STEM_CHANNELS
    for stage in stages(number):
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            wide = channels * stage.expansion
            value = draft.block(value, block, wide, stage.kernel, stride, stage.outputs)
            block, channels = block + 1, stage.outputs
    value = draft.convolution(value, FEATURES, 1, 1, "_conv_head", "_bn1")
    return keras.Model(pixels, value, name=f"lite{number}")


def folded(base: Any, number: int, size: int) -> Network:
    """The network as arrays again, batch normalisation folded into its convolutions."""
    state: dict[str, NDArray[Any]] = {}
    for layer in base.layers:
        name, values = _torch_name(layer), layer.get_weights()
        if values:
            parts = NORM_PARTS if len(values) == len(NORM_PARTS) else ("weight",)
            axes = _TO_TORCH.get(type(layer).__name__)
            values = [value.transpose(axes) for value in values] if axes else values
            state |= {f"{name}.{part}": value for part, value in zip(parts, values, strict=True)}
    return network(number, state, size)


def give(base: Any, state: State) -> None:
    """Gives a network the weights of a state dict."""
    for layer in base.layers:
        if layer.weights:
            layer.set_weights(_arrays(state, _torch_name(layer), type(layer).__name__))


def _arrays(state: State, name: str, kind: str) -> list[NDArray[Any]]:
    if kind == "BatchNormalization":
        return [state[f"{name}.{part}"] for part in NORM_PARTS]
    axes = np.argsort(_TO_TORCH[kind])
    return [np.ascontiguousarray(state[f"{name}.weight"].transpose(axes))]


class _Draft:
    """Layers under construction, named as the state dict has them."""

    def __init__(self, keras: Any) -> None:
        self.layers = keras.layers

    def block(
        self, value: Any, number: int, wide: int, kernel: int, stride: int, outputs: int
    ) -> Any:
        name, before = f"_blocks.{number}.", value
        if wide != value.shape[-1]:
            value = self.convolution(value, wide, 1, 1, name + "_expand_conv", name + "_bn0")
        depthwise = self.layers.DepthwiseConv2D(
            kernel, stride, "same", use_bias=False, name=_safe(name + "_depthwise_conv")
        )
        value = self.normalised(depthwise(value), name + "_bn1")
        value = self.convolution(
            value, outputs, 1, 1, name + "_project_conv", name + "_bn2", active=False
        )
        return value + before if stride == 1 and before.shape[-1] == outputs else value

    def convolution(
        self,
        value: Any,
        filters: int,
        kernel: int,
        stride: int,
        name: str,
        norm: str,
        active: bool = True,
    ) -> Any:
        made = self.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=_safe(name))
        return self.normalised(made(value), norm, active)

    def normalised(self, value: Any, name: str, active: bool = True) -> Any:
        norm = self.layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=_safe(name))
        value = norm(value)
        return self.layers.ReLU(6.0)(value) if active else value


def _safe(name: str) -> str:
    """Keras has no dots in names."""
    return name.replace(".", "-")


def _torch_name(layer: Any) -> str:
    name: str = layer.name
    return name.replace("-", ".")
