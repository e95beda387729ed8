"""Small random changes of photos in training, in the graph, anew for each photo in each epoch.

`apply(tf, pixels, names, seeds)` is the whole interface, `OPERATIONS` the table of what there is.
Whatever the order of `names`, changes are made in the table's order: first where pixels are, all of
it in one resampling; then their colours, all of it in one product, cut off at 0 and 255 at the end.
One seed, epoch and photo make one change, in whatever batch. Mixup comes last, in `mixed`, with the
labels; of it alone the batch decides, for the other photo is the next one in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.data import augment_colours as colours
from trainer.data import augment_places as places
from trainer.data.augment_draws import uniform

PLACE, COLOUR, MIX = "place", "colour", "mix"
MIXUP_ALPHA = 0.2
_TRIES = 4


@dataclass(frozen=True)
class Operation:
    """One change: of places or colours, how many numbers from `low` to `high` it draws for a photo.

    With `even_ratio` factors are drawn so that half and double are equally likely.
    """

    name: str
    kind: str
    low: float
    high: float
    unit: str
    source: str
    change: Callable[..., Any] | None = None
    draws: int = 1
    even_ratio: bool = False

    def drawn(self, tf: Any, seeds: Any) -> Any:
        """What each photo gets, `(batch, draws)`."""
        share = uniform(tf, seeds, OPERATIONS.index(self), self.draws)
        if self.even_ratio:
            return self.low * (self.high / self.low) ** share
        return self.low + (self.high - self.low) * share


_FLOWERS = "Google's CIFAR-10 tutorial for TensorFlow (2015) and its flowers course after it"
_YOLO = "Redmon and Farhadi, 2017 (arXiv:1612.08242), its published settings"
_DIGITS = "Simard et al., 2003 (ICDAR); amounts chosen here on digits"
_HERE = "chosen here: a thing stays what it is"
OPERATIONS = (
    Operation("crop", PLACE, 0, 1, "of 10 px", _FLOWERS, places.crop, 2),
    Operation("flip", PLACE, 0, 1, "below 0.5", _FLOWERS, places.flip),
    Operation("zoom", PLACE, 0.8, 1.25, "times", _HERE, places.zoom, 1, True),
    Operation("rotation", PLACE, -15, 15, "degrees", _HERE, places.rotation),
    Operation("affine", PLACE, -1, 1, "of the most", _DIGITS, places.affine, 6),
    Operation("brightness", COLOUR, -63 / 255, 63 / 255, "of 255", _FLOWERS, colours.brightness),
    Operation("contrast", COLOUR, 0.2, 1.8, "times", _FLOWERS, colours.contrast),
    Operation("hue", COLOUR, -0.1, 0.1, "of a turn", _YOLO, colours.hue),
    Operation("saturation", COLOUR, 1 / 1.5, 1.5, "times", _YOLO, colours.saturation, 1, True),
    Operation("mixup", MIX, 0.5, 1, "of the photo", "Zhang et al., 2018 (arXiv:1710.09412)"),
)
NAMES = tuple(operation.name for operation in OPERATIONS)


def apply(tf: Any, pixels: Any, names: Sequence[str], seeds: Any) -> Any:
    """Changed pixels, of pixels `(batch, size, size, 3)` float32, 0–255, as they come back.

    `seeds` are `(batch, 2)` int32: `augment_draws.photo_seeds`. `names` are of the table; mixup
    among them is for `mixed`, and changes nothing here.
    """
    moves = [one for one in OPERATIONS if one.name in names and one.kind == PLACE]
    paints = [one for one in OPERATIONS if one.name in names and one.kind == COLOUR]
    if moves:
        pixels = places.resampled(tf, pixels, _map(tf, moves, seeds, int(pixels.shape[1])))
    if paints:
        mean = tf.reduce_mean(pixels, (1, 2))
        pixels = colours.painted(tf, pixels, _paint(tf, paints, seeds, mean))
    return pixels


def mixed(tf: Any, pixels: Any, targets: Any, names: Sequence[str], seeds: Any) -> tuple[Any, Any]:
    """Each photo laid over the next one of the batch, targets `(batch, labels)` alike (mixup).

    The photo's own share is drawn from Beta(0.2, 0.2) and never below a half. As they were without
    mixup among `names`. Right for several labels a photo too: a target is then a chance.
    """
    if "mixup" not in names:
        return pixels, targets
    own = _own_share(tf, seeds)
    kept, rows = own[:, None, None, None], own[:, None]
    laid = kept * pixels + (1 - kept) * tf.roll(pixels, -1, 0)
    return laid, rows * targets + (1 - rows) * tf.roll(targets, -1, 0)


def _map(tf: Any, moves: Sequence[Operation], seeds: Any, size: int) -> Any:
    made: Any = None
    for move in moves:
        assert move.change is not None
        next_map = move.change(tf, move.drawn(tf, seeds), size)
        made = next_map if made is None else made @ next_map
    return made


def _paint(tf: Any, paints: Sequence[Operation], seeds: Any, mean: Any) -> Any:
    made = colours.unchanged(tf, mean)
    for paint in paints:
        assert paint.change is not None
        change = paint.change(tf, paint.drawn(tf, seeds), mean)
        made, mean = colours.joined(made, change), colours.moved(mean, change)
    return made


def _own_share(tf: Any, seeds: Any) -> Any:
    """Beta's larger part `(batch,)` by Jöhnk's method (1964): the first pair that is accepted.

    0.95 of pairs are; of a million photos six have four that are not, and are laid half and half.
    """
    draws = uniform(tf, seeds, len(OPERATIONS), 2 * _TRIES)
    powers = tf.maximum(draws, 1e-7) ** (1 / MIXUP_ALPHA)
    first, second = powers[:, :_TRIES], powers[:, _TRIES:]
    share = first / (first + second)
    own = tf.fill(tf.shape(share)[:1], 0.5)
    for place in reversed(range(_TRIES)):
        accepted = first[:, place] + second[:, place] <= 1.0
        own = tf.where(accepted, share[:, place], own)
    return tf.maximum(own, 1 - own)
