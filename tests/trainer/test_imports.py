"""TensorFlow's import: what is left out of it, and what it leaves as it was."""

import json
import subprocess
import sys

IMPORT = """
import gc, json, os, sys
from trainer.imports import keras, tensorflow
tf = tensorflow()
before = {
    "keras": "keras" in sys.modules,
    "kept": gc.get_freeze_count(),
    "collects": gc.isenabled(),
}
import tensorflow as again
found = {
    "same": again is tf,
    "old": os.environ.get("TF_USE_LEGACY_KERAS"),
    "keras": tf.keras.Input is keras().Input,
    "collects": gc.isenabled(),
}
print(json.dumps([before, found]))
"""


def test_tensorflow_comes_without_keras_which_is_found_afterwards() -> None:
    """Its 400,000 objects are no business of Python's collector, which is on again."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    before, found = json.loads(done.stdout.splitlines()[-1])
    assert before["keras"] is False
    assert before["kept"] > 100_000
    assert before["collects"] is True
    assert found == {"same": True, "old": None, "keras": True, "collects": True}
