"""`trainer.export`: the graph decodes, scales and scores for itself, as training did."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.agreement import Agreement, compare, three_ways, trained_scores
from trainer.data.decode import square
from trainer.errors import ExportError, PhotoError
from trainer.export import Exported, save
from trainer.imports import tensorflow
from trainer.models.network import Classifier, Layer, Network

Maker = Callable[..., bytes]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """A tiny network of 32 pixels whose scores depend on every pixel."""
    random = np.random.default_rng(0)
    kernel = random.normal(0, 0.5, (3, 3, 3, 8)).astype(np.float32)
    layers = (Layer("convolution", kernel, np.zeros(8, np.float32), 2, True), Layer("pool"))
    network = Network("test", 32, 127.0, 64.0, layers)
    weights = random.normal(size=(8, 3)).astype(np.float32)
    labels = ("t-shirt", "größe", "0")
    return Classifier(network, weights, np.zeros(3, np.float32), labels, True)


@pytest.fixture(scope="module")
def exported(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The classifier saved and loaded again."""
    folder = tmp_path_factory.mktemp("exported")
    save(classifier, folder)
    return Exported(folder)


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        ("JPEG", "RGB", (300, 200)),
        ("JPEG", "RGB", (1000, 700)),
        ("JPEG", "L", (130, 65)),
        ("PNG", "RGBA", (120, 300)),
        ("PNG", "P", (50, 40)),
        ("PNG", "L", (1, 1)),
        ("PNG", "RGB", (20, 24)),
        ("GIF", "P", (64, 48)),
        ("BMP", "RGB", (64, 48)),
    ],
)
def test_the_graph_sees_what_training_saw(
    classifier: Classifier,
    exported: Exported,
    photo_bytes: Maker,
    kind: str,
    mode: str,
    size: tuple[int, int],
) -> None:
    """Each format, shrunk or enlarged, gets the scores of the training decoder's pixels."""
    from trainer.models.litert import Interpreter, classifier_model

    data = photo_bytes(kind, mode, size)

    served = exported.scores([data])[0]

    expected = Interpreter(classifier_model(classifier)).run(square(data, 32))
    np.testing.assert_allclose(served, expected, atol=0.01)


def test_labels_come_with_the_scores(exported: Exported, photo_bytes: Maker) -> None:
    """A batch gives a row of scores a photo that sum to one, and the names as they were written."""
    scores = exported.scores([photo_bytes("PNG"), photo_bytes("JPEG")])

    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, rtol=1e-5)
    assert exported.labels == ("t-shirt", "größe", "0")


def test_a_bad_photo_among_good_ones_is_named(
    exported: Exported, photo_bytes: Maker, tmp_path: Path
) -> None:
    """The file that the graph cannot read is the one in the message."""
    for name, data in (("good.png", photo_bytes("PNG")), ("bad.jpg", b"no photo")):
        (tmp_path / name).write_bytes(data)

    with pytest.raises(PhotoError, match=r"bad\.jpg: the graph cannot read it \(not a JPEG, "):
        exported.scores_of_files([tmp_path / "good.png", tmp_path / "bad.jpg"])


def test_the_rule_of_agreement_fails_with_the_figures() -> None:
    """Two labels in a hundred different, or scores off by 0.02, stop it with figures; one not."""
    with pytest.raises(ExportError, match=r"98\.00% of 100 photos \(at least 99\.5% needed\)"):
        Agreement(100, 0.98, 0.0).check()
    Agreement(100, 0.99, 0.0).check()
    with pytest.raises(ExportError, match=r"differ by 0\.0200 on average \(at most 0\.01\)"):
        Agreement(100, 1.0, 0.02).check()
    Agreement(200, 0.995, 0.01).check()


def test_three_ways_are_compared_in_pairs() -> None:
    """The card has each pair and the worst of them; the two that break the rule are named."""
    trained = np.tile(np.array([[0.9, 0.1]], np.float32), (100, 1))
    graph, broken = trained.copy(), trained.copy()
    graph[0] = [0.8, 0.2]
    broken[:2] = [0.1, 0.9]

    found = three_ways(trained, graph, trained)

    assert set(found["pairs"]) == {"trained_graph", "trained_server", "graph_server"}
    assert found["largest_difference"] == pytest.approx(0.1)
    assert found["pairs"]["trained_server"]["largest_difference"] == 0
    assert found["same_label"] == 1 and found["photos"] == 100
    with pytest.raises(ExportError, match=r"The trained model and the exported graph give"):
        three_ways(trained, broken, trained)
    with pytest.raises(ExportError, match=r"The trained model and the server's model give"):
        three_ways(trained, trained, broken)


