"""`trainer.models.keras_backbone`: a network by name, its weights from a file, or a sentence."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from trainer.errors import ConfigError, WeightsError
from trainer.flags import read_table
from trainer.imports import tensorflow
from trainer.models.backbones import IMAGENET, LITE, NONE, SIZES, lite_of
from trainer.models.keras_backbone import Backbone, build, weights_of
from trainer.models.keras_classifier import classifier
from trainer.models.network import Classifier

SIDE = 32
WIDTH = 0.35
NAME = "MobileNetV2"


@pytest.fixture(scope="module")
def small() -> Backbone:
    """The smallest of the applications, with random weights and shifted statistics."""
    made = build(NAME, SIDE, NONE, seed=3, width=WIDTH)
    random = np.random.default_rng(5)
    made.base.set_weights([random.uniform(0.1, 1, one.shape) for one in made.base.get_weights()])
    return made


@pytest.fixture(scope="module")
def saved(small: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights in a file."""
    path = tmp_path_factory.mktemp("weights") / "own.weights.h5"
    small.base.save_weights(path)
    return path


def pixels(count: int = 2, side: int = SIDE) -> np.ndarray:
    """Squares of noise, float32, 0–255."""
    noise = np.random.default_rng(0).integers(0, 256, (count, side, side, 3))
    return noise.astype(np.float32)


@pytest.mark.training
@pytest.mark.parametrize("ending", [".weights.h5", ".keras", ".h5"])
def test_weights_given_by_file_are_a_head_start(
    small: Backbone, tmp_path: Path, ending: str
) -> None:
    """Each of Keras' three formats gives the same features again, whatever the seed."""
    path = tmp_path / f"own{ending}"
    (small.base.save_weights if ending == ".weights.h5" else small.base.save)(path)

    again = build(NAME, SIDE, weights_of(str(path), tmp_path), seed=4, width=WIDTH)

    assert again.pretrained and again.origin == path.name
    np.testing.assert_allclose(
        again.embedding(pixels()).numpy(), small.embedding(pixels()).numpy(), rtol=1e-5
    )


@pytest.mark.training
@pytest.mark.parametrize("kept", [0, 1000, -100])
def test_a_truncated_file_is_refused(saved: Path, tmp_path: Path, kept: int) -> None:
    """Wherever it is cut, the sentence has its name, its size and what to type."""
    short = tmp_path / "short.weights.h5"
    short.write_bytes(saved.read_bytes()[:kept])

    with pytest.raises(WeightsError) as refusal:
        build(NAME, SIDE, short, seed=0, width=WIDTH)

    assert "short.weights.h5 is damaged, cut short or not of MobileNetV2" in str(refusal.value)
    assert f"({short.stat().st_size} bytes" in str(refusal.value)
    assert "give another --weights" in str(refusal.value)


@pytest.mark.training
def test_another_network_s_weights_are_refused(small: Backbone, tmp_path: Path) -> None:
    """Also where Keras itself would pass over every layer that it does not find."""
    path = tmp_path / "other.h5"
    small.base.save(path)

    with pytest.raises(WeightsError) as refusal:
        build("MobileNet", SIDE, path, seed=0, width=0.25)

    assert "other.h5 does not give" in str(refusal.value)


@pytest.mark.training
@pytest.mark.parametrize(
    ("name", "side", "weights", "sentence"),
    [
        ("Mobilenetv2", SIDE, NONE, "keras.applications has no 'Mobilenetv2'. See --help"),
        (NAME, 20, NONE, "Keras cannot build MobileNetV2: Input size must be at least 32x32"),
        ("lite0", 20, NONE, "--image-size must be at least 32 for lite0. Received: 20"),
        (NAME, SIDE, Path("w.pth"), "--weights takes a file of .weights.h5, .keras, .h5. Rec"),
        (NAME, SIDE, Path("none.h5"), "There is no weights file none.h5. Give --weights another"),
    ],
)
def test_what_there_is_not_is_refused(
    name: str, side: int, weights: str | Path, sentence: str
) -> None:
    """A name, a size, an ending, a file."""
    with pytest.raises((ConfigError, WeightsError)) as refusal:
        build(name, side, weights, seed=0)

    assert sentence in str(refusal.value)


@pytest.mark.training
def test_without_a_network_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Keras cannot fetch ImageNet's weights there are three other ways."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    with pytest.raises(WeightsError) as refusal:
        build(NAME, 160, IMAGENET, seed=0, width=1.3)

    text = str(refusal.value)
    assert text.startswith("The ImageNet weights of MobileNetV2 could not be fetched (")
    for way in ("--weights FILE", "--weights none", "--backbone lite0"):
        assert way in text


@pytest.mark.training
def test_the_flag_has_every_application_of_keras() -> None:
    """The names of the table are those of `keras.applications`, and no other has a size."""
    tensorflow()
    from keras import applications

    known = {name for name in dir(applications) if inspect.isfunction(getattr(applications, name))}

    assert set(read_table()["backbone"].choices) == known | set(LITE)
    assert set(SIZES) <= known


@pytest.mark.training
def test_lite_as_a_keras_network_is_lite() -> None:
    """Batch normalisation apart it has the features, and folded again the arrays, of the other."""
    lite1 = build("lite1", 64, IMAGENET, seed=0)
    head = (np.zeros((1280, 2)), np.zeros(2))

    made = classifier(lite1, head, ("a", "b"), False, False, 3)

    same = lite_of("lite1", 64)
    assert isinstance(made, Classifier)
    assert made.architecture == "efficientnet-lite1, 3 layers trained"
    for ours, other in zip(made.network.layers, same.layers, strict=True):
        assert ours.kernel is not None and other.kernel is not None
        np.testing.assert_array_equal(ours.kernel, other.kernel)
        assert (ours.stride, ours.relu6, ours.adds) == (other.stride, other.relu6, other.adds)
    from trainer.export import embedded

    np.testing.assert_allclose(
        lite1.embedding(pixels(1, 64)).numpy(),
        embedded(same, tensorflow().constant(pixels(1, 64))).numpy(),
        atol=1e-3,
    )
