"""The folder that is /gcs to a job."""

import stat
from pathlib import Path

import pytest

from emulator.cloud import Cloud
from emulator.jobs.gcs_view import GcsView


def test_addresses_lead_to_the_stored_bytes(tmp_path: Path) -> None:
    """An object is where /gcs would have it; the same address twice is fine, to others not."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    view = GcsView(tmp_path / "mount")

    assert view.link("gs://b/folder/a b.jpg", one) and view.link("gs://b/folder/a b.jpg", one)
    assert not view.link("gs://b/folder/a b.jpg", other)
    assert (tmp_path / "mount/b/folder/a b.jpg").read_bytes() == b"1"


def test_an_object_that_is_also_a_folder_cannot_be_in_the_view(tmp_path: Path) -> None:
    """`a` and `a/b` are two objects in a bucket, but no two files of one folder."""
    view = GcsView(tmp_path / "mount")
    blob = tmp_path / "blob"
    blob.touch()

    assert view.link("gs://b/a", blob)
    assert not view.link("gs://b/a/b", blob)


def test_no_address_leads_out_of_the_view(tmp_path: Path) -> None:
    """Dots in an object's name are refused."""
    view = GcsView(tmp_path / "mount")

    assert not view.link("gs://b/../../x", tmp_path / "blob")
    with pytest.raises(ValueError, match="inside the view"):
        view.path("gs://../x")


def test_a_job_cannot_write_the_bytes_it_is_linked_to(local: Cloud, tmp_path: Path) -> None:
    """Stored bytes are read-only files, whoever follows a link to them."""
    with local.blobs.writer() as writer:
        writer.write(b"photo")
        blob = local.blobs.path(writer.finish().sha256)
        GcsView(tmp_path / "mount").link("gs://b/photo", blob)

        assert stat.S_IMODE((tmp_path / "mount/b/photo").stat().st_mode) == 0o400
