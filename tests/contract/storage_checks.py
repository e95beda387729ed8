"""What clients of Cloud Storage rely on, a check each: `CHECKS` is the list."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.contract.storage_targets import PROJECT, Target

if TYPE_CHECKING:
    from google.cloud.storage import Bucket
    from requests import Response

Run = Callable[[Target], None]
LIFECYCLE = {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}
DATA = bytes(range(256)) * 40


@dataclass(frozen=True)
class Check:
    """A sentence and the code that fails where it is not so."""

    area: str
    sentence: str
    run: Run


CHECKS: list[Check] = []


def check(area: str) -> Callable[[Run], Run]:
    """Adds the function to the list, under its docstring."""

    def add(run: Run) -> Run:
        CHECKS.append(Check(area, (run.__doc__ or "").strip().rstrip("."), run))
        return run

    return add


def name() -> str:
    """A bucket name that nobody has."""
    return f"contract-{uuid4().hex[:16]}"


def bucket(target: Target, **fields: Any) -> Bucket:
    """A new bucket, made by Google's client."""
    made = target.client().bucket(name())
    for key, value in fields.items():
        setattr(made, key, value)
    made.create()
    return made


def call(target: Target, method: str, path: str, **more: Any) -> Response:
    """A plain request."""
    return target.session.request(method, target.url + path, timeout=30, **more)


def refused(code: int, act: Callable[[], object]) -> None:
    """Google's client raises the exception of this code."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        act()
    except GoogleAPICallError as error:
        assert error.code == code, f"{error.code} came, {code} was wanted"
        return
    raise AssertionError(f"it was done; {code} was wanted")


def md5(data: bytes) -> str:
    """MD5 in base64, as Google prints it."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def crc32c(data: bytes) -> str:
    """CRC32C in base64, as Google prints it."""
    import google_crc32c

    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


# Buckets


def _created(target: Target) -> dict[str, Any]:
    body = {
        "name": name(),
        "location": "us-central1",
        "labels": {"team": "vision"},
        "lifecycle": LIFECYCLE,
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }
    call(target, "POST", f"/storage/v1/b?project={PROJECT}", json=body).raise_for_status()
    found: dict[str, Any] = call(target, "GET", f"/storage/v1/b/{body['name']}").json()
    return found


@check("buckets")
def location_is_kept(target: Target) -> None:
    """A bucket's location comes back in capitals."""
    assert _created(target)["location"] == "US-CENTRAL1"


@check("buckets")
def labels_are_kept(target: Target) -> None:
    """A bucket's labels are kept."""
    assert _created(target)["labels"] == {"team": "vision"}


@check("buckets")
def lifecycle_is_kept(target: Target) -> None:
    """A bucket's lifecycle rules are kept."""
    assert _created(target)["lifecycle"] == LIFECYCLE


@check("buckets")
def uniform_access_is_kept(target: Target) -> None:
    """Uniform bucket-level access is kept, with the time it is locked."""
    access = _created(target)["iamConfiguration"]["uniformBucketLevelAccess"]
    assert access["enabled"] is True
    assert access["lockedTime"]


@check("buckets")
def patch_changes_labels(target: Target) -> None:
    """A patch adds a label."""
    made = bucket(target)
    made.labels = {"a": "b"}
    made.patch()
    assert target.client().get_bucket(made.name).labels == {"a": "b"}


@check("buckets")
def null_deletes_a_label(target: Target) -> None:
    """A null in a patch deletes a label and leaves the others."""
    made = bucket(target, labels={"stays": "1", "goes": "2"})
    patch = {"labels": {"goes": None}}
    call(target, "PATCH", f"/storage/v1/b/{made.name}", json=patch).raise_for_status()
    assert target.client().get_bucket(made.name).labels == {"stays": "1"}


@check("buckets")
def duplicate_bucket(target: Target) -> None:
    """A taken bucket name is 409."""
    made = bucket(target)
    refused(409, lambda: target.client().create_bucket(made.name))


@check("buckets")
def missing_bucket(target: Target) -> None:
    """A missing bucket is 404."""
    refused(404, lambda: target.client().get_bucket(name()))


@check("buckets")
def full_bucket(target: Target) -> None:
    """A bucket with an object in it is not deleted: 409."""
    made = bucket(target)
    made.blob("a").upload_from_string("x")
    refused(409, made.delete)


@check("buckets")
def policy_is_read_and_written(target: Target) -> None:
    """A bucket's IAM policy is read, changed and read again."""
    made = bucket(target)
    policy = made.get_iam_policy(requested_policy_version=3)
    member = "serviceAccount:someone@example.iam.gserviceaccount.com"
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {member}})
    made.set_iam_policy(policy)
    after = made.get_iam_policy(requested_policy_version=3)
    assert any(member in one["members"] for one in after.bindings)


@check("buckets")
def stale_policy(target: Target) -> None:
    """A policy with a stale etag is refused: 412 or 409."""
    made = bucket(target)
    url = f"/storage/v1/b/{made.name}/iam"
    policy = call(target, "GET", url).json()
    call(target, "PUT", url, json=policy).raise_for_status()
    assert call(target, "PUT", url, json=policy).status_code in (409, 412)


@check("buckets")
def permissions_are_tested(target: Target) -> None:
    """testIamPermissions answers the permissions that the caller has."""
    asked = ["storage.objects.get", "storage.objects.create"]
    assert bucket(target).test_iam_permissions(asked) == asked


