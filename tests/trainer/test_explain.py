"""Explanations: exact where they are known, complete, the same twice, and where the object is."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainer.errors import PhotoError
from trainer.explain import Explainer, load
from trainer.explaining.asked import Asked, ExplainError, read_asked
from trainer.explaining.gradients import Slopes, integrate
from trainer.explaining.regions import pooled, ranked, segment
from trainer.explaining.superpixels import lab, superpixels
from trainer.export import save
from trainer.imports import tensorflow
from trainer.models.network import Classifier, Floats, Layer, Network

SIZE = 64
LABELS = ("red", "blue", "other")
PLACE = slice(10, 26), slice(34, 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel that says red or blue by how much of a photo is that colour."""
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[1, 1] = np.array([[1, -1], [-1, -1], [-1, 1]])
    bias = np.array([-1.0, -1.0], np.float32)
    layer = Layer("convolution", kernel, bias, relu6=True)
    network = Network("colours", SIZE, 127.0, 127.0, (layer,))
    weights = np.array([[60, 0, 0], [0, 60, 0]], np.float32)
    classifier = Classifier(network, weights, np.array([0, 0, 1.0], np.float32), LABELS, True)
    made = tmp_path_factory.mktemp("explained")
    save(classifier, made)
    return made


@pytest.fixture(scope="module")
def explainer(folder: Path) -> Explainer:
    """The explainer of that model."""
    return Explainer(folder, LABELS)


def spotted(colour: tuple[int, int, int] = (250, 10, 10)) -> Floats:
    """A grey, noisy photo `(64, 64, 3)` with a square of a colour: a sixteenth of its area."""
    pixels = np.random.default_rng(0).normal(120, 8, (SIZE, SIZE, 3))
    pixels[PLACE] = colour
    return np.clip(pixels, 0, 255).astype(np.float32)


def black_and_white(size: int) -> tuple[Floats, Floats]:
    """Two baselines `(size, size, 3)`."""
    shape = (size, size, 3)
    return np.zeros(shape, np.float32), np.full(shape, 255, np.float32)


