"""The rest of the checks: preconditions, versions, signed requests, many at once, restarts."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tests.contract.storage_checks import (
    DATA,
    _multipart,
    _session,
    bucket,
    call,
    check,
    refused,
)
from tests.contract.storage_checks_reads import filled
from tests.contract.storage_targets import Target

# Preconditions


@check("preconditions")
def absent_on_multipart(target: Target) -> None:
    """`ifGenerationMatch=0` keeps a multipart upload from overwriting: 412."""
    made = bucket(target)
    blob = made.blob("a")
    blob.upload_from_string("first", if_generation_match=0)
    refused(412, lambda: made.blob("a").upload_from_string("second", if_generation_match=0))
    assert blob.download_as_bytes() == b"first"


@check("preconditions")
def absent_on_media(target: Target) -> None:
    """`ifGenerationMatch=0` keeps a media upload from overwriting: 412."""
    made = filled(target, ["a"])
    url = f"/upload/storage/v1/b/{made.name}/o?uploadType=media&name=a&ifGenerationMatch=0"
    assert call(target, "POST", url, data=b"y").status_code == 412
    assert made.blob("a").download_as_bytes() == b"x"


@check("preconditions")
def absent_on_resumable(target: Target) -> None:
    """`ifGenerationMatch=0` keeps a resumable upload from overwriting: 412."""
    made = filled(target, ["r"])
    url = f"/upload/storage/v1/b/{made.name}/o?uploadType=resumable&name=r&ifGenerationMatch=0"
    started = call(target, "POST", url)
    if started.ok:
        answer = target.session.put(started.headers["location"], data=b"y", timeout=30)
        assert answer.status_code == 412
    else:
        assert started.status_code == 412
    assert made.blob("r").download_as_bytes() == b"x"


@check("preconditions")
def generation_on_delete(target: Target) -> None:
    """A delete with another generation is 412, and the object stays."""
    made = filled(target, ["a"])
    refused(412, lambda: made.blob("a").delete(if_generation_match=5))
    assert made.blob("a").exists()


@check("preconditions")
def metageneration_on_patch(target: Target) -> None:
    """A patch with another metageneration is 412."""
    made = filled(target, ["a"])
    blob = made.get_blob("a")
    blob.metadata = {"k": "v"}
    refused(412, lambda: blob.patch(if_metageneration_match=blob.metageneration + 1))


@check("preconditions")
def source_generation(target: Target) -> None:
    """A compose whose source has another generation is 412."""
    made = filled(target, ["a"])
    whole = made.blob("whole")
    refused(412, lambda: whole.compose([made.blob("a")], if_source_generation_match=[5]))


@check("preconditions")
def one_winner(target: Target) -> None:
    """Of 16 writers at once with `ifGenerationMatch=0`, one wins."""
    made = bucket(target)
    with ThreadPoolExecutor(16) as pool:
        query = "&ifGenerationMatch=0"
        codes = pool.map(
            lambda _: _multipart(target, made, {"name": "a"}, query).status_code, range(16)
        )
        found = sorted(codes)
    assert found == [200] + [412] * 15


# Versions


@check("versions")
def versioning(target: Target) -> None:
    """A versioned bucket keeps what is overwritten, readable by its generation."""
    made = bucket(target, versioning_enabled=True)
    blob = made.blob("a")
    blob.upload_from_string("first")
    first = blob.generation
    made.blob("a").upload_from_string("second")
    assert len(list(made.list_blobs(versions=True))) == 2
    assert made.blob("a", generation=first).download_as_bytes() == b"first"
    assert made.blob("a").download_as_bytes() == b"second"


@check("versions")
def soft_delete(target: Target) -> None:
    """A deleted object is listed as softly deleted, and restored."""
    made = bucket(target)
    blob = made.blob("a")
    blob.upload_from_string(DATA)
    generation = blob.generation
    blob.delete()
    assert [one.generation for one in made.list_blobs(soft_deleted=True)] == [generation]
    made.restore_blob("a", generation=generation)
    assert made.blob("a").download_as_bytes() == DATA


# Signed requests


def _signed(target: Target, method: str, **more: str) -> tuple[object, str]:
    made = filled(target, ["a b"])
    url = made.blob("a b").generate_signed_url(
        version="v4",
        expiration=timedelta(minutes=5),
        method=method,
        credentials=target.signer(),
        api_access_endpoint=target.url,
        **more,
    )
    return made, str(url)


@check("signed requests")
def signed_get(target: Target) -> None:
    """A V4 signed URL reads an object."""
    _, url = _signed(target, "GET")
    assert target.session.get(url, timeout=30).content == b"x"


@check("signed requests")
def signed_put(target: Target) -> None:
    """A V4 signed URL writes an object."""
    made, url = _signed(target, "PUT")
    assert target.session.put(url, data=DATA, timeout=30).ok
    assert made.blob("a b").download_as_bytes() == DATA  # type: ignore[attr-defined]


@check("signed requests")
def forged(target: Target) -> None:
    """A signed URL whose object was changed after signing is 403."""
    _, url = _signed(target, "GET")
    assert target.session.get(url.replace("a%20b", "other"), timeout=30).status_code == 403


# Many at once


@check("many at once")
def transfer_manager(target: Target) -> None:
    """The transfer manager uploads and downloads many files."""
    from google.cloud.storage import transfer_manager

    made = bucket(target)
    with tempfile.TemporaryDirectory() as folder:
        names = [f"f{number}" for number in range(12)]
        for one in names:
            (Path(folder) / one).write_bytes(one.encode() * 100)
        sent = transfer_manager.upload_many_from_filenames(
            made, names, source_directory=folder, worker_type="thread"
        )
        assert sent == [None] * len(names)
        back = Path(folder) / "back"
        transfer_manager.download_many_to_path(
            made, names, destination_directory=str(back), worker_type="thread"
        )
        assert (back / "f7").read_bytes() == b"f7" * 100


@check("many at once")
def skip_if_exists(target: Target) -> None:
    """The transfer manager leaves alone what is there already."""
    from google.cloud.storage import transfer_manager

    made = filled(target, ["a"])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_bytes(b"other")
        transfer_manager.upload_many_from_filenames(
            made, ["a"], source_directory=folder, skip_if_exists=True, worker_type="thread"
        )
    assert made.blob("a").download_as_bytes() == b"x"


@check("many at once")
def xml_multipart(target: Target) -> None:
    """An upload in parts at once, by the XML API."""
    from google.cloud.storage import transfer_manager

    made = bucket(target)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big"
        path.write_bytes(DATA * 1200)
        transfer_manager.upload_chunks_concurrently(
            str(path), made.blob("big"), chunk_size=5 << 20, worker_type="thread"
        )
    assert made.blob("big").download_as_bytes() == DATA * 1200


@check("many at once")
def thirty_two_threads(target: Target) -> None:
    """32 threads write, read, list and delete at once."""
    made = bucket(target)

    def work(number: int) -> bytes:
        blob = made.client.bucket(made.name).blob(f"t{number}")
        blob.upload_from_string(str(number) * 1000)
        list(made.client.list_blobs(made.name, prefix="t", max_results=5))
        data: bytes = blob.download_as_bytes()
        blob.delete()
        return data

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(work, range(64)))
    assert found == [(str(number) * 1000).encode() for number in range(64)]
    assert list(made.list_blobs()) == []


# What stays


@check("what stays")
def after_a_restart(target: Target) -> None:
    """Buckets and objects are there after the server was killed and started again."""
    made = filled(target, ["a"])
    target.restart()
    assert made.blob("a").download_as_bytes() == b"x"


@check("what stays")
def uploads_after_a_restart(target: Target) -> None:
    """A resumable upload goes on after the server was killed and started again."""
    made = bucket(target)
    where = _session(target, made)
    half, size = 256 << 10, 512 << 10
    first = {"content-range": f"bytes 0-{half - 1}/{size}"}
    target.session.put(where, data=b"a" * half, headers=first, timeout=30)
    target.restart()
    asked = target.session.put(where, headers={"content-range": f"bytes */{size}"}, timeout=30)
    assert asked.headers["range"] == f"bytes=0-{half - 1}"
    rest = {"content-range": f"bytes {half}-{size - 1}/{size}"}
    target.session.put(where, data=b"b" * half, headers=rest, timeout=30)
    assert made.blob("r").download_as_bytes() == b"a" * half + b"b" * half
