"""More calls of Cloud Storage that are valid: access controls, folders, keys, configurations."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.emulator.fuzz.storage_calls import UNIFORM, new_bucket, put, where
from tests.emulator.fuzz.target import Target
from tests.emulator.fuzz.values import Draw

READER = {"entity": "allUsers", "role": "READER"}
SOFT = {"softDeletePolicy": {"retentionDurationSeconds": "604800"}}
XML_TEXTS = ["lifecycle", "location", "logging", "storageClass", "versioning", "websiteConfig",
             "tagging", "billing", "acl", "defaultObjectAcl"]  # fmt: skip


def controls(draw: Draw, target: Target) -> None:
    """Access controls of a bucket, of its new objects, of an object: each verb."""
    bucket = new_bucket(draw, target)
    item = where(bucket, put(draw, target, bucket))
    for path in (f"/storage/v1/b/{bucket}/acl", f"/storage/v1/b/{bucket}/defaultObjectAcl",
                 f"{item}/acl"):  # fmt: skip
        target.good("POST", path, READER)
        target.good("GET", path)
        target.good("GET", f"{path}/allUsers")
        target.good("PATCH", f"{path}/allUsers", {"role": "READER"})
        target.good("PUT", f"{path}/allUsers", READER)
        target.good("DELETE", f"{path}/allUsers")
    for path in (f"/{bucket}", f"/{bucket}/{item.rpartition('/')[2]}"):
        document = target.good("GET", path, query={"acl": ""}).content
        target.good("PUT", path, document, query={"acl": ""})


def folders(draw: Draw, target: Target) -> None:
    """Folders of a hierarchical bucket, and managed folders with a policy."""
    nested = {**UNIFORM, "hierarchicalNamespace": {"enabled": True}, "versioning": {}}
    bucket = new_bucket(draw, target, **nested)
    name = draw(st.from_regex(r"[a-z]{1,9}", fullmatch=True))
    path = f"/storage/v1/b/{bucket}/folders"
    target.good("POST", path, {"name": f"{name}/"})
    target.good("GET", path)
    target.good("GET", f"{path}/{name}%2F")
    target.good("POST", f"{path}/{name}%2F/renameTo/folders/{name}0%2F")
    target.good("DELETE", f"{path}/{name}0%2F")
    managed = f"/storage/v1/b/{bucket}/managedFolders"
    target.good("POST", managed, {"name": f"{name}/"})
    one = f"{managed}/{name}%2F"
    target.good("GET", one)
    policy = target.good("GET", f"{one}/iam").json()
    target.good("PUT", f"{one}/iam", policy)
    right = {"permissions": "storage.managedFolders.get"}
    target.good("GET", f"{one}/iam/testPermissions", query=right)
    target.good("DELETE", one)


def keys(draw: Draw, target: Target) -> None:
    """HMAC keys of an account; a notification; a resumable upload that is cancelled."""
    account = target.name("keyed")
    made = target.good("POST", "/v1/projects/fuzz-project/serviceAccounts", {"accountId": account})
    asked = {"serviceAccountEmail": made.json().get("email", "nobody")}
    path = "/storage/v1/projects/fuzz-project/hmacKeys"
    key = target.good("POST", path, query=asked).json().get("metadata", {})
    one = f"{path}/{key.get('accessId')}"
    target.good("GET", path)
    target.good("GET", one)
    target.good("PUT", one, {**key, "state": "INACTIVE"})
    target.good("DELETE", one)
    bucket = new_bucket(draw, target)
    configs = f"/storage/v1/b/{bucket}/notificationConfigs"
    topic = "//pubsub.googleapis.com/projects/fuzz-project/topics/topic"
    sent = {"topic": topic, "payload_format": draw(st.sampled_from(["NONE", "JSON_API_V1"]))}
    made = target.good("POST", configs, sent)
    target.good("GET", configs)
    target.good("DELETE", f"{configs}/{made.json().get('id')}")


def old(draw: Draw, target: Target) -> None:
    """Objects moved, replaced, deleted and restored; retention that is locked."""
    bucket = new_bucket(draw, target, versioning={"enabled": False}, **SOFT)
    path = f"/storage/v1/b/{bucket}"
    item = where(bucket, put(draw, target, bucket))
    target.good("PUT", item, {"contentType": "a/b"})
    target.good("POST", f"{item}/moveTo/o/moved")
    generation = target.good("GET", f"{path}/o/moved").json().get("generation", "0")
    target.good("DELETE", f"{path}/o/moved")
    target.good("GET", f"{path}/o", query={"softDeleted": "true"})
    target.good("POST", f"{path}/o/moved/restore", query={"generation": generation})
    target.good("DELETE", f"{path}/o/moved")
    policy: dict[str, Any] = {"retentionPolicy": {"retentionPeriod": str(draw(st.integers(1, 9)))}}
    changed = target.good("PATCH", path, policy).json()
    match = {"ifMetagenerationMatch": changed.get("metageneration", "0")}
    target.good("POST", f"{path}/lockRetentionPolicy", query=match)


def configurations(draw: Draw, target: Target) -> None:
    """What a bucket is, as XML: made, read, written back, deleted."""
    bucket = target.name("xml")
    project = {"x-goog-project-id": "fuzz-project"}
    target.good("PUT", f"/{bucket}", headers=project)
    target.good("HEAD", f"/{bucket}")
    for name in XML_TEXTS:
        answer = target.good("GET", f"/{bucket}", query={name: ""})
        if name in ("lifecycle", "logging", "websiteConfig", "acl"):
            target.good("PUT", f"/{bucket}", answer.content, query={name: ""})
    kind = draw(st.sampled_from(["NEARLINE", "COLDLINE"]))
    body = f"<StorageClass>{kind}</StorageClass>".encode()
    target.good("PUT", f"/{bucket}", body, query={"storageClass": ""})
    status = draw(st.sampled_from(["Enabled", "Suspended"]))
    body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
    target.good("PUT", f"/{bucket}", body, query={"versioning": ""})
    target.good(
        "PUT", f"/{bucket}", body.replace(b"Enabled", b"Suspended"), query={"versioning": ""}
    )
    target.good("PUT", f"/{bucket}/a", b"a")
    component = b"<ComposeRequest><Component><Name>a</Name></Component></ComposeRequest>"
    target.good("PUT", f"/{bucket}/b", component, query={"compose": ""})
    begun = target.good("POST", f"/{bucket}/c", query={"uploads": ""})
    upload = {"uploadId": begun.text.partition("<UploadId>")[2].partition("<")[0]}
    part = target.good("PUT", f"/{bucket}/c", b"c", query={**upload, "partNumber": "1"})
    tag = f"<PartNumber>1</PartNumber><ETag>{part.headers.get('etag', '')}</ETag>"
    whole = f"<CompleteMultipartUpload><Part>{tag}</Part></CompleteMultipartUpload>"
    target.good("POST", f"/{bucket}/c", whole.encode(), query=upload)
    for name in "abc":
        target.good("DELETE", f"/{bucket}/{name}")
    target.good("DELETE", f"/{bucket}")


SCENARIOS = [controls, folders, keys, old, configurations]