def encoded(pixels: Floats, kind: str = "PNG") -> bytes:
    """A photo's bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, kind)
    return file.getvalue()


def test_a_linear_models_attributions_are_its_weights_times_the_way() -> None:
    """Of a model whose attributions are known they are found, with two steps, at any batch."""
    tf = tensorflow()
    weights = np.random.default_rng(1).normal(0, 1e-3, (8, 8, 3, 2)).astype(np.float32)
    pixels = np.random.default_rng(2).uniform(0, 255, (8, 8, 3)).astype(np.float32)
    baselines = black_and_white(8)

    def outputs(photos: Any) -> Any:
        return tf.tensordot(photos, weights, 3)

    found = [
        integrate(Slopes(outputs, batch), pixels, 1, baselines, 2).attributions for batch in (1, 4)
    ]

    expected = (weights[..., 1] * (pixels - np.mean(baselines, axis=0))).sum(axis=2)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)


def test_attributions_add_up_to_what_the_score_rose_by(folder: Path) -> None:
    """Completeness: more steps leave a smaller error, 64 next to none."""
    slopes, _ = load(folder)
    errors = [
        integrate(slopes, spotted(), 0, black_and_white(SIZE), steps).error for steps in (4, 64)
    ]

    assert errors[1] < 0.05
    assert errors[1] < errors[0]


@pytest.mark.parametrize("method", ["xrai", "ig"])
def test_the_weight_lies_on_the_object(explainer: Explainer, method: str) -> None:
    """On a square of a sixteenth of the photo lies most of the weight, and the first box is it."""
    (told,) = explainer.explain(encoded(spotted()), Asked(method=method))

    cells = np.clip(np.array(told["map"]), 0, None)
    rows = (np.arange(28) + 0.5) / 28 * SIZE
    inside = np.ix_((rows > 8) & (rows < 28), (rows > 32) & (rows < 52))
    box = told["regions"][0]
    assert told["label"] == "red" and told["score"] > 0.8
    assert cells[inside].sum() / cells.sum() > 0.8
    assert box["share"] > 0.4 and box["area"] < 0.1
    assert 32 <= box["left"] < box["right"] <= 52 and 8 <= box["top"] < box["bottom"] <= 28


def test_a_label_can_be_asked_for(explainer: Explainer) -> None:
    """Each label asked for has its own score and its own map, in the order asked."""
    photo = encoded(spotted())
    asked = read_asked({"label": ["other", "red"], "steps": 32.0}, LABELS)

    other, red = explainer.explain(photo, asked)

    assert (other["label"], red["label"]) == ("other", "red")
    for told in (other, red):
        rise = told["score"] - told["baselineScore"]
        assert np.sum(told["map"]) == pytest.approx(rise, abs=0.1 * max(abs(rise), 0.01))
    assert other["map"] != red["map"]


def test_explanations_are_the_same_twice(explainer: Explainer) -> None:
    """Nothing in them is drawn by chance."""
    asked = Asked(overlay=True)
    first, second = (explainer.explain(encoded(spotted()), asked)[0] for _ in range(2))

    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_places_and_picture_are_those_of_the_photo_as_it_was_sent(explainer: Explainer) -> None:
    """Of a wide photo the square is its middle; the picture keeps its form, dark beside it."""
    wide = np.full((1024, 2048, 3), 110, np.float32)
    wide[256:512, 1024:1280] = (250, 10, 10)
    (told,) = explainer.explain(encoded(wide, "JPEG"), Asked(overlay=True))

    box, overlay = told["regions"][0], told["overlay"]
    picture = Image.open(io.BytesIO(base64.b64decode(overlay["b64"])))
    pixels = np.asarray(picture, np.float32).mean(axis=2)
    assert told["photo"] == {"width": 2048, "height": 1024}
    assert told["square"] == {"left": 512, "top": 0, "side": 1024}
    assert abs(box["left"] - 1024) < 64 and abs(box["bottom"] - 512) < 64
    assert (overlay["mimeType"], picture.size) == ("image/jpeg", (640, 320))
    assert pixels[:, :150].max() < pixels[200:, 200:440].mean() < pixels[100:140, 340:380].mean()


def test_a_region_map_adds_up_to_the_attributions() -> None:
    """Ranking regions moves attributions about within regions, and loses none."""
    attributions = np.random.default_rng(3).normal(0, 1, (SIZE, SIZE)).astype(np.float32)
    regions = segment(spotted())

    found = ranked(regions, attributions)

    assert found.sum() == pytest.approx(attributions.sum(), rel=1e-3)
    assert len(np.unique(found[PLACE])) < 40 < len(np.unique(found))


def test_superpixels_follow_what_is_seen() -> None:
    """Hardly a superpixel has pixels both of the square and of what is around it."""
    parts = superpixels(lab(spotted()), 5)
    inside = np.zeros(parts.shape, bool)
    inside[PLACE] = True

    shares = np.bincount(parts.ravel(), inside.ravel()) / np.bincount(parts.ravel())

    assert parts.min() == 0 and len(np.unique(parts)) == parts.max() + 1
    assert np.mean((shares > 0.1) & (shares < 0.9)) < 0.02


def test_a_large_photo_is_pooled_by_whole_blocks() -> None:
    """224 becomes 112, 300 becomes 100, 64 stays."""
    sides = [len(pooled(np.zeros((side, side), np.float32))) for side in (224, 300, 64)]

    assert sides == [112, 100, 64]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "must be an object or true. Received: []"),
        ({"way": 1}, "takes method, steps, label, overlay. Received: way"),
        ({"method": "shap"}, "method must be one of xrai, ig. Received: 'shap'"),
        ({"steps": 0}, "steps must be a whole number, 1 to 100. Received: 0"),
        ({"steps": 2.5}, "steps must be a whole number, 1 to 100. Received: 2.5"),
        ({"steps": float("inf")}, "steps must be a whole number"),
        ({"label": "green"}, "label must be one of red, blue, other. Received: 'green'"),
        ({"label": []}, "label must be one label, or 1 to 5. Received: []"),
        ({"overlay": "yes"}, "overlay must be true or false. Received: 'yes'"),
    ],
)
def test_what_is_asked_wrongly_is_said(raw: Any, said: str) -> None:
    """The field, what it may be, and what was received."""
    with pytest.raises(ExplainError) as refused:
        read_asked(raw, LABELS)

    assert said in str(refused.value)


def test_what_cannot_be_explained_says_why(explainer: Explainer, tmp_path: Path) -> None:
    """A photo that is none, and a folder without a SavedModel."""
    with pytest.raises(PhotoError):
        explainer.explain(b"hello", Asked())
    with pytest.raises(ExplainError, match="no SavedModel"):
        Explainer(tmp_path, LABELS).explain(encoded(spotted()), Asked())