@check("buckets")
def notifications(target: Target) -> None:
    """The list of a bucket's notifications is answered."""
    assert list(bucket(target).list_notifications()) == []


@check("buckets")
def service_account(target: Target) -> None:
    """A project has a service account of Cloud Storage's."""
    assert "@gs-project-accounts" in target.client().get_service_account_email()


@check("buckets")
def errors_are_json(target: Target) -> None:
    """An error is JSON with code, message and a list of errors."""
    error = call(target, "GET", f"/storage/v1/b/{name()}").json()["error"]
    assert error["code"] == 404
    assert error["message"]
    assert error["errors"][0]["message"] == error["message"]


# Uploads


@check("uploads")
def multipart_upload(target: Target) -> None:
    """Metadata and bytes in one request."""
    blob = bucket(target).blob("a.txt")
    blob.metadata = {"k": "v"}
    blob.upload_from_string(DATA, content_type="text/plain")
    blob.reload()
    assert (blob.metadata, blob.content_type, blob.size) == ({"k": "v"}, "text/plain", len(DATA))
    assert blob.download_as_bytes() == DATA


@check("uploads")
def media_upload(target: Target) -> None:
    """Bytes alone, the name in the query."""
    made = bucket(target)
    url = f"/upload/storage/v1/b/{made.name}/o?uploadType=media&name=a"
    answer = call(target, "POST", url, data=DATA, headers={"content-type": "image/png"})
    assert answer.json()["contentType"] == "image/png"
    assert made.blob("a").download_as_bytes() == DATA


@check("uploads")
def resumable_of_known_size(target: Target) -> None:
    """A resumable upload in chunks, its size announced."""
    blob = bucket(target).blob("big", chunk_size=256 << 10)
    data = DATA * 80
    blob.upload_from_file(io.BytesIO(data), size=len(data))
    assert blob.download_as_bytes() == data


@check("uploads")
def resumable_of_unknown_size(target: Target) -> None:
    """A resumable upload in chunks whose size only the last one tells."""
    blob = bucket(target).blob("big", chunk_size=256 << 10)
    data = DATA * 80
    blob.upload_from_file(io.BytesIO(data))
    assert blob.download_as_bytes() == data


@check("uploads")
def written_as_a_file(target: Target) -> None:
    """`blob.open("wb")` writes, `blob.open("rb")` seeks and reads."""
    blob = bucket(target).blob("file")
    with blob.open("wb", chunk_size=256 << 10) as file:
        file.write(DATA * 40)
    with blob.open("rb") as file:
        file.seek(len(DATA))
        assert file.read(len(DATA)) == DATA


def _session(target: Target, made: Bucket, query: str = "", **more: Any) -> str:
    url = f"/upload/storage/v1/b/{made.name}/o?uploadType=resumable&name=r{query}"
    answer = call(target, "POST", url, **more)
    answer.raise_for_status()
    path: str = answer.headers["location"]
    return path


@check("uploads")
def resumable_status(target: Target) -> None:
    """`bytes */N` tells how much has come, and ends nothing."""
    made = bucket(target)
    where = _session(target, made)
    half, size = 256 << 10, 512 << 10
    first = {"content-range": f"bytes 0-{half - 1}/{size}"}
    target.session.put(where, data=b"a" * half, headers=first, timeout=30)
    asked = target.session.put(where, headers={"content-range": f"bytes */{size}"}, timeout=30)
    assert asked.status_code == 308
    assert asked.headers["range"] == f"bytes=0-{half - 1}"
    rest = {"content-range": f"bytes {half}-{size - 1}/{size}"}
    done = target.session.put(where, data=b"b" * half, headers=rest, timeout=30)
    assert done.json()["size"] == str(size)


@check("uploads")
def wrong_md5(target: Target) -> None:
    """A wrong MD5 is refused, and nothing is stored."""
    made = bucket(target)
    body = {"name": "a", "md5Hash": md5(b"something else")}
    assert _multipart(target, made, body).status_code == 400
    assert not made.blob("a").exists()


@check("uploads")
def wrong_crc32c(target: Target) -> None:
    """A wrong CRC32C is refused, and nothing is stored."""
    made = bucket(target)
    body = {"name": "a", "crc32c": crc32c(b"something else")}
    assert _multipart(target, made, body).status_code == 400
    assert not made.blob("a").exists()


def _multipart(target: Target, made: Bucket, body: dict[str, Any], query: str = "") -> Response:
    parts = [
        b"--sep\r\ncontent-type: application/json\r\n\r\n",
        json.dumps(body).encode(),
        b"\r\n--sep\r\ncontent-type: text/plain\r\n\r\n",
        DATA,
        b"\r\n--sep--\r\n",
    ]
    url = f"/upload/storage/v1/b/{made.name}/o?uploadType=multipart{query}"
    headers = {"content-type": "multipart/related; boundary=sep"}
    return call(target, "POST", url, data=b"".join(parts), headers=headers)


@check("uploads")
def hashes_are_right(target: Target) -> None:
    """MD5 and CRC32C of what was uploaded come back, and are right."""
    blob = bucket(target).blob("a")
    blob.upload_from_string(DATA)
    blob.reload()
    assert (blob.md5_hash, blob.crc32c) == (md5(DATA), crc32c(DATA))
