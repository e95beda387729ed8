"""The files a finished job leaves beside its SavedModel, named as the engine contract says."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from trainer.data.manifest import Photo
from trainer.models.network import PREPROCESSING, Exportable, Floats

VERSIONED = ("tensorflow-cpu", "tensorflow", "ai-edge-litert", "numpy", "pillow", "simplejpeg")
LIKELY = 0.5
CARD = "model.json"


@dataclass(frozen=True)
class Candidate:
    """One way of training that was tried; accuracy is 0–1 on the photos that judged it."""

    name: str
    validationAccuracy: float  # noqa: N815 (the contract's name)
    validationLogLoss: float  # noqa: N815
    trainingPhotos: int  # noqa: N815
    validationPhotos: int  # noqa: N815
    seconds: float


def write_json(path: Path, content: Any) -> None:
    """Writes `content` by a temporary name, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    draft.replace(path)


def write_predictions(
    folder: Path,
    photos: Sequence[Photo],
    scores: Floats,
    labels: Sequence[str],
    multi_label: bool = False,
) -> None:
    """`predictions.jsonl`: a row an evaluated photo, scores in the order of `labels.txt`.

    With `multi_label` a row has `predictions` too: every label with a score of at least 0.5.
    """
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for photo, row in zip(photos, scores, strict=True):
            entry: dict[str, Any] = {
                "uri": photo.uri,
                "labels": [labels[place] for place in photo.labels],
            }
            if multi_label:
                entry["predictions"] = likely(labels, row)
            entry["prediction"] = labels[int(row.argmax())]
            entry["scores"] = [round(float(score), 7) for score in row]
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def likely(labels: Sequence[str], row: Floats) -> list[str]:
    """The labels that a row of scores says yes to, in the labels' order."""
    return [label for label, score in zip(labels, row, strict=True) if score >= LIKELY]


def model_card(
    classifier: Exportable, candidates: Sequence[Candidate], chosen: str, seed: int
) -> dict[str, Any]:
    """The part of `model.json` that training knows; the measured part is added after evaluation."""
    several = {"multiLabel": True} if classifier.multi_label else {}
    return several | {
        "digest": classifier.digest(),
        "engine": "trainer.automl",
        "candidates": [asdict(candidate) for candidate in candidates],
        "chosen": chosen,
        "seed": seed,
        "labels": list(classifier.labels),
        "architecture": classifier.architecture,
        "inputSize": classifier.size,
        "mirrored": classifier.mirrored,
        "preprocessing": PREPROCESSING,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of Python and of each library that decides a model, by name."""
    known = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            known[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return known
