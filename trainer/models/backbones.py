"""The networks that know ImageNet, by name: which there are, the pixels each was taught at.

`lite0`, `lite1` and `lite2` come with their packages; every other name is one of Keras'.
"""

from __future__ import annotations

from dataclasses import replace

from trainer.models.efficientnet_lite import BACKBONES, VARIANTS, backbone
from trainer.models.network import Network
from trainer.transfer_policy import AUTO, NOTHING, TAIL

LITE = BACKBONES
IMAGENET, NONE = "imagenet", "none"

USUAL_SIZE = 224

# The applications that were trained at another size than 224 (their documentation, keras 3.15).
SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}


def is_lite(name: str) -> bool:
    """Whether the backbone is one whose weights are a package's."""
    return name in LITE


def input_size(name: str) -> int:
    """The height and width in pixels that a backbone was taught at."""
    return VARIANTS[LITE.index(name)].size if is_lite(name) else SIZES.get(name, USUAL_SIZE)


def has_cached_way(name: str, weights: str, unfreeze: str | int) -> bool:
    """Whether training needs nothing of Keras: Lite with its own weights, at most its tail trained.

    Its upper part is then taught by what its lower part made of each photo once (`frozen.py`,
    `unfrozen.py`), many times faster than through the whole network.
    """
    return is_lite(name) and weights == IMAGENET and unfreeze in (AUTO, NOTHING, TAIL)


def lite_of(name: str, size: int) -> Network:
    """The network of a name of `LITE` for squares of a size. Raises as `efficientnet_lite.lite`."""
    return replace(backbone(name), size=size)
