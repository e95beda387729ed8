"""A training with several labels a photo, from rows to answers of the server."""

import base64
import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.trainer.conftest import Rows, Trained, run_job, write_job
from trainer.data.manifest import read_photos, truth_matrix
from trainer.export import Exported
from trainer.instances import answer, read_request
from trainer.serving import load

SHAPES = {"bar": "black", "disc": "red", "ring": "blue", "square": "green"}
SIDE = 96


def draw_shapes(path: Path, labels: tuple[str, ...], dice: random.Random) -> None:
    """A photo with these shapes, each in a quarter of its own, the quarters dealt by the dice."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(image)
    quarters = dice.sample([(4, 4), (52, 4), (4, 52), (52, 52)], len(labels))
    for label, (left, top) in zip(labels, quarters, strict=True):
        side = dice.randint(28, 38)
        box, colour = (left, top, left + side, top + side), SHAPES[label]
        if label == "bar":
            pen.rectangle((left, top + 12, left + side, top + 20), fill=colour)
        elif label == "ring":
            pen.ellipse(box, outline=colour, width=5)
        elif label == "disc":
            pen.ellipse(box, fill=colour)
        else:
            pen.rectangle(box, fill=colour)
    image.save(path)


@pytest.fixture(scope="session")
def shape_rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """120 photos with one to three of four shapes: 80 to train, 20 to validate, 20 to test."""
    folder, dice = tmp_path_factory.mktemp("shapes"), random.Random(7)
    photos = []
    for number in range(120):
        labels = tuple(sorted(dice.sample(sorted(SHAPES), dice.randint(1, 3))))
        draw_shapes(folder / f"shapes-{number}.png", labels, dice)
        photos.append((folder / f"shapes-{number}.png", labels))
    return {"training": photos[:80], "validation": photos[80:100], "test": photos[100:]}


@pytest.fixture(scope="session")
def shapes_model(tmp_path_factory: pytest.TempPathFactory, shape_rows: Rows) -> Trained:
    """The shapes job, trained once."""
    root = tmp_path_factory.mktemp("shapes-job")
    environ = write_job(root, shape_rows, trainingTaskInputs={"multiLabel": True})
    return run_job(environ)


def test_it_learns_which_shapes_are_there(shapes_model: Trained) -> None:
    """On photos it never saw, most pairs of photo and label are right, and the card says so."""
    evaluation = json.loads((shapes_model.folder / "evaluation.json").read_text())
    half = next(
        figures
        for figures in evaluation["metrics"]["confidenceMetrics"]
        if figures.get("confidenceThreshold") == 0.5
    )

    assert half["f1Score"] > 0.9
    assert evaluation["metrics"]["auPrc"] > 0.9
    assert shapes_model.card["multiLabel"] is True
    assert shapes_model.card["metrics"]["accuracy"] > 0.5


def test_the_evaluation_is_by_label_without_a_confusion_matrix(shapes_model: Trained) -> None:
    """Each label has its own slice with thresholds; of all together there is no matrix."""
    evaluation = json.loads((shapes_model.folder / "evaluation.json").read_text())

    assert evaluation["multiLabel"] is True
    assert "confusionMatrix" not in evaluation["metrics"]
    assert [part["label"] for part in evaluation["slices"]] == sorted(SHAPES)
    assert all(len(part["metrics"]["confidenceMetrics"]) == 24 for part in evaluation["slices"])


def test_predictions_have_every_true_and_every_likely_label(
    shapes_model: Trained, shape_rows: Rows
) -> None:
    """A row's labels are the photo's own, its predictions those with a score of at least 0.5."""
    lines = (shapes_model.folder / "predictions.jsonl").read_text().splitlines()
    rows = {json.loads(line)["uri"]: json.loads(line) for line in lines}
    labels = sorted(SHAPES)

    for path, own in shape_rows["test"]:
        row = rows[f"gs://photos/images/{path.name}"]
        assert row["labels"] == list(own or ())
        pairs = zip(labels, row["scores"], strict=True)
        assert row["predictions"] == [label for label, score in pairs if score >= 0.5]
        assert row["prediction"] == labels[int(np.argmax(row["scores"]))]


def test_both_forms_of_the_model_give_independent_scores(
    shapes_model: Trained, shape_rows: Rows
) -> None:
    """SavedModel and LiteRT agree, and a photo of three shapes has scores that sum to over 1."""
    path = next(path for path, own in shape_rows["test"] if own and len(own) == 3)
    served, exported = load(shapes_model.folder), Exported(shapes_model.folder)

    scores = served.scores([path.read_bytes()])

    np.testing.assert_allclose(scores, exported.scores([path.read_bytes()]), atol=1e-3)
    assert served.multi_label
    assert scores.sum() > 1.5


def test_the_server_answers_every_likely_label(shapes_model: Trained, shape_rows: Rows) -> None:
    """The custom form lists the labels from 0.5, the AutoML form is cut by the threshold."""
    model = load(shapes_model.folder)
    photo = base64.b64encode(shape_rows["test"][0][0].read_bytes()).decode()
    body = {"instances": [{"b64": photo}, {"content": photo}]}

    asked = read_request(json.dumps(body | {"parameters": {"confidenceThreshold": 0.5}}).encode())

    row = model.scores([asked.photos(None)[0]()])[0]
    _, answered = answer(asked, [row, row], model.labels, model.multi_label)
    custom, automl = answered["predictions"]

    assert custom["predictions"] == sorted(automl["displayNames"])
    assert all(confidence >= 0.5 for confidence in automl["confidences"])


def test_the_same_rows_make_the_same_model(
    shapes_model: Trained, shape_rows: Rows, tmp_path: Path
) -> None:
    """A second run has the same digest."""
    environ = write_job(tmp_path, shape_rows, trainingTaskInputs={"multiLabel": True})

    assert run_job(environ).card["digest"] == shapes_model.card["digest"]


def test_a_photo_is_spread_by_its_rarest_label(tmp_path: Path) -> None:
    """Of a common and a rare label, the rare one is the photo's first; truth has both."""
    photo = tmp_path / "a.png"
    rows = {"training": [(photo, ("common", "rare")), (photo, ("common",))]}
    environ = write_job(tmp_path / "job", rows)
    data = tmp_path / "job/hidden/jobs/1/data/training-00000-of-00001.jsonl"

    photos = read_photos({"training": [data]}, Path(environ["GCS_MOUNT"]), multi_label=True)

    first = photos.training[0]
    assert (photos.labels, first.label, first.labels) == (("common", "rare"), 1, (0, 1))
    assert truth_matrix(photos.training, 2).tolist() == [[True, True], [True, False]]
