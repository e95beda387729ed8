"""What a job writes becomes objects: whole, once, and only what is its own."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from emulator.cloud import Cloud
from emulator.jobs.gcs_view import GcsView
from emulator.jobs.open_files import written_by
from emulator.jobs.outputs import Outputs
from emulator.storage import buckets, objects

OLD_NS = 10**18


@pytest.fixture
def view(local: Cloud, tmp_path: Path) -> GcsView:
    """An empty view, and a bucket."""
    buckets.create_bucket(local, "p", {"name": "bucket"})
    found = GcsView(tmp_path / "mount")
    found.path("gs://bucket").mkdir(parents=True)
    return found


@pytest.fixture
def outputs(local: Cloud, view: GcsView, tmp_path: Path) -> Outputs:
    """What is taken from the view."""
    return Outputs(local, view, tmp_path / "outputs.json")


def write(view: GcsView, name: str, content: bytes, modified_ns: int = OLD_NS) -> Path:
    """A file in the bucket's folder, closed long ago."""
    path = view.path(f"gs://bucket/{name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(modified_ns, modified_ns))
    return path


def stored(cloud: Cloud, name: str) -> bytes | None:
    """The bytes of an object."""
    row = objects.get_object(cloud, "bucket", name)
    return None if row is None else cloud.blobs.path(row.sha256).read_bytes()


def test_a_file_is_taken_once_and_again_when_it_changed(
    local: Cloud, view: GcsView, outputs: Outputs
) -> None:
    """The second look takes nothing; a change makes a new generation."""
    write(view, "a", b"1")
    assert (outputs.take(set()), outputs.take(set())) == (1, 0)
    assert stored(local, "a") == b"1"

    write(view, "a", b"22")

    assert (outputs.take(set()), stored(local, "a")) == (1, b"22")


def test_a_file_of_this_moment_waits(view: GcsView, outputs: Outputs) -> None:
    """It could still change within the clock's tick; at the end it is taken all the same."""
    view.path("gs://bucket/a").write_bytes(b"1")
    os.utime(view.path("gs://bucket/a"), ns=(2**62, 2**62))

    assert outputs.take(set()) == 0
    assert outputs.take(set(), is_over=True) == 1


def test_a_file_that_is_open_for_writing_waits(
    local: Cloud, view: GcsView, outputs: Outputs
) -> None:
    """/proc says which: this process writes one and reads another."""
    path = write(view, "a", b"half")
    other = write(view, "b", b"whole")
    with path.open("ab"), other.open("rb"):
        still_written = written_by(os.getsid(0))
        outputs.take(still_written)

    assert (stored(local, "a"), stored(local, "b")) == (None, b"whole")
    outputs.take(set())
    assert stored(local, "a") == b"half"


def test_of_an_open_event_file_the_whole_records_are_taken(
    local: Cloud, view: GcsView, outputs: Outputs
) -> None:
    """TensorBoard's curves appear during the training, and never with half a record."""
    record = struct.pack("<Q", 3) + b"crc." + b"abc" + b"crc."
    path = write(view, "logs/events.out.tfevents.1", record + record + record[:9])
    stat = path.stat()

    outputs.take({(stat.st_dev, stat.st_ino)})

    assert stored(local, "logs/events.out.tfevents.1") == record + record


def test_links_are_not_followed(local: Cloud, view: GcsView, outputs: Outputs) -> None:
    """Neither those into the store nor those that a job makes, to files or to folders."""
    secret = local.settings.data_dir / "secret"
    secret.write_text("x")
    view.path("gs://bucket/link").symlink_to(secret)
    view.path("gs://bucket/folder").symlink_to(local.settings.data_dir)

    assert outputs.take(set(), is_over=True) == 0
    assert objects.list_names(local, "bucket", "") == []


def test_what_the_job_removes_is_removed_unless_somebody_else_wrote_it(
    local: Cloud, view: GcsView, outputs: Outputs, tmp_path: Path
) -> None:
    """A rotated checkpoint goes; an object that was written anew from outside stays."""
    mine, shared = write(view, "mine", b"1"), write(view, "shared", b"1")
    outputs.take(set())
    other = tmp_path / "other"
    other.write_bytes(b"2")
    objects.put_file(local, "bucket", "shared", other, "text/plain")

    mine.unlink()
    shared.unlink()
    outputs.take(set())

    assert (stored(local, "mine"), stored(local, "shared")) == (None, b"2")


def test_what_was_taken_is_known_after_a_restart(
    local: Cloud, view: GcsView, outputs: Outputs, tmp_path: Path
) -> None:
    """Nothing is taken twice, and a removal meanwhile is still noticed."""
    write(view, "a", b"1")
    write(view, "b", b"1").touch()
    os.utime(view.path("gs://bucket/b"), ns=(OLD_NS, OLD_NS))
    outputs.take(set())
    view.path("gs://bucket/b").unlink()

    again = Outputs(local, view, tmp_path / "outputs.json")

    assert again.take(set()) == 1
    assert objects.list_names(local, "bucket", "") == ["a"]


def test_a_view_that_is_gone_removes_nothing(local: Cloud, view: GcsView, outputs: Outputs) -> None:
    """A cleared job is not one that removed its files."""
    write(view, "a", b"1").parent.rename(view.folder.with_name("aside"))
    (view.folder.with_name("aside")).rename(view.folder / "bucket")
    outputs.take(set())
    view.folder.rename(view.folder.with_name("gone"))

    assert outputs.take(set(), is_over=True) == 0
    assert stored(local, "a") == b"1"


def test_a_file_outside_every_bucket_is_left_alone(
    local: Cloud, view: GcsView, outputs: Outputs
) -> None:
    """In the mount itself, or in a folder whose name is no bucket here."""
    (view.folder / "stray").write_text("x")
    (view.folder / "unknown").mkdir()
    (view.folder / "unknown" / "a").write_text("x")
    write(view, "a\nb", b"1")

    assert outputs.take(set(), is_over=True) == 0
    assert objects.list_names(local, "bucket", "") == []
