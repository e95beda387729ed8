"""Why a model gives a photo its labels: which parts raised each score, and by how much.

`Explainer` is what the prediction server asks (`parameters: {"explain": {…}}`); its SavedModel, and
with it TensorFlow, is loaded at the first explanation only, so that predictions never wait for it.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.data.decode import square, whole
from trainer.explaining.asked import GRADIENTS, Asked, ExplainError
from trainer.explaining.boxes import Place, places
from trainer.models.network import Floats
from trainer.serving import read_card

if TYPE_CHECKING:
    from trainer.explaining.gradients import Integrated, Slopes
    from trainer.explaining.overlay import Crop

# The map that is answered: cells of 8 × 8 pixels of a photo at 224.
MAP_SIDE = 28
DIGITS = 6
# All pictures of an answer, of Vertex's 1.5 MB a response ("Choose an endpoint type", read
# 2026-08-22); base64 makes 4 of 3 bytes.
MOST_PICTURES_BYTES = 900_000
LEAST_SIDE = 160


class Explainer:
    """Explanations of the model in a folder, one at a time."""

    def __init__(
        self, folder: Path, labels: Sequence[str], say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.labels = tuple(labels)
        self._folder, self._say = folder, say
        self._lock = threading.Lock()
        self._loaded: tuple[Slopes, int] | None = None

    def explain(self, photo: bytes, asked: Asked) -> list[dict[str, Any]]:
        """An explanation as plain JSON for each label asked for, or for the photo's best.

        Raises PhotoError for a photo that cannot be read, ExplainError for a model that cannot be
        explained.
        """
        with self._lock:
            slopes, size = self._model()
            pixels = square(photo, size).astype(np.float32)
            chosen = [self.labels.index(label) for label in asked.labels]
            if not chosen:
                chosen = [int(slopes.every(pixels).argmax())]
            found = [_Found(slopes, pixels, place, asked) for place in chosen]
        picture = _Picture(photo)
        told = [one.told(self.labels, picture.crop, asked) for one in found]
        if asked.overlay:
            for one, content in zip(told, picture.overlays(found, asked), strict=True):
                one["overlay"] = content
        return told

    def _model(self) -> tuple[Slopes, int]:
        if self._loaded is None:
            started = time.perf_counter()
            self._say("Loading the SavedModel, with TensorFlow, for the first explanation.")
            self._loaded = load(self._folder)
            self._say(f"Explanations are ready after {time.perf_counter() - started:.1f} s.")
        return self._loaded


def load(folder: Path) -> tuple[Slopes, int]:
    """The logits of the SavedModel in a folder as a differentiable graph, and its photos' side.

    Raises ExplainError if there is none, or none with the signature `pixels`.
    """
    from trainer.explaining.gradients import Slopes
    from trainer.export import PIXELS
    from trainer.imports import tensorflow

    if not (folder / "saved_model.pb").is_file():
        raise ExplainError("the model's folder holds no SavedModel, which explanations need")
    tf = tensorflow()
    loaded = tf.saved_model.load(str(folder))
    if PIXELS not in loaded.signatures:
        raise ExplainError(
            f"the SavedModel has no signature {PIXELS!r}; it was exported before there were "
            "explanations: train it again"
        )
    pixels = loaded.signatures[PIXELS]
    size = int(pixels.structured_input_signature[1][PIXELS].shape[1])
    several = bool(read_card(folder).get("multiLabel"))

    def margins(photos: Any) -> Any:
        """Logits; of labels that share their chances, above the mean: scores saturate, they not."""
        logits = pixels(pixels=photos)["logits"]
        return logits if several else logits - tf.reduce_mean(logits, 1, keepdims=True)

    scores = lambda photos: pixels(pixels=photos)["scores"]  # noqa: E731
    return Slopes(margins, owner=loaded, scores=scores), size


class _Found:
    """One label's attributions and their map."""

    def __init__(self, slopes: Slopes, pixels: Floats, place: int, asked: Asked) -> None:
        from trainer.explaining.maps import attribute, region_map
        from trainer.explaining.regions import pooled

        started = time.perf_counter()
        self.place = place
        self.integrated: Integrated = attribute(slopes, pixels, place, asked.steps)
        found = self.integrated.attributions
        self.map: Floats = pooled(found) if asked.method == GRADIENTS else region_map(pixels, found)
        self.seconds = time.perf_counter() - started

    def _grouped(self, asked: Asked) -> Floats:
        """The map that boxes are drawn around: single pixels hang together in larger cells only."""
        from trainer.explaining.regions import pooled

        return pooled(self.map, MAP_SIDE) if asked.method == GRADIENTS else self.map

    def told(self, labels: Sequence[str], crop: Crop, asked: Asked) -> dict[str, Any]:
        """The explanation as plain JSON, without its picture."""
        whole = self.integrated
        return {
            "label": labels[self.place],
            "score": whole.value,
            "baselineScore": whole.baseline_value,
            "method": asked.method,
            "steps": asked.steps,
            "completenessError": round(whole.error, DIGITS),
            "map": _grid(self.map, whole.attributions),
            "square": {"left": crop.left, "top": crop.top, "side": crop.side},
            "photo": {"width": crop.width, "height": crop.height},
            "regions": [_box(place, crop) for place in places(self._grouped(asked))],
            "seconds": round(self.seconds, 3),
        }


def _grid(values: Floats, attributions: Floats) -> list[list[float]]:
    """The map as rows of cells; a cell is what its pixels added to the score.

    The cells add up to the attributions' sum, whatever the map's own resolution.
    """
    side = min(MAP_SIDE, len(values))
    edges = [round(place * len(values) / side) for place in range(side)]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges, 0), edges, 1)
    scale = attributions.size / values.size
    return [[float(f"{cell * scale:.{DIGITS}g}") for cell in row] for row in sums]


def _box(place: Place, crop: Crop) -> dict[str, Any]:
    """A place in the pixels of the photo as it was sent."""
    return {
        "left": round(crop.left + place.left * crop.side),
        "top": round(crop.top + place.top * crop.side),
        "right": round(crop.left + place.right * crop.side),
        "bottom": round(crop.top + place.bottom * crop.side),
        "share": round(place.weight, 4),
        "area": round(place.area, 4),
    }


class _Picture:
    """The photo as a person sees it, for the overlays."""

    def __init__(self, photo: bytes) -> None:
        from PIL import Image

        from trainer.explaining.overlay import centre_square

        self._photo = photo
        with Image.open(io.BytesIO(photo)) as image:
            self.crop = centre_square(*image.size)

    def overlays(self, found: Sequence[_Found], asked: Asked) -> list[dict[str, str]]:
        """A picture for each; smaller ones where together they would not fit the response."""
        from trainer.explaining.overlay import MIME_TYPE, MOST_SIDE, overlay

        pixels, side = whole(self._photo, MOST_SIDE), MOST_SIDE
        while True:
            glows = asked.method == GRADIENTS
            made = [overlay(pixels, one.map, glows, side) for one in found]
            if sum(map(len, made)) <= MOST_PICTURES_BYTES or side <= LEAST_SIDE:
                break
            side = side * 3 // 4
        return [
            {"mimeType": MIME_TYPE, "b64": base64.b64encode(one).decode("ascii")} for one in made
        ]
