"""A network of `keras.applications`, or Lite, as a backbone: pixels in, pooled features out.

Its own preprocessing (to [-1, 1], or as the application wants it) is inside, so that pixels are
0–255 everywhere. Weights: ImageNet's by Keras where there is a network, a file, or none.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer import imports
from trainer.errors import ConfigError, WeightsError
from trainer.imports import tensorflow
from trainer.models.backbones import IMAGENET, LITE, NONE, is_lite
from trainer.models.download import impatient
from trainer.models.efficientnet_lite import read_weights
from trainer.paths import local_path
from trainer.quiet import without_remarks

ENDINGS = (".weights.h5", ".keras", ".h5")
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Backbone:
    """A Keras network without its top, and what makes its inputs of pixels.

    `origin` says where the weights are from: `imagenet`, `none`, or a file's name.
    """

    name: str
    size: int
    base: Any
    preprocess: Any
    origin: str

    @property
    def pretrained(self) -> bool:
        """Whether it knows something yet."""
        return self.origin != NONE

    def embedding(self, pixels: Any, training: bool = False) -> Any:
        """The graph of features `(batch, width)` of pixels `(batch, size, size, 3)`, 0–255.

        Outside of `training` batch normalisation uses the statistics it has and keeps them.
        """
        maps = self.base(self.preprocess(pixels), training=training)
        return tensorflow().reduce_mean(maps, (1, 2))


def weights_of(text: str, mount: Path) -> str | Path:
    """What `--weights` means: one of the two words, or a file, `gs://` or a path."""
    return text if text in (IMAGENET, NONE) else local_path(text, mount)


def build(
    name: str, size: int, weights: str | Path, seed: int, width: float | None = None
) -> Backbone:
    """The backbone `name`, without its top.

    `weights` is `imagenet`, `none` (random, by the seed) or a file; `width` is the `alpha` of those
    that have one. Raises ConfigError for a name or size that there is not, WeightsError if the
    weights cannot be had.
    """
    keras = imports.keras()
    keras.utils.set_random_seed(seed % LARGEST_SEED)
    base, preprocess = (
        _lite(name, size, weights)
        if is_lite(name)
        else _application(keras, name, size, weights, width)
    )
    if isinstance(weights, Path):
        _load(base, name, weights)
    origin = weights.name if isinstance(weights, Path) else weights
    return Backbone(name, size, base, preprocess, origin)


def _lite(name: str, size: int, weights: str | Path) -> tuple[Any, Any]:
    from trainer.models import keras_lite

    number = LITE.index(name)
    base = keras_lite.build(number, size)
    if weights == IMAGENET:
        keras_lite.give(base, read_weights(number))
    return base, keras_lite.preprocess_input


def _application(
    keras: Any, name: str, size: int, weights: str | Path, width: float | None
) -> tuple[Any, Any]:
    made = getattr(keras.applications, name, None)
    if not inspect.isfunction(made):
        raise ConfigError(f"keras.applications has no {name!r}. See --help for those that it has.")
    imagenet = weights == IMAGENET
    options: dict[str, Any] = {"include_top": False, "input_shape": (size, size, 3)}
    options |= {} if width is None else {"alpha": width}
    with _refusals(name, imagenet), impatient(), contextlib.redirect_stdout(sys.stderr):
        base = made(weights=IMAGENET if imagenet else None, **options)
    return base, sys.modules[made.__module__].preprocess_input


@contextmanager
def _refusals(name: str, imagenet: bool) -> Iterator[None]:
    """What Keras refuses, as one sentence: its own for a size or a width, ours for a download."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(
            f"Keras cannot build {name}: {_first_line(error)}. Give another --image-size or "
            "--backbone."
        ) from error
    except Exception as error:
        if not imagenet:
            raise
        raise WeightsError(
            f"The ImageNet weights of {name} could not be fetched ({_first_line(error)}). Give "
            "--weights FILE with weights that Keras saved (.weights.h5, .keras or .h5), --weights "
            "none to train from scratch, or --backbone lite0, whose weights are installed."
        ) from error


def _load(base: Any, name: str, file: Path) -> None:
    """Gives a network the weights of a file, all of them; a part for another top is left out."""
    if not file.name.endswith(ENDINGS):
        raise ConfigError(f"--weights takes a file of {', '.join(ENDINGS)}. Received: {file.name}")
    if not file.is_file():
        raise WeightsError(f"There is no weights file {file}. Give --weights another path.")
    # What the file does not give stays what it is: not a number.
    base.set_weights([np.full_like(value, _missing(value.dtype)) for value in base.get_weights()])
    by_name = {} if file.name.endswith(ENDINGS[:2]) else {"by_name": True}
    try:
        with without_remarks(), warnings.catch_warnings(action="ignore"):
            base.load_weights(os.fspath(file), **by_name)
    except Exception as error:
        raise WeightsError(
            f"The weights file {file.name} is damaged, cut short or not of {name} "
            f"({file.stat().st_size} bytes; {_first_line(error)}). Save it again with Keras, or "
            "give another --weights or --backbone."
        ) from error
    missing = [one.path for one in base.weights if not np.isfinite(one.numpy()).all()]
    if missing:
        raise WeightsError(
            f"The weights file {file.name} does not give {len(missing)} of {name}'s "
            f"{len(base.weights)} arrays, {missing[0]} for one. Give another --weights or "
            "--backbone."
        )


def _missing(dtype: Any) -> Any:
    return np.nan if np.issubdtype(dtype, np.floating) else 0


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
