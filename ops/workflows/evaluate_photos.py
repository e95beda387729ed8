"""What a model said of each test photo: the rows of `predictions.jsonl`, in the user's names.

Our own trainings leave the file beside the model. Google's AutoML keeps none; `ops deploy --check`
asks a batch prediction job, and leaves its answers in the same form at runs/<run>/batch/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import storage
from ops.errors import Code, OpsError
from ops.ledger import Ledger

MODEL_FOLDER, BATCH_FOLDER = "model/", "batch/"
PREDICTIONS_FILE, LABELS_FILE, SOURCES_FILE = "predictions.jsonl", "labels.txt", "sources.jsonl"


@dataclass(frozen=True, slots=True)
class Judged:
    """One test photo: its true labels, the one that scored best, and every score, 0-1.

    `source` is the file as its user named it, empty where that is not on record.
    """

    uri: str
    true: tuple[str, ...]
    best: str
    scores: Mapping[str, float]
    source: str = ""

    @property
    def file(self) -> str:
        """What a person knows the photo by."""
        return self.source or self.uri

    @property
    def is_right(self) -> bool:
        """Whether the best label is a true one."""
        return self.best in self.true

    def predicted(self, threshold: float) -> tuple[str, ...]:
        """The labels with at least this score, best first (multi-label)."""
        ranked = sorted(self.scores, key=lambda label: -self.scores[label])
        return tuple(label for label in ranked if self.scores[label] >= threshold)

    def wrong_labels(self, threshold: float) -> list[tuple[float, str]]:
        """The labels too many and the missed ones, the surest mistake first (multi-label).

        Each with how far (0-1) its score is from `threshold`, on the wrong side of it.
        """
        wrong = set(self.predicted(threshold)) ^ set(self.true)
        found = [(abs(self.scores.get(label, 0.0) - threshold), label) for label in wrong]
        return sorted(found, key=lambda one: (-one[0], one[1]))

    def most_wrong(self, threshold: float) -> str:
        """Its surest mistake in words: `hat 0.91`, or `not shoe 0.12`; empty when there is none."""
        for _, label in self.wrong_labels(threshold)[:1]:
            missed = "not " if label in self.true else ""
            return f"{missed}{label} {self.scores.get(label, 0.0):.2f}"
        return ""


@dataclass(frozen=True)
class Photos:
    """Every test photo of a model; `source` is the file that says so."""

    source: str
    multi_label: bool
    labels: tuple[str, ...]
    rows: tuple[Judged, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many photos have each true label."""
        found = dict.fromkeys(self.labels, 0)
        for row in self.rows:
            for label in row.true:
                found[label] = found.get(label, 0) + 1
        return found

    def said(self, row: Judged, threshold: float) -> tuple[str, ...]:
        """What the model said of a photo: the best label, or all from the threshold on."""
        return row.predicted(threshold) if self.multi_label else (row.best,)

    def is_right(self, row: Judged, threshold: float) -> bool:
        """Whether the model was right of a photo: all its labels and no other, if multi-label."""
        return not row.wrong_labels(threshold) if self.multi_label else row.is_right

    def right(self, threshold: float) -> int:
        """How many photos are right."""
        return sum(self.is_right(row, threshold) for row in self.rows)

    def sureness(self, row: Judged, threshold: float) -> float:
        """How sure (0-1) the model was of its worst mistake in a photo; 0 when it made none.

        The score of the wrong label; of several labels how far the score of the worst one is from
        the threshold, on the wrong side of it.
        """
        if self.multi_label:
            return max((far for far, _ in row.wrong_labels(threshold)), default=0.0)
        return 0.0 if row.is_right else row.scores[row.best]

    def mistakes(self, threshold: float) -> list[Judged]:
        """The photos that are not right, the surest mistake first."""
        wrong = [row for row in self.rows if not self.is_right(row, threshold)]
        return sorted(wrong, key=lambda row: (-self.sureness(row, threshold), row.uri))


