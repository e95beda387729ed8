"""The curves that a training wrote for TensorBoard: fetched, and read without TensorFlow."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ops.cloud import storage
from ops.cloud.storage import Object
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record
from ops.workflows import local_training
from ops.workflows import logs as log_workflow
from ops.workflows.train_options import AUTOML

LOGS = "logs/"
# Which generation of each object lies in the folder.
INDEX = ".generations.json"
SCALARS = "scalars"
EVENTS = "tfevents"


@dataclass(frozen=True)
class Curve:
    """A figure over the steps of a training; `part` is the writer: train, validation."""

    part: str
    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        points = [list(point) for point in zip(self.steps, self.values, strict=True)]
        return {"part": self.part, "name": self.name, "points": points}


@dataclass(frozen=True)
class Place:
    """Where the event files of a run are: a folder here, and the objects it is a copy of.

    `prefix` is empty for a training on this machine, whose own folder it is.
    """

    run: str
    folder: Path
    prefix: str


def check_installed() -> None:
    """NOT_PREPARED without the package that reads and shows the files."""
    if find_spec("tensorboard") is None:
        raise OpsError(
            Code.NOT_PREPARED,
            "TensorBoard is not installed on this machine.",
            "Type: make setup   or: pip install tensorboard",
        )


def find(ledger: Ledger, run: str) -> Place:
    """Where the curves of a run are. NOT_FOUND for one that cannot have any."""
    record = ledger.get(run)
    if record.kind != log_workflow.KIND:
        raise _none(f"Run {run} is no training: only trainings have curves.", "Type: ops runs")
    if record.plan.get("inputs", {}).get("mode") == AUTOML:
        raise _none(
            f"{run} is a training by AutoML: Google's AutoML keeps no curves.",
            f"Type, once it has ended: ops evaluate --run {run}",
        )
    return _place(ledger, record)


def _place(ledger: Ledger, record: Record) -> Place:
    if local_training.is_local(record.plan.get("inputs", {})):
        return Place(record.id, log_workflow.local_folder(ledger, record) / "logs", "")
    settings = ledger.session.settings
    folder = settings.state_dir / settings.stack / "tensorboard" / record.id
    return Place(record.id, folder, f"runs/{record.id}/{LOGS}")


def _none(message: str, hint: str) -> OpsError:
    return OpsError(Code.NOT_FOUND, message, hint)


def fetch(ledger: Ledger, place: Place) -> int:
    """The number of files that are new or newer in the folder; each is whole or not there."""
    if not place.prefix:
        return 0
    bucket = ledger.session.settings.bucket
    have = _index(place.folder)
    listed = storage.list_objects(ledger.session, bucket, place.prefix)
    there = {one.name.removeprefix(place.prefix): one for one in listed}
    new = {name: one for name, one in there.items() if have.get(name) != one.generation}
    for name, one in new.items():
        if not name.endswith("/") and ".." not in name.split("/"):
            _download(ledger, one, place.folder / name)
    for name in have.keys() - there.keys():
        (place.folder / name).unlink(missing_ok=True)
    place.folder.mkdir(parents=True, exist_ok=True)
    index = {name: one.generation for name, one in there.items()}
    (place.folder / INDEX).write_text(json.dumps(index))
    return len(new)


def _index(folder: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads((folder / INDEX).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _download(ledger: Ledger, one: Object, path: Path) -> None:
    from google.api_core.exceptions import NotFound

    blob = ledger.session.storage().bucket(one.bucket).blob(one.name)
    try:
        data: bytes = ledger.session.call(blob.download_as_bytes)
    except NotFound:  # the training has rotated it away since it was listed
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    have = path.stat().st_size if path.exists() else 0
    if 0 < have <= len(data) and path.read_bytes() == data[:have]:
        # TensorBoard keeps its files open: what was added to one must be added to this very file.
        with path.open("ab") as file:
            file.write(data[have:])
        return
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def read(folder: Path) -> list[Curve]:
    """The curves in a folder, by writer and name; a later value of a step wins."""
    check_installed()
    points: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for path in sorted(folder.rglob(f"*{EVENTS}*")):
        if path.name.startswith("."):
            continue
        part = path.parent.relative_to(folder).as_posix()
        for name, step, value in _scalars(path):
            points[part, name][step] = value
    return [
        Curve(part, name, tuple(sorted(found)), tuple(found[step] for step in sorted(found)))
        for (part, name), found in sorted(points.items())
    ]


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    """Name, step and value of every scalar in an event file."""
    from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
    from tensorboard.util.tensor_util import make_ndarray  # type: ignore[import-untyped]

    kinds: dict[str, str] = {}
    for record in _records(path.read_bytes()):
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name:
                kinds[value.tag] = value.metadata.plugin_data.plugin_name
            if value.HasField("simple_value"):
                yield value.tag, int(event.step), float(value.simple_value)
            elif kinds.get(value.tag) == SCALARS and value.HasField("tensor"):
                yield value.tag, int(event.step), float(make_ndarray(value.tensor))


def _records(data: bytes) -> Iterator[bytes]:
    """The whole records of a TFRecord file (length, CRC, data, CRC); half a one at the end is left.

    TensorBoard's own reader would load TensorFlow where it is installed.
    """
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        if at + length + 16 > len(data):
            return
        yield data[at + 12 : at + 12 + length]
        at += length + 16
