"""What a training came to: the classifier to export, and how it was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.artifacts import Candidate
from trainer.data.manifest import Photo
from trainer.models.network import Exportable

TRANSFER, SCRATCH = "transfer", "scratch"
CONVERGED, BUDGET = "MODEL_CONVERGED", "BUDGET_REACHED"


@dataclass(frozen=True)
class Choice:
    """The classifier to export, how each candidate did, why training stopped, what was used."""

    classifier: Exportable
    name: str
    candidates: tuple[Candidate, ...]
    stop_reason: str
    training_photos: int
    validation: tuple[Photo, ...]
