"""The layers of each model type, as blocks to be trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trainer.errors import ConfigError
from trainer.hyper import Hyper


@dataclass(frozen=True)
class Block:
    """One step of a network in training; convolutions and dense blocks end in ReLU6.

    `units` are filters or hidden units, `rate` the share that a dropout leaves out. A normalised
    block has batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167) before ReLU6.
    """

    kind: Literal["convolution", "pool", "flatten", "dense", "dropout"]
    units: int = 0
    kernel: int = 0
    normalised: bool = False
    rate: float = 0.0


def blocks(hyper: Hyper) -> tuple[Block, ...]:
    """The blocks from pixels to the row that the linear head reads.

    Raises ConfigError if there are more pools than the image can be halved.
    """
    return _FAMILIES[hyper.model_type](hyper)


def _linear(_: Hyper) -> tuple[Block, ...]:
    return (Block("flatten"),)


def _dnn(hyper: Hyper) -> tuple[Block, ...]:
    return (Block("flatten"), *_hidden(hyper, False))


def _cnn(hyper: Hyper) -> tuple[Block, ...]:
    return _convolutional(hyper, False)


def _cnn_batch_norm(hyper: Hyper) -> tuple[Block, ...]:
    return _convolutional(hyper, True)


def _convolutional(hyper: Hyper, normalised: bool) -> tuple[Block, ...]:
    if hyper.image_size < 2 ** len(hyper.filters):
        raise ConfigError(
            f"{len(hyper.filters)} filters halve {hyper.image_size} pixels too often. "
            "Give fewer --filters or a larger --image-size."
        )
    maps: list[Block] = []
    for filters in hyper.filters:
        maps.append(Block("convolution", filters, hyper.kernel_size, normalised))
        maps.append(Block("pool"))
    return (*maps, Block("flatten"), *_hidden(hyper, normalised))


def _hidden(hyper: Hyper, normalised: bool) -> tuple[Block, ...]:
    dense = [Block("dense", units, normalised=normalised) for units in hyper.hidden_units]
    dropout = [Block("dropout", rate=hyper.dropout)] if hyper.dropout else []
    return (*dense, *dropout)


_FAMILIES: dict[str, Callable[[Hyper], tuple[Block, ...]]] = {
    "linear": _linear,
    "dnn": _dnn,
    "dnn_dropout": _dnn,
    "cnn": _cnn,
    "cnn_batch_norm": _cnn_batch_norm,
}
