"""The form of a photo in a request and of an answer in a reply, by kind of model."""

import base64

import pytest

from ops.cloud import instances
from ops.errors import OpsError

PHOTO = b"\xff\xd8 a photo"
ENCODED = base64.b64encode(PHOTO).decode()


def test_an_automl_model_is_sent_content_and_nothing_else() -> None:
    """AutoML knows one field, and would refuse a key."""
    assert instances.instance("automl", PHOTO, "a.jpg") == {"content": ENCODED}


def test_a_custom_model_is_sent_b64_with_its_key() -> None:
    """Vertex decodes {"b64"} for TensorFlow models, and the key comes back with the answer."""
    assert instances.instance("custom", PHOTO, "a.jpg") == {"b64": ENCODED, "key": "a.jpg"}


@pytest.mark.parametrize(
    ("kind", "prediction"),
    [
        ("automl", {"ids": ["2", "1"], "displayNames": ["hat", "bag"], "confidences": [0.9, 0.1]}),
        ("custom", {"prediction": "hat", "labels": ["bag", "hat"], "scores": [0.1, 0.9]}),
    ],
)
def test_both_answers_become_the_same(kind: instances.ModelKind, prediction: object) -> None:
    """The label with the highest score comes first, whatever the order of the reply."""
    assert isinstance(prediction, dict)

    scored = instances.answer(kind, prediction)

    assert (
        scored.prediction,
        list(scored.scores),
        scored.scores,
    ) == ("hat", ["hat", "bag"], {"hat": 0.9, "bag": 0.1})


@pytest.mark.parametrize("kind", ["automl", "custom"])
def test_an_error_in_place_of_an_answer_is_the_photos(kind: instances.ModelKind) -> None:
    """What our server says of one photo of several is told without its place in the request."""
    error = {"code": 400, "message": "instance 3: a damaged JPEG (cut short)"}

    with pytest.raises(
        OpsError, match=r"^The model cannot read it: a damaged JPEG \(cut short\)\.$"
    ):
        instances.answer(kind, {"key": "a.jpg", "error": error})


@pytest.mark.parametrize(
    ("source", "image", "kind"),
    [
        ("AUTOML", "", "automl"),
        ("MODEL_SOURCE_TYPE_UNSPECIFIED", "", "automl"),
        ("CUSTOM", "", "custom"),
        ("MODEL_SOURCE_TYPE_UNSPECIFIED", "us-docker.pkg.dev/p/r/trainer", "custom"),
    ],
)
def test_a_model_with_a_container_or_that_says_so_is_custom(
    source: str, image: str, kind: str
) -> None:
    """The kind follows from what the registry says of the model."""
    assert kind == instances.kind_of(source, image)