def of_model(
    ledger: Ledger, labels: Mapping[str, str], own: Mapping[str, str] | None = None
) -> Photos | None:
    """The test photos of the model with these resource labels; None when nobody kept them.

    With `own` (safe name → the user's) the labels are the user's, else safe names.
    """
    run = labels.get(names.LABEL_RUN)
    if not run:
        return None
    session, bucket = ledger.session, ledger.session.settings.bucket
    for folder in (MODEL_FOLDER, BATCH_FOLDER):
        path = names.run_object(run, folder)
        found = storage.read_text(session, bucket, path + PREDICTIONS_FILE)
        order = storage.read_text(session, bucket, path + LABELS_FILE)
        if found is not None and order is not None:
            source = names.gs_uri(bucket, path + PREDICTIONS_FILE)
            files = sources(ledger, run) if own is not None else {}
            return read(source, found.text, label_order(order.text), own or {}, files)
    return None


def of_folder(ledger: Ledger, folder: Path, run: str, own: Mapping[str, str]) -> Photos | None:
    """The same of a training with --local, from the folder it left; None without the files."""
    try:
        text = (folder / PREDICTIONS_FILE).read_text(encoding="utf-8")
        order = label_order((folder / LABELS_FILE).read_text(encoding="utf-8"))
    except OSError:
        return None
    return read(str(folder / PREDICTIONS_FILE), text, order, own, sources(ledger, run))


def sources(ledger: Ledger, run: str) -> dict[str, str]:
    """The users' file names of a training's data set by the photos' hashes; {} if not on record."""
    plan = ledger.get(run).plan
    if "dataset" not in plan.get("inputs", {}):
        return {}
    folder = names.dataset_prefix(plan["inputs"]["dataset"], str(plan["data_digest"]))
    bucket = ledger.session.settings.bucket
    found = storage.read_text(ledger.session, bucket, folder + SOURCES_FILE)
    rows = [json.loads(line) for line in (found.text if found else "").splitlines()]
    return {str(row["sha256"]): str(row["source"]) for row in reversed(rows)}


def label_order(text: str) -> list[str]:
    """The safe names of a labels.txt, in its order."""
    return [line.split("\t", 1)[0] for line in text.splitlines() if line.strip()]


def read(
    source: str,
    text: str,
    order: Sequence[str],
    own: Mapping[str, str],
    files: Mapping[str, str] | None = None,
) -> Photos:
    """The rows of a predictions.jsonl; BAD_DATA names the line that has another form.

    `own` has the user's label by safe name, `files` the user's file name by the photo's hash.
    """
    multi_label = False
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append(_judged(row, order, own, files or {}))
            multi_label = multi_label or "predictions" in row
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OpsError(
                Code.BAD_DATA,
                f"{source}, line {number}: not a row of predictions "
                f"({type(error).__name__}: {error}).",
                "docs/formats.md says what a training leaves; train anew: ops train --again",
            ) from error
    labels = tuple(own.get(label, label) for label in order)
    return Photos(source, multi_label, labels, tuple(rows))


def _judged(
    row: Mapping[str, Any], order: Sequence[str], own: Mapping[str, str], files: Mapping[str, str]
) -> Judged:
    scores = [float(score) for score in row["scores"]]
    if len(scores) != len(order):
        raise ValueError(f"{len(scores)} scores for {len(order)} labels")
    named = [own.get(label, label) for label in order]
    true, best = [str(label) for label in row["labels"]], str(row["prediction"])
    if best not in order:
        raise ValueError(f"{best!r} is not in labels.txt")
    uri = str(row["uri"])
    stored_as = uri.rpartition("/")[2].partition(".")[0]  # images/<sha256>.<ext>
    return Judged(
        uri=uri,
        source=files.get(stored_as, ""),
        true=tuple(own.get(label, label) for label in true),
        best=own.get(best, best),
        scores=dict(zip(named, scores, strict=True)),
    )
