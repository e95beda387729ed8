"""The fair peer: Keras with our backbone, aspect kept, features read once and kept in memory.

`python -m bench.keras_fair head ROWS OUT`: a dense layer on the frozen network's features.
`python -m bench.keras_fair tail ROWS OUT`: then the last blocks are trained too, on kept maps of
the photos and their mirror images.
"""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.keras_course import Course, Photos, read_photos
from bench.keras_lite0 import SIZE, WIDTH, backbone, prefix, tail

Array = NDArray[Any]

BATCH = 32
TAIL_BLOCK = 11
HEAD_EPOCHS, HEAD_PATIENCE = 100, 8
TAIL_EPOCHS, TAIL_PATIENCE, TAIL_RATE = 10, 3, 1e-4


def pixels(photos: Photos, mirrored: bool = False) -> Any:
    """Batches `(n, 224, 224, 3)` of centre squares, decoded by two threads ahead of their use."""
    import tensorflow as tf

    def read(path: Any) -> Any:
        whole = tf.io.decode_jpeg(tf.io.read_file(path), 3, dct_method="INTEGER_FAST")
        shape = tf.shape(whole)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        square = tf.image.resize(whole[top : top + side, left : left + side], (SIZE, SIZE))
        return square[:, ::-1] if mirrored else square

    files = tf.data.Dataset.from_tensor_slices(photos.paths)
    return files.map(read, num_parallel_calls=2).batch(BATCH).prefetch(4)


def train_head(
    course: Course, features: dict[str, Array], photos: dict[str, Photos], n: int
) -> Any:
    """The dense layer of the best epoch by validation, Keras' own early stopping."""
    import keras

    head = keras.Sequential(
        [keras.Input((WIDTH,)), keras.layers.Dropout(0.2), keras.layers.Dense(n, "softmax")]
    )
    head.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def tell(_: int, logs: Any) -> None:
        course.reached(
            "head",
            logs["val_accuracy"],
            lambda: accuracy(head, features["test"], photos["test"]),
        )

    y = {split: np.array(own.labels) for split, own in photos.items()}
    head.fit(
        features["training"],
        y["training"],
        validation_data=(features["validation"], y["validation"]),
        epochs=HEAD_EPOCHS,
        batch_size=BATCH,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=tell),
            keras.callbacks.EarlyStopping(
                "val_accuracy", patience=HEAD_PATIENCE, restore_best_weights=True
            ),
        ],
    )
    return head


def accuracy(model: Any, inputs: Array, photos: Photos) -> float:
    """The share of photos whose label comes first."""
    said = model.predict(inputs, batch_size=256, verbose=0).argmax(axis=1)
    return float((said == np.array(photos.labels)).mean())


def frozen(course: Course, photos: dict[str, Photos], n: int) -> None:
    """Features once, then the dense layer."""
    network = backbone()
    features = {
        split: network.predict(pixels(photos[split]), verbose=0)
        for split in ("training", "validation")
    }
    features["test"] = course.aside(lambda: network.predict(pixels(photos["test"]), verbose=0))
    train_head(course, features, photos, n)


def tuned(course: Course, photos: dict[str, Photos], n: int) -> None:
    """Maps once, the dense layer on their features, then both."""
    first = prefix(TAIL_BLOCK)

    def read(split: str, mirrored: bool = False) -> Array:
        found: Array = first.predict(pixels(photos[split], mirrored), verbose=0)
        return found.astype(np.float16)

    maps = {split: read(split) for split in ("training", "validation")}
    views = [maps["training"], read("training", mirrored=True)]
    maps["test"] = course.aside(lambda: read("test"))
    last = tail(TAIL_BLOCK, maps["training"].shape[1:])
    features = {
        split: last.predict(own, batch_size=BATCH, verbose=0)
        for split, own in maps.items()
        if split != "test"
    }
    features["test"] = course.aside(lambda: last.predict(maps["test"], verbose=0))
    head = train_head(course, features, photos, n)
    fine_tune(course, last, head, views, maps, photos)


def fine_tune(
    course: Course,
    last: Any,
    head: Any,
    views: list[Array],
    maps: dict[str, Array],
    photos: dict[str, Photos],
) -> None:
    """Epochs on another view of every photo each, until validation has not risen for three.

    Adam at 1e-4, as Keras users fine-tune. Descent with momentum at 1e-2 fell from 0.82 to 0.47 of
    validation photos in four epochs (108 training photos, 2026-11-22).
    """
    import keras

    given = keras.Input(last.input_shape[1:])
    # Called as for inference: batch normalisation keeps its statistics, as Keras' guide advises.
    model = keras.Model(given, head(last(given, training=False)))
    steps = TAIL_EPOCHS * (len(views[0]) // BATCH + 1)
    rate = keras.optimizers.schedules.CosineDecay(TAIL_RATE, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    labels = np.array(photos["training"].labels)
    best, waited = 0.0, 0
    for epoch in range(TAIL_EPOCHS):
        model.fit(views[epoch % len(views)], labels, batch_size=BATCH, verbose=0)
        share = accuracy(model, maps["validation"], photos["validation"])
        course.reached("tail", share, lambda: accuracy(model, maps["test"], photos["test"]))
        waited = 0 if share > best else waited + 1
        best = max(best, share)
        if waited == TAIL_PATIENCE:
            break


def main() -> None:
    """Train as the command line says and write the curve."""
    import keras

    keras.utils.set_random_seed(0)
    random.seed(0)
    way, rows, out = sys.argv[1:4]
    photos, n = read_photos(Path(rows))
    course = Course()
    {"head": frozen, "tail": tuned}[way](course, photos, n)
    course.write(Path(out))


if __name__ == "__main__":
    main()