def test_labels_within_a_hundredth_of_the_best_are_one() -> None:
    """Of 90 photos near ties that turn over pass; labels that are really others fail."""
    trained = np.tile(np.array([[0.9, 0.1]], np.float32), (90, 1))
    tied, flipped = trained.copy(), trained.copy()
    tied[7:9] = [0.497, 0.503]
    trained[7:9] = [0.503, 0.497]
    flipped[7:9] = [0.49, 0.51]

    assert compare(trained, tied).same_label == 1
    compare(trained, tied).check()
    trained[7:9] = [0.507, 0.493]
    with pytest.raises(ExportError, match=r"97\.78% of 90 photos .* --model-type or --seed"):
        compare(trained, flipped).check()


def test_scores_within_a_hundredth_of_one_half_are_yes_and_no() -> None:
    """Of several labels, 0.495 and 0.505 are the same answer, 0.48 and 0.52 are not."""
    trained = np.full((60, 2), 0.9, np.float32)
    tied, flipped = trained.copy(), trained.copy()
    trained[7], tied[7], flipped[7:9] = [0.495, 0.505], [0.505, 0.495], [0.52, 0.48]

    assert compare(trained, tied, multi_label=True).same_label == 1
    trained[7:9] = [0.48, 0.52]
    with pytest.raises(ExportError, match=r"96\.67% of 60 photos"):
        compare(trained, flipped, multi_label=True).check()


def test_agreement_is_measured_on_the_files(
    classifier: Classifier, exported: Exported, photo_bytes: Maker, tmp_path: Path
) -> None:
    """The trained model and its export agree on photos of several sizes."""
    paths = []
    for number, size in enumerate([(40, 30), (64, 64), (200, 333), (500, 400)]):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(photo_bytes("JPEG", "RGB", size))

    agreement = compare(trained_scores(classifier, paths), exported.scores_of_files(paths))

    agreement.check()
    assert agreement.photos == 4


def test_the_three_signatures_answer_alike(
    classifier: Classifier, photo_bytes: Maker, tmp_path: Path
) -> None:
    """Bytes, bytes with keys and pixels have the same scores; keys come back in order."""
    tf = tensorflow()
    save(classifier, tmp_path)
    signatures = tf.saved_model.load(str(tmp_path)).signatures
    photos = [photo_bytes("PNG"), photo_bytes("JPEG", "RGB", (64, 64))]
    pixels = np.stack([square(photo, 32) for photo in photos]).astype(np.float32)

    plain = signatures["serving_default"](image_bytes=tf.constant(photos))
    keyed = signatures["keyed"](image_bytes=tf.constant(photos), key=tf.constant(["b", "a"]))
    of_pixels = signatures["pixels"](pixels=tf.constant(pixels))

    assert set(plain) == {"labels", "scores"}
    assert keyed["key"].numpy().tolist() == [b"b", b"a"]
    np.testing.assert_array_equal(keyed["scores"], plain["scores"])
    np.testing.assert_allclose(of_pixels["scores"], plain["scores"], atol=0.01)
    np.testing.assert_allclose(tf.nn.softmax(of_pixels["logits"]), of_pixels["scores"], rtol=1e-5)


def test_the_pixels_signature_can_be_differentiated(classifier: Classifier, tmp_path: Path) -> None:
    """After loading, a logit's gradient reaches the pixels: explanations need it."""
    tf = tensorflow()
    save(classifier, tmp_path)
    signature = tf.saved_model.load(str(tmp_path)).signatures["pixels"]
    pixels = tf.constant(np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)), tf.float32)

    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logit = signature(pixels=pixels)["logits"][:, 0]
    slopes = tape.gradient(logit, pixels).numpy()

    assert slopes.shape == (2, 32, 32, 3)
    assert np.abs(slopes).max(axis=(1, 2, 3)).min() > 0
