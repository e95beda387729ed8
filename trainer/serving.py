"""A model folder as something that answers: photos' bytes in, scores out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trainer.data.decode import square
from trainer.errors import ConfigError, PhotoError
from trainer.models.litert import Interpreter
from trainer.models.network import Floats

LITE_FILE = "model.tflite"
AUTOML_ENGINE = "trainer.automl"


class Model(Protocol):
    """Scores photos: `(photos, labels)`, in the order of `labels`.

    With `multi_label` each score is a label's own chance.
    """

    labels: tuple[str, ...]
    multi_label: bool

    def scores(self, photos: Sequence[bytes]) -> Floats:
        """Scores of encoded photos. Raises PhotoError if one cannot be read."""
        ...


class LiteModel:
    """The LiteRT form of a model: a third of the SavedModel's time, and no TensorFlow to import.

    The export has compared its answers with the SavedModel's (`agreement` in `model.json`).
    """

    def __init__(
        self,
        model: bytes,
        size: int,
        labels: Sequence[str],
        multi_label: bool = False,
        threads: int = 2,
    ) -> None:
        self.labels = tuple(labels)
        self.multi_label = multi_label
        self._size = size
        self._interpreter = Interpreter(model, threads)

    def scores(self, photos: Sequence[bytes]) -> Floats:
        """Scores `(photos, labels)`. Raises PhotoError if one of the photos cannot be read."""
        rows = [self._interpreter.run(square(photo, self._size)) for photo in photos]
        return np.stack(rows) if rows else np.zeros((0, len(self.labels)), np.float32)


def load(folder: Path) -> Model:
    """The model in a folder: its LiteRT form where there is one, else its SavedModel.

    Raises ConfigError if the folder holds neither.
    """
    card = _card(folder)
    if (folder / LITE_FILE).is_file() and card:
        model = (folder / LITE_FILE).read_bytes()
        several = bool(card.get("multiLabel"))
        return LiteModel(model, int(card["inputSize"]), card["labels"], several)
    if not (folder / "saved_model.pb").is_file():
        raise ConfigError(f"{folder} holds neither {LITE_FILE} nor a SavedModel.")
    from trainer.export import Exported

    return Exported(folder, bool(card.get("multiLabel")))


def engine(folder: Path) -> str:
    """What trained the model, as its `model.json` says; empty where it does not."""
    return str(_read_card(folder).get("engine", ""))


def _card(folder: Path) -> dict[str, Any]:
    card = _read_card(folder)
    return card if "inputSize" in card and "labels" in card else {}


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / "model.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def readable(model: Model, photo: bytes) -> str:
    """Why a photo cannot be scored; empty if it can."""
    try:
        model.scores([photo])
    except PhotoError as error:
        return str(error)
    return ""
