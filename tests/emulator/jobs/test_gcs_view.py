"""The folder that is /gcs to a job."""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emulator.aiplatform.custom_environment import copied
from emulator.cloud import Cloud
from emulator.jobs.gcs_view import GcsView
from emulator.storage.objects import get_object

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_addresses_lead_to_the_stored_bytes(tmp_path: Path) -> None:
    """An object is where /gcs would have it; the same address twice is fine, to others not."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    view = GcsView(tmp_path / "mount")

    assert view.link("gs://b/folder/a b.jpg", one) and view.link("gs://b/folder/a b.jpg", one)
    assert not view.link("gs://b/folder/a b.jpg", other)
    assert (tmp_path / "mount/b/folder/a b.jpg").read_bytes() == b"1"


def test_what_was_replaced_since_it_was_listed_is_copied_as_it_is_now(
    local: Cloud, local_http: "TestClient", tmp_path: Path
) -> None:
    """The bytes that were listed are gone: a record that grows while a job starts is no error."""
    view = GcsView(tmp_path / "mount")
    path = "/upload/storage/v1/b/b-of-view/o?uploadType=media&name=a"
    at_once = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
    local_http.post("/storage/v1/b?project=p-of-view", json={"name": "b-of-view", **at_once})
    first = local_http.post(path, content=b"first").json()
    listed = get_object(local, "b-of-view", "a")
    second = local_http.post(path, content=b"second").json()
    assert listed is not None and not local.blobs.path(listed.sha256).exists()

    uri, generation = "gs://b-of-view/a", int(first["generation"])
    found = copied(local, view, uri, listed.sha256, generation)
    local_http.delete("/storage/v1/b/b-of-view/o/a")

    assert found is not None and found[1] == int(second["generation"])
    assert found[0].read_bytes() == b"second"
    assert copied(local, view, uri, listed.sha256, generation) is None


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
