"""`trainer.instances`: requests and answers in both forms, and refusals that name the instance."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from trainer.data.decode import square
from trainer.errors import FetchError
from trainer.instances import RequestError, answer
from trainer.models.network import Floats

Maker = Callable[..., bytes]


class Shades:
    """A real, if simple, model: how red, green and blue the photo is."""

    labels: tuple[str, ...] = ("red", "green", "blue")
    multi_label: bool = False

    def scores(self, photos: Sequence[bytes]) -> Floats:
        """Each colour's share of the photo's light."""
        means = np.stack([square(photo, 8).mean(axis=(0, 1)) for photo in photos])
        shares: Floats = (means / means.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares


def ask(instances: list[Any], **parameters: Any) -> list[dict[str, Any]]:
    """The predictions for instances."""
    body = json.dumps({"instances": instances, "parameters": parameters}).encode()
    predictions: list[dict[str, Any]] = answer(Shades(), body)["predictions"]
    return predictions


@pytest.fixture
def photo(photo_bytes: Maker) -> str:
    """A photo as base64."""
    return base64.b64encode(photo_bytes("PNG")).decode()


def test_an_automl_instance_is_answered_by_falling_confidence(photo: str) -> None:
    """All labels up to ten, the surest first."""
    (prediction,) = ask([{"content": photo}])

    assert sorted(prediction["displayNames"]) == ["blue", "green", "red"]
    assert prediction["confidences"] == sorted(prediction["confidences"], reverse=True)
    assert sum(prediction["confidences"]) == pytest.approx(1.0)


def test_a_custom_instance_is_answered_with_every_score_and_its_key(photo: str) -> None:
    """Labels, scores in their order, the first label, and the key that came with the photo."""
    (prediction,) = ask([{"b64": photo, "key": "one"}])

    scores = prediction["scores"]
    assert prediction["labels"] == ["red", "green", "blue"]
    assert prediction["prediction"] == prediction["labels"][scores.index(max(scores))]
    assert prediction["key"] == "one"


def test_a_photo_is_read_at_its_address(photo: str) -> None:
    """A batch row names its photo; without a reader, or an object, it is refused."""
    stored = {"gs://photos/a.jpg": base64.b64decode(photo)}

    def read(uri: str) -> bytes:
        if uri not in stored:
            raise FetchError(f"{uri} cannot be read: NotFound")
        return stored[uri]

    row = {"content": "gs://photos/a.jpg", "mimeType": "image/jpeg"}
    body = json.dumps({"instances": [row]}).encode()
    missing = json.dumps({"instances": [{"content": "gs://photos/b.jpg"}]}).encode()

    assert answer(Shades(), body, read)["predictions"] == ask([{"content": photo}])
    with pytest.raises(RequestError, match=r"instance 0: gs://photos/b\.jpg cannot be read"):
        answer(Shades(), missing, read)
    with pytest.raises(RequestError, match="instance 0: not base64"):
        answer(Shades(), body)


def test_parameters_cut_the_answer(photo: str) -> None:
    """maxPredictions keeps the first ones, confidenceThreshold those that are sure enough."""
    (first,) = ask([{"content": photo}], maxPredictions=1)
    (none,) = ask([{"content": photo}], confidenceThreshold=1.0)

    assert len(first["displayNames"]) == len(first["confidences"]) == 1
    assert none == {"displayNames": [], "confidences": []}


@pytest.mark.parametrize(
    ("instance", "sentence"),
    [
        ({"content": "!!!"}, "instance 1: not base64"),
        ({"b64": base64.b64encode(b"hello").decode()}, "instance 1: not a JPEG, PNG, GIF or BMP"),
        ({"content": ""}, "instance 1: the file is empty"),
        ({"image": "x"}, 'instance 1: needs a string, either "content" or "b64"'),
        ("text", 'instance 1: needs a string, either "content" or "b64"'),
        ({"b64": 5}, 'instance 1: needs a string, either "content" or "b64"'),
    ],
)
def test_a_bad_instance_is_named(photo: str, instance: Any, sentence: str) -> None:
    """Among good instances the bad one is told by its place, and why."""
    with pytest.raises(RequestError) as refusal:
        ask([{"content": photo}, instance])

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    "parameters",
    [
        {"confidenceThreshold": 2},
        {"confidenceThreshold": "high"},
        {"maxPredictions": 0},
        {"maxPredictions": 1.5},
        {"maxPredictions": True},
    ],
)
def test_bad_parameters_are_told_with_what_was_received(
    photo: str, parameters: dict[str, Any]
) -> None:
    """Thresholds outside 0–1 and counts that are none are refused."""
    with pytest.raises(RequestError, match=r"must be .*, received"):
        ask([{"content": photo}], **parameters)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"instances": {}}', b'{"instances": []}'])
def test_a_request_without_instances_is_refused(body: bytes) -> None:
    """Nothing to predict is an error, not an empty success."""
    with pytest.raises(RequestError, match=r"not JSON|with at least one of \"instances\"$"):
        answer(Shades(), body)
