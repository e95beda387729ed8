"""EfficientNet-Lite0 as a Keras user has it: Keras layers, batch norm, ImageNet weights."""

from typing import Any

from trainer.models.efficientnet_lite import (
    BATCH_NORM_EPSILON,
    PIXEL_MEAN,
    PIXEL_SCALE,
    STAGES,
    STEM_CHANNELS,
    weights_file,
)
from trainer.models.pth import read_state

SIZE = 224
WIDTH = 1280
BLOCKS = sum(stage.repeats for stage in STAGES)
NORM = ("weight", "bias", "running_mean", "running_var")


def backbone() -> Any:
    """The whole network: pixels `(batch, 224, 224, 3)`, 0–255 → features `(batch, 1280)`."""
    import keras

    pixels = keras.Input((SIZE, SIZE, 3))
    features = _head(_blocks(_stem(pixels), 0, BLOCKS))
    return _with_weights(keras.Model(pixels, features, name="lite0"))


def prefix(block: int) -> Any:
    """The part before a block: pixels as above → maps."""
    import keras

    pixels = keras.Input((SIZE, SIZE, 3))
    return _with_weights(keras.Model(pixels, _blocks(_stem(pixels), 0, block)))


def tail(block: int, maps: tuple[int, ...]) -> Any:
    """The part from a block on: maps of this shape → features `(batch, 1280)`."""
    import keras

    given = keras.Input(maps)
    return _with_weights(keras.Model(given, _head(_blocks(given, block, BLOCKS))))


def _stem(pixels: Any) -> Any:
    from keras import layers

    scaled = layers.Rescaling(1 / PIXEL_SCALE, -PIXEL_MEAN / PIXEL_SCALE)(pixels)
    stem = layers.Conv2D(STEM_CHANNELS, 3, 2, "same", use_bias=False, name="_conv_stem")(scaled)
    return _norm(stem, "_bn0", True)


def _head(maps: Any) -> Any:
    from keras import layers

    head = layers.Conv2D(WIDTH, 1, use_bias=False, name="_conv_head")(maps)
    return layers.GlobalAveragePooling2D()(_norm(head, "_bn1", True))


def _blocks(maps: Any, first: int, last: int) -> Any:
    """Maps after the blocks from `first` up to, not with, `last`."""
    number = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            if first <= number < last:
                stride = stage.stride if repeat == 0 else 1
                maps = _block(maps, number, stage.kernel, stride, stage.expansion, stage.outputs)
            number += 1
    return maps


def _block(maps: Any, number: int, kernel: int, stride: int, expansion: int, outputs: int) -> Any:
    from keras import layers

    name, inner = f"_blocks-{number}-", maps
    if expansion > 1:
        width = maps.shape[-1] * expansion
        inner = layers.Conv2D(width, 1, use_bias=False, name=name + "_expand_conv")(inner)
        inner = _norm(inner, name + "_bn0", True)
    inner = layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=name + "_depthwise_conv"
    )(inner)
    inner = _norm(inner, name + "_bn1", True)
    inner = layers.Conv2D(outputs, 1, use_bias=False, name=name + "_project_conv")(inner)
    inner = _norm(inner, name + "_bn2", False)
    same = stride == 1 and maps.shape[-1] == outputs
    return layers.Add()([inner, maps]) if same else inner


def _norm(maps: Any, name: str, relu6: bool) -> Any:
    from keras import layers

    normal = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=name)(maps)
    return layers.ReLU(6.0)(normal) if relu6 else normal


def _with_weights(model: Any) -> Any:
    """The same model; torch's kernels are (out, in, height, width)."""
    from keras import layers

    state = read_state(weights_file())
    for layer in model.layers:
        name = layer.name.replace("-", ".")
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([state[f"{name}.weight"].transpose(2, 3, 0, 1)])
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([state[f"{name}.weight"].transpose(2, 3, 1, 0)])
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights([state[f"{name}.{part}"] for part in NORM])
    return model
