"""`trainer.instances`: requests and answers in both forms, and refusals that name the instance."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainer.batching import Encoded, Outcome
from trainer.data.decode import square
from trainer.errors import FetchError, PhotoError
from trainer.instances import Read, RequestError, answer, read_request
from trainer.models.network import Floats

Maker = Callable[..., bytes]


LABELS = ("red", "green", "blue")


def shades(photo: Encoded) -> Outcome:
    """How red, green and blue a photo is, each colour's share of its light; or what is wrong."""
    try:
        means = square(photo(), 8).mean(axis=(0, 1))
    except PhotoError as error:
        return error
    shares: Floats = (means / means.sum()).astype(np.float32)
    return shares


def reply(
    instances: list[Any], read: Read | None = None, **parameters: Any
) -> tuple[int, dict[str, Any]]:
    """The status and the answer for instances."""
    asked = read_request(json.dumps({"instances": instances, "parameters": parameters}).encode())
    return answer(asked, [shades(photo) for photo in asked.photos(read)], LABELS, False)


def ask(instances: list[Any], **parameters: Any) -> list[dict[str, Any]]:
    """The predictions for instances."""
    status, answered = reply(instances, **parameters)
    assert status == 200
    predictions: list[dict[str, Any]] = answered["predictions"]
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
    missing = {"content": "gs://photos/b.jpg"}

    assert reply([row], read) == (200, {"predictions": ask([{"content": photo}])})
    assert reply([missing], read) == (
        400,
        {"error": "instance 0: gs://photos/b.jpg cannot be read: NotFound"},
    )
    status, refused = reply([row])
    assert (status, refused["error"][:22]) == (400, "instance 0: not base64")


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
        ({"b64": base64.b64encode(b"hello").decode()}, "instance 1: not a JPEG"),
        ({"content": ""}, "instance 1: the file is empty"),
        ({"image": "x"}, 'instance 1: needs a string, either "content" or "b64"'),
        ("text", 'instance 1: needs a string, either "content" or "b64"'),
        ({"b64": 5}, 'instance 1: needs a string, either "content" or "b64"'),
    ],
)
def test_a_bad_instance_has_its_error_in_its_place(
    photo: str, instance: Any, sentence: str
) -> None:
    """Between two good ones, answered as ever, the bad one is told by its place, and why."""
    first, bad, last = ask([{"content": photo}, instance, {"b64": photo}])

    assert (bad["error"]["code"], bad["error"]["message"][: len(sentence)]) == (400, sentence)
    assert [first, last] == ask([{"content": photo}, {"b64": photo}])


def test_a_single_bad_instance_is_a_bad_request() -> None:
    """There is nothing else to answer, so the request as a whole is refused."""
    status, answered = reply([{"b64": base64.b64encode(b"hello").decode()}])

    assert status == 400
    assert answered["error"].startswith("instance 0: not a JPEG")


def test_a_model_that_fails_is_not_the_photos_fault(photo: str) -> None:
    """Code 500 names what the model raised; the other instances are answered."""
    asked = read_request(json.dumps({"instances": [{"b64": photo, "key": 7}] * 2}).encode())
    scores = shades(asked.photos(None)[0])

    _, answered = answer(asked, [scores, MemoryError("full")], LABELS, False)

    assert answered["predictions"][1] == {
        "key": 7,
        "error": {"code": 500, "message": "instance 1: the model failed (MemoryError: full)"},
    }


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


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b"[]", b"{}", b'{"instances": {}}', b'{"instances": []}']
)
def test_a_request_without_instances_is_refused(body: bytes) -> None:
    """Nothing to predict is an error, not an empty success."""
    with pytest.raises(RequestError, match=r"not JSON|with at least one of \"instances\"$"):
        read_request(body)
