"""Odd and bad photos: the training decoder and the exported graph read or refuse the same."""

import contextlib
import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.data.photos import BAD, GOOD, JPEG, truncated
from trainer.data.decode import square
from trainer.data.decode_graph import decoded
from trainer.errors import PhotoError
from trainer.imports import tensorflow
from trainer.models.litert import classifier_model
from trainer.models.network import Classifier, Layer, Network
from trainer.serving import LiteModel

SIZE = 48
# Flipped bits, one a photo, and how many of them may be noticed by one decoder alone: of 600 it was
# 13, most of them in a GIF's pixels or in a PNG's chunk of transparency (2026-11-22).
FLIPS, MOST_APART = 240, 10
Read = Callable[[list[bytes]], NDArray[np.float32]]

# What the refusal of some of them has to say.
REASONS: Mapping[str, str] = {
    "empty": "the file is empty",
    "text": "not a JPEG, PNG, GIF, BMP or WebP photo; it starts with b'hello'",
    "an AVI": "not a JPEG, PNG, GIF, BMP or WebP photo",
    "png of no width": "a damaged PNG",
    "png bomb": "too many pixels; at most 150 million",
    "jpeg that says 65,000 x 65,000": "too many pixels",
    "gif whose first frame is smaller": "a GIF whose first frame does not fill it",
    "png with a wrong checksum of its pixels": "the checksum of b'IDAT' is wrong",
    "png without its last chunk": "a damaged PNG .it ends before its last chunk",
    "gif without the end of its pixels": "a damaged GIF .it ends before its pixels do",
    "bmp without its last byte": "a damaged BMP .it ends before its pixels do",
    "bmp of 1 bit": "a BMP that is packed or not of 8, 24 or 32 bits",
}


@pytest.fixture(scope="module")
def graph() -> Read:
    """The graph that is exported, from encoded photos to squares."""
    tf = tensorflow()
    spec = [tf.TensorSpec((None,), tf.string)]
    read = tf.function(lambda photos: decoded(photos, SIZE), input_signature=spec, autograph=False)
    return lambda photos: np.asarray(read(tf.constant(photos)))


@pytest.mark.parametrize("name", GOOD)
def test_every_decoder_sees_the_same(graph: Read, name: str) -> None:
    """The graph's pixels are those of training: half a grey level apart on average at most."""
    photo = GOOD[name]()

    pixels = square(photo, SIZE)

    assert pixels.shape == (SIZE, SIZE, 3)
    assert np.abs(graph([photo])[0] - pixels).mean() <= 0.5


@pytest.mark.parametrize("name", BAD)
def test_every_decoder_refuses_the_same(graph: Read, name: str) -> None:
    """What is no photo, or not one that can be read rightly, is refused, with its reason."""
    photo = BAD[name]()

    with pytest.raises(PhotoError, match=REASONS.get(name)):
        square(photo, SIZE)
    with pytest.raises(tensorflow().errors.InvalidArgumentError):
        graph([photo])


@pytest.mark.parametrize("name", truncated())
def test_a_photo_cut_off_anywhere_is_refused_by_all(graph: Read, name: str) -> None:
    """In the header, amid the pixels or near the end: no decoder makes up what is missing."""
    photo = truncated()[name]

    with pytest.raises(PhotoError, match=r"a damaged|a BMP that is packed"):
        square(photo, SIZE)
    with pytest.raises(tensorflow().errors.InvalidArgumentError):
        graph([photo])


def test_few_flipped_bits_are_noticed_by_one_decoder_alone(graph: Read) -> None:
    """Of photos with one bit flipped nearly all are read by both, alike, or refused by both."""
    random = np.random.default_rng(1)
    small = [make() for name, make in GOOD.items() if not re.search("large|20,000", name)]
    apart = 0

    for turn in range(FLIPS):
        photo = bytearray(small[turn % len(small)])
        photo[random.integers(len(photo))] ^= 1 << random.integers(8)
        seen, there = read_or_refused(bytes(photo), graph)
        apart += (seen is None) != (there is None)
        if seen is not None and there is not None:
            assert np.abs(there - seen).mean() <= 0.5

    assert apart <= MOST_APART


def read_or_refused(photo: bytes, graph: Read) -> list[NDArray[np.float32] | None]:
    """What training and the graph see of a photo, or None where it is refused."""
    found: list[NDArray[np.float32] | None] = [None, None]
    with contextlib.suppress(PhotoError):
        found[0] = square(photo, SIZE).astype(np.float32)
    with contextlib.suppress(tensorflow().errors.InvalidArgumentError):
        found[1] = graph([photo])[0]
    return found


def test_formats_may_be_mixed_in_a_batch(graph: Read) -> None:
    """One batch of JPEG, PNG, GIF, BMP and WebP gives each photo its own pixels."""
    photos = [GOOD[name]() for name in ("webp", "jpeg", "png, palette", "gif, animated", "bmp")]

    together = graph(photos)

    for photo, pixels in zip(photos, together, strict=True):
        assert np.abs(pixels - square(photo, SIZE)).mean() <= 0.5


def test_the_first_frame_is_the_photo() -> None:
    """Of an animation in any format the first frame is seen, as if it were alone."""
    still = square(GOOD["png"](), SIZE).astype(float)

    for name in ("png, animated", "gif, animated", "webp, animated"):
        assert np.abs(square(GOOD[name](), SIZE) - still).mean() <= 3


def test_a_photo_turned_by_exif_is_not_turned_back() -> None:
    """The trainer sees the pixels as they are stored; `ops` turns photos when it imports them."""
    np.testing.assert_allclose(
        square(GOOD["jpeg, turned by EXIF"](), SIZE), square(JPEG, SIZE), atol=24
    )


def test_cmyk_has_the_colours_of_the_picture() -> None:
    """Adobe's inverted CMYK and the plain one both come out as the RGB picture they were made of.

    The second is the first with its marker taken away: its inks are the inverse.
    """
    picture = square(GOOD["png"](), SIZE).astype(float)

    assert np.abs(square(GOOD["jpeg, CMYK"](), SIZE) - picture).mean() <= 3
    plain = square(GOOD["jpeg, CMYK without Adobe's marker"](), SIZE)
    assert np.abs(plain - picture).mean() > 50


def test_the_server_refuses_what_training_refuses() -> None:
    """The model that is served says of each bad photo why, and scores each odd one."""
    random = np.random.default_rng(0)
    kernel = random.normal(0, 0.5, (3, 3, 3, 4)).astype(np.float32)
    layers = (Layer("convolution", kernel, np.zeros(4, np.float32), 4, True),)
    weights = random.normal(size=(4, 2)).astype(np.float32)
    network = Network("test", SIZE, 127.0, 64.0, layers)
    classifier = Classifier(network, weights, np.zeros(2, np.float32), ("a", "b"), False)
    model = LiteModel(classifier_model(classifier), SIZE, classifier.labels)

    assert model.scores([make() for make in GOOD.values()]).shape == (len(GOOD), 2)
    for make in BAD.values():
        with pytest.raises(PhotoError):
            model.scores([make()])
