"""Buckets of the XML API: made, deleted, looked at, set up."""

from __future__ import annotations

from emulator.storage.http import Reply
from emulator.storage.xml.configurations import CONFIGURATIONS
from emulator.storage.xml.documents import document, escape_text, parsed, text, value
from emulator.storage.xml.errors import invalid_argument
from emulator.storage.xml.objects import HTML
from emulator.storage.xml.request import Body, XmlRequest, predefined_acl


async def create(request: XmlRequest) -> Reply:
    """`PUT /BUCKET`: made in the project of `x-goog-project-id`, or in the default one."""
    data = await request.call.body()
    body: Body = {"name": request.bucket}
    if data.strip():
        tree = parsed(data, "CreateBucketConfiguration")
        asked = {"location": "LocationConstraint", "storageClass": "StorageClass"}
        body |= {field: value(tree, name) for field, name in asked.items() if value(tree, name)}
    project = request.header("x-goog-project-id") or request.cloud.settings.default_project
    query = {"project": project, **predefined_acl(request.call.headers)}
    await request.json("POST", "/storage/v1/b", query, body)
    return Reply(200, b"", [HTML, (b"location", f"/{request.bucket}".encode())])


async def delete(request: XmlRequest) -> Reply:
    """`DELETE /BUCKET`."""
    await request.reply("DELETE", request.bucket_path, request.conditions())
    return Reply(204)


async def head(request: XmlRequest) -> Reply:
    """`HEAD /BUCKET`: whether it is there, and what it is."""
    found = await request.json("GET", request.bucket_path)
    headers = [
        (b"x-goog-bucket-location", str(found["location"]).encode()),
        (b"x-goog-storage-class", str(found["storageClass"]).encode()),
        (b"x-goog-metageneration", str(found["metageneration"]).encode()),
    ]
    return Reply(200, b"", [HTML, *headers])


async def get_location(request: XmlRequest) -> Reply:
    """`GET /BUCKET?location`."""
    found = await request.json("GET", request.bucket_path)
    return document("LocationConstraint", escape_text(found["location"]))


async def get_storage_class(request: XmlRequest) -> Reply:
    """`GET /BUCKET?storageClass`."""
    found = await request.json("GET", request.bucket_path)
    return document("StorageClass", escape_text(found["storageClass"]))


async def set_storage_class(request: XmlRequest) -> Reply:
    """`PUT /BUCKET?storageClass`."""
    tree = parsed(await request.call.body(), "StorageClass")
    said = (tree.text or "").strip()
    await request.json("PATCH", request.bucket_path, {}, {"storageClass": said})
    return Reply(200, b"", [HTML])


async def get_configuration(request: XmlRequest) -> Reply:
    """`GET /BUCKET?cors` and the other settings of `configurations.py`."""
    setting = CONFIGURATIONS[_named(request)]
    found = await request.json("GET", request.bucket_path)
    return document(setting.root, setting.shown(found))


async def set_configuration(request: XmlRequest) -> Reply:
    """`PUT /BUCKET?cors` and the other settings of `configurations.py`."""
    setting = CONFIGURATIONS[_named(request)]
    if setting.sent is None:
        raise invalid_argument("This setting cannot be changed.")
    body = setting.sent(parsed(await request.call.body(), setting.root))
    await request.json("PATCH", request.bucket_path, request.conditions(), body)
    return Reply(200, b"", [HTML])


async def get_labels(request: XmlRequest) -> Reply:
    """`GET /BUCKET?tagging`: the labels."""
    found = await request.json("GET", request.bucket_path)
    labels = found.get("labels", {})
    tags = "".join(
        f"<Tag>{text('Key', key)}{text('Value', said)}</Tag>" for key, said in labels.items()
    )
    return document("Tagging", f"<TagSet>{tags}</TagSet>")


def _named(request: XmlRequest) -> str:
    return next(name for name in request.call.query if name in CONFIGURATIONS)
