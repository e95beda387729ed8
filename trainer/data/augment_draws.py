"""Random numbers of a photo in an epoch: the same in whatever batch and order.

TensorFlow's own stateless generators take one seed a call, so a batch's photos would share it. Here
each photo has a seed, and each number is a hash of the seed and of what it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Seeds = NDArray[np.int32]
_GOLDEN = 0x9E3779B9
_TOP_BITS = 24


def photo_seeds(seed: int, epoch: int, photos: Sequence[int] | NDArray[Any]) -> Seeds:
    """`(photos, 2)` int32: what `augment.apply` takes; `photos` are whole numbers that stay theirs.

    `numpy.random.default_rng([seed, epoch])` has the same first column: see `seeds_of`.
    """
    return _paired(np.random.SeedSequence([seed, epoch]), photos)


def seeds_of(random: np.random.Generator, photos: Sequence[int] | NDArray[Any]) -> Seeds:
    """The same, of a generator that was made for an epoch; whatever was drawn from it since."""
    source = random.bit_generator.seed_seq
    assert isinstance(source, np.random.SeedSequence)
    return _paired(source, photos)


def uniform(tf: Any, seeds: Any, purpose: int, count: int) -> Any:
    """Numbers `(photos, count)` float32 in [0, 1) of seeds `(photos, 2)`, another set per purpose.

    The mixing is MurmurHash3's finaliser (Appleby, 2011), in 32 bits; its upper 24 are used, as
    many as a float32 holds.
    """
    places = np.arange(count, dtype=np.uint64) + 64 * np.uint64(purpose) + 1
    keys = tf.constant((places * _GOLDEN % 2**32).astype(np.uint32))
    seeds = tf.cast(seeds, tf.uint32)
    mixed = _mixed(tf, _mixed(tf, seeds[:, :1]) + seeds[:, 1:])
    bits = _mixed(tf, tf.bitwise.bitwise_xor(mixed, keys[None]))
    top = tf.bitwise.right_shift(bits, tf.constant(32 - _TOP_BITS, tf.uint32))
    return tf.cast(tf.cast(top, tf.int32), tf.float32) / float(2**_TOP_BITS)


def _paired(source: np.random.SeedSequence, photos: Sequence[int] | NDArray[Any]) -> Seeds:
    each = np.asarray(photos, np.int64).astype(np.uint32)
    return np.stack([np.full_like(each, source.generate_state(1)[0]), each], 1).view(np.int32)


def _mixed(tf: Any, values: Any) -> Any:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = _shifted(tf, values, shift) * tf.constant(factor, tf.uint32)
    return _shifted(tf, values, 16)


def _shifted(tf: Any, values: Any, bits: int) -> Any:
    moved = tf.bitwise.right_shift(values, tf.constant(bits, tf.uint32))
    return tf.bitwise.bitwise_xor(values, moved)
