"""The tiny custom trainer, which also talks and draws curves: `talking_engine train GATE --…`.

It says three things before the gate opens, and two behind it; its curves have a point before and
three behind.
"""

import json
import os
import struct
import sys
import time
from pathlib import Path

from tests.ops import tiny_custom_engine
from tests.ops.tiny_engine import local


def say(message: str, severity: str = "INFO", **fields: object) -> None:
    """A structured log line."""
    print(json.dumps({"severity": severity, "message": message, **fields}), flush=True)


def draw(part: str, step: int, **values: float) -> None:
    """A point of each curve, in an event file that stays open as a real writer's does."""
    from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
    from tensorboard.summary.writer.record_writer import (  # type: ignore[import-untyped]
        masked_crc32c,
    )

    folder = local(os.environ["AIP_TENSORBOARD_LOG_DIR"].rstrip("/")) / part
    folder.mkdir(parents=True, exist_ok=True)
    summary = Summary(
        value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    )
    event = Event(step=step, wall_time=time.time(), summary=summary).SerializeToString()
    length = struct.pack("<Q", len(event))
    with (folder / "events.out.tfevents.1").open("ab") as file:
        file.write(length + struct.pack("<I", masked_crc32c(length)))
        file.write(event + struct.pack("<I", masked_crc32c(event)))


def train(gate: str, *words: str) -> None:
    """Talk, draw, and train once the gate is there."""
    print("plain words", flush=True)
    print("a complaint", file=sys.stderr, flush=True)
    say("reading", phase="read", fraction=0.25)
    draw("train", 0, epoch_loss=2.0)
    while not Path(gate).exists():
        time.sleep(0.02)
    for step in (1, 2, 3):
        draw("train", step, epoch_loss=1.0 / step)
        draw("validation", step, epoch_accuracy=0.25 * step)
    say("slow", "WARNING", epoch=1)
    tiny_custom_engine.train(gate, *words)
    say("done")


if __name__ == "__main__":
    train(*sys.argv[2:]) if sys.argv[1] == "train" else tiny_custom_engine.serve()
