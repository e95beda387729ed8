"""TensorFlow and Keras, imported when they are needed: it takes seconds, and half a gigabyte."""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainer.quiet import without_remarks

OLD_KERAS = "TF_USE_LEGACY_KERAS"
_importing = threading.RLock()


@functools.cache
def tensorflow() -> Any:
    """TensorFlow, quiet and on the CPU's cores."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with _importing, without_remarks(), _left_to_itself(), _without_keras():
        import tensorflow as tf

        # Where TensorFlow is built for CUDA, it is this that says there is none.
        tf.config.list_physical_devices()
    return tf


@functools.cache
def keras() -> Any:
    """Keras on TensorFlow."""
    tensorflow()
    with _importing, without_remarks(), _left_to_itself():
        import keras as imported
    return imported


@contextmanager
def _left_to_itself() -> Iterator[None]:
    """Keeps Python's garbage collection from what is imported, now and later.

    TensorFlow is 400,000 objects that stay. Looking through them was a fifth of its import, and is
    0.14 s whenever Python collects everything (2.21, 2026-11-22).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _without_keras() -> Iterator[None]:
    """Leaves Keras out of TensorFlow's import, of which it is 2.3 s of 5 (2.21, 2026-11-22).

    Asked for its old Keras, which is a package of its own, TensorFlow imports neither; `tf.keras`
    and `import keras` find the new one as ever.
    """
    before = os.environ.get(OLD_KERAS)
    os.environ[OLD_KERAS] = "1"
    try:
        yield
    finally:
        os.environ.pop(OLD_KERAS)
        if before is not None:
            os.environ[OLD_KERAS] = before
