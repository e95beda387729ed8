"""Whether an endpoint answers as its model was evaluated: a fixed sample, compared photo by photo.

The reference is what the training (or a batch prediction job) said of each test photo.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from ops.cloud import endpoints, instances, stored_photos
from ops.cloud.instances import ModelKind, Scored
from ops.cloud.session import Session
from ops.data.shrink import MAX_CONTENT_BYTES
from ops.errors import Code, OpsError
from ops.progress import Progress
from ops.workflows.evaluate_photos import Judged, Photos

SAMPLE = 20
LEAST_SAME_LABEL = 0.995
MOST_MEAN_DIFFERENCE = 0.01
MARGIN = 1e-9
TIED = 0.001
"""Two best labels this near are one: the arithmetic of another processor may turn them round."""
AT_ONCE = 4
LOOKED_AT = 10 * SAMPLE
"""Photos looked at until enough are found that are there and fit a request."""


@dataclass(frozen=True)
class Answered:
    """One photo: what the reference says, and what was served.

    `difference` is the largest between two scores of a label, 0-1; `problem` says why there is no
    answer, empty when there is one.
    """

    uri: str
    reference: str
    reference_score: float
    served: str
    served_score: float
    difference: float
    problem: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the label is the same and no score is far off."""
        same = not self.problem and self.reference == self.served
        return same and self.difference <= MOST_MEAN_DIFFERENCE + MARGIN


@dataclass(frozen=True)
class Check:
    """How the served answers compare; `source` is the file of the reference."""

    source: str
    answers: tuple[Answered, ...]

    @property
    def same_label(self) -> int:
        """How many photos have the same label."""
        return sum(one.reference == one.served and not one.problem for one in self.answers)

    @property
    def mean_difference(self) -> float:
        """The mean of the photos' differences; 1 for one without an answer."""
        return sum(one.difference for one in self.answers) / len(self.answers)

    @property
    def passed(self) -> bool:
        """Whether what is served is what was evaluated."""
        enough = self.same_label >= LEAST_SAME_LABEL * len(self.answers)
        return enough and self.mean_difference <= MOST_MEAN_DIFFERENCE + MARGIN

    @property
    def differing(self) -> list[Answered]:
        """The photos that are answered otherwise, the largest difference first."""
        found = [one for one in self.answers if not one.agrees]
        return sorted(found, key=lambda one: (-one.difference, one.uri))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "state": "passed" if self.passed else "failed",
            "photos": len(self.answers),
            "same_label": self.same_label,
            "mean_difference": round(self.mean_difference, 6),
            "reference": self.source,
            "differing": [vars(one) for one in self.differing],
        }


def run(
    session: Session, endpoint: str, kind: ModelKind, reference: Photos, progress: Progress
) -> Check | None:
    """The sample's answers beside the reference; None when no photo of it can be read any more.

    `reference` has safe names. Errors that are not of a photo are raised.
    """
    sample = list(islice(_readable(session, reference.rows), SAMPLE))
    if not sample:
        return None
    ask = partial(_ask, session, endpoint, kind, len(reference.labels))
    with (
        progress.step("Checking what is served", len(sample), "photos") as step,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        answers = []
        for answer in pool.map(ask, sample):
            step.advance()
            answers.append(answer)
    return Check(reference.source, tuple(answers))


def has_readable(session: Session, reference: Photos) -> bool:
    """Whether a photo of the reference can be read and sent."""
    return next(_readable(session, reference.rows), None) is not None


def in_order(rows: Sequence[Judged]) -> list[Judged]:
    """The photos by the hash of their URI: in the same order every time, whatever the labels."""
    return sorted(rows, key=lambda row: hashlib.sha256(row.uri.encode()).hexdigest())


def _readable(session: Session, rows: Sequence[Judged]) -> Iterator[tuple[Judged, bytes]]:
    """Photos that are still there, and that a request holds as they are."""
    for row in in_order(rows)[:LOOKED_AT]:
        photo = stored_photos.read(session, row.uri)
        if photo is not None and len(photo) <= MAX_CONTENT_BYTES:
            yield row, photo


def _ask(
    session: Session, endpoint: str, kind: ModelKind, labels: int, asked: tuple[Judged, bytes]
) -> Answered:
    from google.api_core.exceptions import BadRequest, InternalServerError

    row, photo = asked
    instance = instances.instance(kind, photo, row.uri)
    parameters = instances.every_score(kind, labels)
    try:
        given = endpoints.predict(session, endpoint, [instance], parameters)
        return compare(row, instances.answer(kind, given[0]))
    except (BadRequest, InternalServerError) as error:
        return _unanswered(row, str(error.message))
    except OpsError as error:
        if error.code is not Code.BAD_DATA:
            raise
        return _unanswered(row, error.message)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return _unanswered(row, f"an answer of another form ({type(error).__name__}: {error})")


def compare(row: Judged, served: Scored) -> Answered:
    """One photo's reference and answer; a label that only one of them scores counts as 0."""
    labels = {*row.scores, *served.scores}
    differences = (
        abs(row.scores.get(label, 0.0) - served.scores.get(label, 0.0)) for label in labels
    )
    is_tied = served.scores.get(row.best, 0.0) >= served.scores[served.prediction] - TIED
    label = row.best if is_tied else served.prediction
    return Answered(
        uri=row.uri,
        reference=row.best,
        reference_score=round(row.scores[row.best], 6),
        served=label,
        served_score=round(served.scores[label], 6),
        difference=round(max(differences), 6),
    )


def _unanswered(row: Judged, problem: str) -> Answered:
    score = round(row.scores[row.best], 6)
    return Answered(row.uri, row.best, score, "", 0.0, 1.0, problem)
