"""Bytes: digests, sharing, pins, and what may be swept away."""

from __future__ import annotations

import asyncio
import hashlib
import os
from base64 import b64encode
from pathlib import Path

import google_crc32c
import pytest

from emulator.cloud import Cloud
from emulator.jobs import Jobs
from emulator.storage import buckets, objects
from emulator.store.blobs import MEMORY_BYTES, BlobRef
from emulator.store.references import FEW
from emulator.store.sweeps import sweep_at_start


def files(cloud: Cloud) -> list[Path]:
    """Every file of bytes, complete or not."""
    return [path for path in (cloud.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def write(cloud: Cloud, name: str, data: bytes) -> str:
    """Stores an object and gives the digest of its bytes."""
    if buckets.list_buckets(cloud, "p-1", "", "", 1) == []:
        buckets.create_bucket(cloud, "p-1", {"name": "bytes"})
    with cloud.blobs.writer() as writer:
        writer.write(data)
        return objects.store_object(cloud, "bytes", name, writer.finish(), {}).sha256


@pytest.mark.parametrize("size", [0, 1, MEMORY_BYTES, MEMORY_BYTES + 1, 3 * MEMORY_BYTES])
def test_digests_are_of_the_bytes(local: Cloud, size: int) -> None:
    """In memory or through a file, in one piece or many, the digests are right."""
    data = os.urandom(size)
    with local.blobs.writer() as writer:
        for start in range(0, size, 700_001):
            writer.write(data[start : start + 700_001])
        reference = writer.finish()

        assert local.blobs.path(reference.sha256).read_bytes() == data
    crc32c = google_crc32c.value(data).to_bytes(4, "big")
    assert reference == BlobRef(
        hashlib.sha256(data).hexdigest(),
        b64encode(hashlib.md5(data).digest()).decode(),
        b64encode(crc32c).decode(),
        size,
    )


def test_what_nobody_refers_to_goes(local: Cloud) -> None:
    """A writer that ends without a row, finished or not, leaves no file."""
    with local.blobs.writer() as writer:
        writer.write(b"x" * (MEMORY_BYTES + 1))
    with local.blobs.writer() as writer:
        writer.write(b"finished")
        writer.finish()
    with pytest.raises(ValueError, match="stop"), local.blobs.writer() as writer:
        writer.write(b"y" * (MEMORY_BYTES + 1))
        raise ValueError("stop")

    assert files(local) == []


def test_bytes_stay_while_they_are_written_again(local: Cloud) -> None:
    """A deletion between the end of an upload and its row does not take the same bytes away."""
    sha256 = write(local, "old", b"shared")
    with local.blobs.writer() as writer:
        writer.write(b"shared")
        reference = writer.finish()
        objects.delete_prefix(local, "bytes", "old")

        assert local.blobs.path(sha256).read_bytes() == b"shared"
        objects.store_object(local, "bytes", "new", reference, {})

    assert local.blobs.path(sha256).read_bytes() == b"shared"


def test_data_items_keep_their_photos(local: Cloud) -> None:
    """An imported photo stays readable when its object is deleted, after a sweep too."""
    sha256 = write(local, "photo", b"a photo")
    with local.store.transaction() as db:
        db.execute(
            "INSERT INTO data_items (dataset, id, sha256, uri, mime, labels, created)"
            " VALUES ('d', '1', ?, 'gs://bytes/photo', 'image/png', '{}', '')",
            (sha256,),
        )

    objects.delete_prefix(local, "bytes", "")
    local.blobs.sweep()

    assert local.blobs.path(sha256).read_bytes() == b"a photo"


def test_a_sweep_removes_what_a_crash_left(local: Cloud) -> None:
    """Bytes without a row and half-written ones are removed, others stay."""
    kept = write(local, "kept", b"kept")
    orphan = local.blobs.path("ab" + "0" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"orphan")
    local.blobs.temporary().write_bytes(b"half")

    local.blobs.clear_temporary()

    assert local.blobs.sweep() == 1
    assert files(local) == [local.blobs.path(kept)]


def test_what_a_start_had_no_time_for_is_swept_beside_the_requests(local: Cloud) -> None:
    """Of a large folder nothing is waited for; the rest goes once the server runs."""
    kept = write(local, "kept", b"kept")
    for number in range(3 * FEW):
        orphan = local.blobs.path(f"ab{number:062d}")
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"orphan")
    jobs = Jobs(local.settings.data_dir / "jobs")
    sweep_at_start(local.blobs, jobs, at_once_seconds=0)
    assert len(files(local)) == 3 * FEW + 1

    async def run() -> None:
        jobs.start()
        while len(files(local)) > 1:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(run(), 20))

    assert files(local) == [local.blobs.path(kept)]


def test_kept_bytes_go_when_they_are_no_longer_kept(local: Cloud) -> None:
    """Amid a copy of everything nothing is removed; what was let go of goes at its end."""
    sha256 = write(local, "name", b"bytes")
    with local.blobs.kept():
        objects.delete_prefix(local, "bytes", "")
        local.blobs.sweep()
        assert local.blobs.path(sha256).read_bytes() == b"bytes"
    assert files(local) == []
