"""Classify photos with the deployed model: each made to fit its request, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import endpoints, instances, models
from ops.cloud.endpoints import Endpoint
from ops.cloud.instances import ModelKind
from ops.cloud.session import Session
from ops.data.shrink import prepare_photo
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Progress
from ops.workflows import imported

# A photo is decoded while others are under way; four large ones at once fill no memory.
AT_ONCE = 4
# A label of several is said from this score on, as `predictions.jsonl` says it (ADR 0002).
LIKELY = 0.5
# Errors that another photo need not have; any other ends the command.
OF_THE_PHOTO = frozenset({Code.BAD_DATA, Code.USAGE, Code.REFUSED})
Explain = Callable[[Exception], OpsError]


@dataclass(frozen=True)
class Answer:
    """The answer for one photo: label and scores in the user's own names, or why there is none.

    `predictions`: every label whose score reaches the threshold, best first; None without one.
    """

    key: str
    prediction: str = ""
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    predictions: tuple[str, ...] | None = None
    note: str | None = None
    error: OpsError | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; `error` instead of an answer where there is none."""
        if self.error is not None:
            error = {"code": self.error.code, "message": self.error.message}
            return {"key": self.key, "error": {**error, "hint": self.error.hint}}
        several = {} if self.predictions is None else {"predictions": list(self.predictions)}
        return {
            "key": self.key,
            "prediction": self.prediction,
            **several,
            "score": self.score,
            "scores": dict(self.scores),
            "note": self.note,
        }


@dataclass(frozen=True)
class Served:
    """The endpoint that answers, the kind of its model, and the user's class names."""

    endpoint: str
    model: str
    kind: ModelKind
    class_names: Mapping[str, str]
    several_labels: bool = False


@dataclass(frozen=True)
class Predicted:
    """The answers in the order of the photos."""

    served: Served
    answers: tuple[Answer, ...]
    threshold: float | None = None

    @property
    def failed(self) -> bool:
        """Whether a photo has no answer."""
        return any(answer.error is not None for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        asked = {} if self.threshold is None else {"threshold": self.threshold}
        return {
            "endpoint": self.served.endpoint,
            "model": self.served.model,
            **asked,
            "predictions": [one.as_json() for one in self.answers if one.error is None],
            "failed": [one.as_json() for one in self.answers if one.error is not None],
        }


def run(
    ledger: Ledger,
    photos: Sequence[Path],
    progress: Progress,
    explain: Explain,
    *,
    endpoint: str | None = None,
    threshold: float | None = None,
) -> Predicted:
    """An answer for every photo; a photo that cannot be used has its error in its place.

    With a threshold (0-1; 0.5 for a model of several labels, unless another is given) an answer
    has every label with at least that score.
    `explain` gives the OpsError of any exception. With a single photo its error is raised.
    NOTHING_DEPLOYED when no endpoint (or not the one named) has a model.
    """
    served = find_served(ledger, endpoint)
    if threshold is None and served.several_labels:
        threshold = LIKELY
    one = partial(_answer, ledger.session, served, explain, threshold)
    with progress.step("Predicting", len(photos), "photos") as step:
        answers = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(one, photos):
                step.advance()
                answers.append(answer)
    if len(answers) == 1 and answers[0].error is not None:
        raise answers[0].error
    return Predicted(served, tuple(answers), threshold)


def find_served(ledger: Ledger, endpoint: str | None) -> Served:
    """The endpoint named, or the newest of the stack that has a model."""
    session = ledger.session
    chosen = _named(session, endpoint) if endpoint else _newest(session)
    deployed = chosen.deployed[0]
    model = models.get(session, deployed.model_name)
    if model is None:
        return Served(chosen.name, deployed.model_name, "automl", {})
    own = imported.class_names_of(ledger, model.labels)
    several = imported.has_several_labels(ledger, model.labels)
    return Served(chosen.name, model.full, model.kind, own, several)


def _named(session: Session, endpoint: str) -> Endpoint:
    name = endpoint
    if not endpoint.startswith("projects/"):
        settings = session.settings
        name = names.resource(settings.project, settings.region, "endpoints", endpoint)
    found = endpoints.get(session, name)
    if found is not None and found.deployed:
        return found
    what = "has no model" if found else "does not exist"
    raise OpsError(
        Code.NOTHING_DEPLOYED,
        f"Endpoint {endpoint} {what} in {session.settings.project}, {session.settings.region}.",
        "Type: ops deploy",
    )


def _newest(session: Session) -> Endpoint:
    stack = session.settings.stack
    found = endpoints.find(session, {names.LABEL_STACK: stack})
    serving = [one for one in found if one.deployed]
    if serving:
        return serving[-1]
    raise OpsError(
        Code.NOTHING_DEPLOYED, f"Nothing is deployed in stack {stack}.", "Type: ops deploy"
    )


def refuse_folder(photo: Path, command: str) -> None:
    """USAGE, with what to type instead, for a folder in the place of a photo."""
    if photo.is_dir():
        raise OpsError(
            Code.USAGE,
            f"{photo} is a folder; photos are files.",
            f"Type: ops {command} {photo}/{_below(photo)}",
        )


def _below(folder: Path) -> str:
    """What a shell expands to the folder's photos; deeper when it holds folders only."""
    inside = list(folder.glob("[!.]*"))
    return "*/*" if inside and all(one.is_dir() for one in inside) else "*"


def _answer(
    session: Session, served: Served, explain: Explain, threshold: float | None, photo: Path
) -> Answer:
    key, own = str(photo), served.class_names
    try:
        refuse_folder(photo, "predict")
        prepared = prepare_photo(photo)
        instance = instances.instance(served.kind, prepared.content, key)
        parameters = instances.every_score(served.kind, len(own)) if own else {}
        given = endpoints.predict(session, served.endpoint, [instance], parameters)
        scored = instances.answer(served.kind, given[0])
    except Exception as error:
        explained = explain(error)
        if explained.code not in OF_THE_PHOTO:
            raise
        return Answer(key, error=explained)
    scores = {own.get(label, label): score for label, score in scored.scores.items()}
    label = own.get(scored.prediction, scored.prediction)
    several = None
    if threshold is not None:
        several = tuple(name for name, score in scores.items() if score >= threshold)
    return Answer(key, label, scores[label], scores, several, prepared.note)
