"""The peer of `trainer.serve`: the same network as a Keras model, `predict` behind threaded Flask.

`python -m bench.keras_server PORT` serves `/plain` and `/mirrored` (which averages each photo's
features with its mirror image's, as AutoML exports them), in the form for custom models. It is made
as favourable as such a server can be without being another one: batch normalisation is folded into
the weights, connections are kept alive, Pillow scales a big JPEG while it decodes, and nothing is
printed.
"""

from __future__ import annotations

import base64
import io
import os
import sys
from typing import Any

import numpy as np

from trainer.models.efficientnet_lite import lite0
from trainer.models.network import Classifier, Layer

LABELS = tuple(f"class_{number}" for number in range(10))


def classifier(mirrored: bool) -> Classifier:
    """Lite0 with its ImageNet weights and a seeded head of ten labels: what both servers serve."""
    dice, network = np.random.default_rng(0), lite0()
    weights = dice.normal(0, 0.1, (network.width, len(LABELS))).astype(np.float32)
    return Classifier(network, weights, np.zeros(len(LABELS), np.float32), LABELS, mirrored)


def keras_model(source: Classifier) -> Any:
    """The classifier as a Keras model: pixels `(batch, size, size, 3)`, 0–255 → scores."""
    import keras

    network = source.network
    pixels = keras.Input((network.size, network.size, 3))
    outputs = [keras.layers.Rescaling(1 / network.scale, -network.mean / network.scale)(pixels)]
    for layer in network.layers:
        value = keras_layer(layer)(outputs[-1])
        if layer.relu6:
            value = keras.layers.ReLU(6.0)(value)
        if layer.adds is not None:
            value = keras.layers.Add()([value, outputs[layer.adds + 1]])
        outputs.append(value)
    features = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(outputs[-1]))
    pooled = features(pixels)
    if source.mirrored:
        mirror = keras.layers.Lambda(lambda x: x[:, :, ::-1])(pixels)
        pooled = keras.layers.Average()([pooled, features(mirror)])
    head = keras.layers.Dense(len(source.labels), activation="softmax")
    model = keras.Model(pixels, head(pooled))
    copy_weights(source, features)
    head.set_weights([source.weights, source.bias])
    return model


def keras_layer(layer: Layer) -> Any:
    """One convolution, plain or depthwise."""
    import keras

    assert layer.kernel is not None
    height = layer.kernel.shape[0]
    if layer.kind == "depthwise":
        return keras.layers.DepthwiseConv2D(height, layer.stride, "same")
    return keras.layers.Conv2D(layer.kernel.shape[3], height, layer.stride, "same")


def copy_weights(source: Classifier, model: Any) -> None:
    """Gives the Keras layers the network's kernels and biases, in their order."""
    import keras

    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    convolutions = [layer for layer in model.layers if isinstance(layer, kinds)]
    for layer, own in zip(convolutions, source.network.layers, strict=True):
        layer.set_weights([own.kernel, own.bias])


def decoded(photo: bytes, size: int) -> Any:
    """The photo's centre square `(size, size, 3)`, as Pillow makes it."""
    from PIL import Image

    file = Image.open(io.BytesIO(photo))
    file.draft("RGB", (size, size))
    image = file.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box), np.float32)


def build(size: int, models: dict[str, Any]) -> Any:
    """The Flask application: a route for each model."""
    import flask

    app = flask.Flask("peer")

    def predict(kind: str) -> Any:
        instances = flask.request.get_json()["instances"]
        photos = [decoded(base64.b64decode(one["b64"]), size) for one in instances]
        scores = models[kind].predict(np.stack(photos), verbose=0)
        answers = [
            {"prediction": LABELS[int(row.argmax())], "labels": LABELS, "scores": row.tolist()}
            for row in scores
        ]
        return flask.jsonify({"predictions": answers})

    app.add_url_rule("/<kind>", view_func=predict, methods=["POST"])
    return app


def main() -> None:
    """Serves until it is killed; says `ready` when both models have answered once."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import logging

    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    WSGIRequestHandler.disable_nagle_algorithm = True
    sources = {"plain": classifier(False), "mirrored": classifier(True)}
    models = {kind: keras_model(source) for kind, source in sources.items()}
    size = sources["plain"].network.size
    for model in models.values():
        model.predict(np.zeros((1, size, size, 3), np.float32), verbose=0)
    server = make_server("127.0.0.1", int(sys.argv[1]), build(size, models), threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
