"""Evaluations of a made-up model, counted as Vertex AI does, with photos of plain colours."""

import base64
import io
import random
from collections.abc import Sequence

from PIL import Image

from ops.cloud.instances import ModelKind
from ops.cloud.models import Evaluation
from ops.data.thumbnail import Thumbnail
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_metrics import at_threshold, confusion_of, curve, label_rows
from ops.workflows.evaluate_photos import Judged, Photos
from tests.ops.tiny_engine import at

THRESHOLDS = (*(round(0.05 * n, 2) for n in range(20)), 0.96, 0.97, 0.98, 0.99)
SOURCE = "gs://bucket/runs/train-x/model/predictions.jsonl"


def judged(labels: Sequence[str], photos: int, wrong_share: float, seed: int = 0) -> list[Judged]:
    """Test photos with scores that sum to 1, so many of them wrong."""
    randomly = random.Random(seed)
    rows = []
    for number in range(photos):
        true = labels[number % len(labels)]
        is_wrong = randomly.random() < wrong_share
        best = randomly.choice([one for one in labels if one != true]) if is_wrong else true
        sure = randomly.uniform(0.55, 0.95)
        rest = (1 - sure) / (len(labels) - 1)
        scores = {label: sure if label == best else rest for label in labels}
        rows.append(Judged(f"gs://bucket/images/{number}.png", (true,), best, scores))
    return rows


def several(labels: Sequence[str], photos: int, seed: int = 0) -> list[Judged]:
    """Test photos with one or two labels each and independent scores."""
    randomly = random.Random(seed)
    rows = []
    for number in range(photos):
        true = tuple(randomly.sample(list(labels), 1 + number % 2))
        scores = {one: round(randomly.betavariate(6, 2), 3) for one in labels}
        for label in set(labels) - set(true):
            scores[label] = round(1 - scores[label], 3)
        best = max(scores, key=scores.__getitem__)
        rows.append(Judged(f"gs://bucket/images/{number}.png", true, best, scores))
    return rows


def evaluated(
    labels: Sequence[str],
    rows: Sequence[Judged],
    *,
    kind: ModelKind = "custom",
    multi_label: bool = False,
    keeps_photos: bool = True,
    model: str = "projects/p/locations/us-central1/models/default-photos-custom@1",
) -> Evaluated:
    """The evaluation of these photos."""
    slices = [
        Evaluation(label, label, metrics([(label in r.true, r.scores[label]) for r in rows]))
        for label in labels
    ]
    overall = metrics([(one in r.true, r.scores[one]) for r in rows for one in labels])
    if not multi_label:
        overall["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": label} for label in labels],
            "rows": [
                [sum(r.true == (t,) and r.best == p for r in rows) for p in labels] for t in labels
            ],
        }
    photos = Photos(SOURCE, multi_label, tuple(labels), tuple(rows))
    return Evaluated(
        model=model,
        display_name="photos-custom",
        kind=kind,
        run="train-x",
        dataset="0123",
        evaluation="projects/p/locations/us-central1/models/1/evaluations/2",
        multi_label=multi_label,
        au_prc=0.9,
        log_loss=0.3,
        overall=at_threshold(overall, 0.5),
        curve=curve(overall),
        labels=tuple(label_rows(slices, {}, photos.counts, 0.5)),
        confusion=confusion_of(overall, {}),
        photos=photos if keeps_photos else None,
    )


def metrics(pairs: list[tuple[bool, float]]) -> dict[str, object]:
    """The fields of an evaluation at every threshold of Google's."""
    return {"auPrc": 0.9, "confidenceMetrics": [at(one, pairs) for one in THRESHOLDS]}


def pictures(rows: Sequence[Judged]) -> dict[str, Thumbnail]:
    """A plain picture for each photo, no two alike."""
    found = {}
    for number, row in enumerate(rows):
        file = io.BytesIO()
        colour = (number * 37 % 256, number * 91 % 256, number % 256)
        Image.new("RGB", (24, 24), colour).save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        found[row.uri] = Thumbnail(f"data:image/png;base64,{data}", 24, 24)
    return found
