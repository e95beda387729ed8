"""Curves of a run: fetched file by file, added to in place, read from folders of this machine."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ops.cloud import storage
from ops.errors import OpsError
from ops.ledger import Ledger, Plan
from ops.workflows import curves


def events(*losses: float) -> bytes:
    """An event file with a loss a step, without checksums, which this reader does not need."""
    from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

    data = b""
    for step, loss in enumerate(losses):
        summary = Summary(value=[Summary.Value(tag="loss", simple_value=loss)])
        event = Event(step=step, summary=summary).SerializeToString()
        data += struct.pack("<Q", len(event)) + bytes(4) + event + bytes(4)
    return data


def put(ledger: Ledger, name: str, data: bytes) -> None:
    """An object of the stack's bucket."""
    bucket = ledger.session.storage().bucket(ledger.session.settings.bucket)
    bucket.blob(name).upload_from_string(data)


@pytest.fixture
def run(ledger: Ledger) -> str:
    """A custom training on record."""
    return ledger.begin(Plan("train", "0" * 64, {"mode": "custom"})).id


def test_what_was_added_to_a_file_is_added_to_the_same_file(ledger: Ledger, run: str) -> None:
    """TensorBoard holds the file open: it keeps its inode while it only grows."""
    place = curves.find(ledger, run)
    put(ledger, f"{place.prefix}train/a.tfevents.1", events(2.0)[:-3])
    assert curves.fetch(ledger, place) == 1 and curves.read(place.folder) == []
    path = place.folder / "train" / "a.tfevents.1"
    inode = path.stat().st_ino

    put(ledger, f"{place.prefix}train/a.tfevents.1", events(2.0, 1.0))
    assert (curves.fetch(ledger, place), curves.fetch(ledger, place)) == (1, 0)

    (loss,) = curves.read(place.folder)
    assert (loss.part, loss.name, loss.values) == ("train", "loss", (2.0, 1.0))
    assert path.stat().st_ino == inode


def test_a_file_that_was_written_anew_or_removed_is_followed(ledger: Ledger, run: str) -> None:
    """A training that begins again leaves nothing of the one before."""
    place = curves.find(ledger, run)
    put(ledger, f"{place.prefix}a.tfevents.1", events(2.0, 1.0))
    put(ledger, f"{place.prefix}b.tfevents.1", events(9.0))
    curves.fetch(ledger, place)

    put(ledger, f"{place.prefix}a.tfevents.1", events(5.0))
    storage.delete_object(
        ledger.session, ledger.session.settings.bucket, f"{place.prefix}b.tfevents.1"
    )
    curves.fetch(ledger, place)

    assert [one.values for one in curves.read(place.folder)] == [(5.0,)]


def test_a_training_on_this_machine_has_its_own_folder(ledger: Ledger, tmp_path: Path) -> None:
    """Nothing is fetched; the files are read where they are."""
    inputs = {"mode": "custom", "local": True, "to": str(tmp_path / "mine")}
    local = ledger.begin(Plan("train", "1" * 64, inputs)).id
    folder = tmp_path / "mine" / "logs" / "train"
    folder.mkdir(parents=True)
    (folder / "a.tfevents.1").write_bytes(events(3.0))

    place = curves.find(ledger, local)

    assert curves.fetch(ledger, place) == 0
    assert [one.values for one in curves.read(place.folder)] == [(3.0,)]


def test_an_import_has_no_curves(ledger: Ledger) -> None:
    """Only trainings have."""
    imported = ledger.begin(Plan("import", "2" * 64, {})).id

    with pytest.raises(OpsError, match="only trainings have curves"):
        curves.find(ledger, imported)
