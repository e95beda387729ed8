"""The methods of objects: parse the call, ask the rules, shape the reply."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import buckets, listing, objects
from emulator.storage.downloads import download
from emulator.storage.encryption import revealed
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.object_resource import ObjectRow, resource
from emulator.storage.preconditions import Preconditions, generation_of


async def list_objects(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/o`; there are only live objects, so `versions=true` changes nothing."""
    page = listing.list_objects(cloud, call.names[0], listing.Question.from_query(call.query))
    answer: dict[str, object] = {"kind": "storage#objects"}
    if page.next_start is not None:
        answer["nextPageToken"] = listing.token(page.next_start)
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.objects:
        url = cloud.settings.base_url
        answer["items"] = [resource(row, url) for row in page.objects]
    return json_reply(answer)


async def get_object(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/o/OBJECT`: the JSON, or the bytes with `alt=media`."""
    if call.query.get("alt") == "media":
        return await download(cloud, call)
    bucket, name = call.names
    with cloud.store.read() as db:
        row = objects.require(db, bucket, name, generation_of(call.query))
    Preconditions.from_query(call.query).check_read(row.generation, row.metageneration)
    return object_reply(cloud, row, revealed=revealed(row.secret, call.headers))


async def patch_object(cloud: Cloud, call: Call) -> Reply:
    """`PATCH b/BUCKET/o/OBJECT` by merge patch, `PUT` as a whole."""
    bucket, name = call.names
    conditions = Preconditions.from_query(call.query)
    row = objects.patch_object(
        cloud,
        bucket,
        name,
        await call.json(),
        conditions,
        generation=generation_of(call.query),
        replace=call.method == "PUT",
    )
    return object_reply(cloud, row)


async def delete_object(cloud: Cloud, call: Call) -> Reply:
    """`DELETE b/BUCKET/o/OBJECT`."""
    bucket, name = call.names
    conditions = Preconditions.from_query(call.query)
    objects.delete_object(cloud, bucket, name, conditions, generation_of(call.query))
    return Reply(204)


async def service_account(cloud: Cloud, call: Call) -> Reply:
    """`GET projects/PROJECT/serviceAccount`: the address of Cloud Storage's own agent."""
    number = projects.number(cloud, projects.canonical(cloud, call.names[0]))
    address = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    return json_reply({"kind": "storage#serviceAccount", "email_address": address})


async def no_caches(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/anywhereCaches`: there are none; Terraform asks before it destroys."""
    buckets.require_bucket(cloud, call.names[0])
    return json_reply({"kind": "storage#anywhereCaches"})


async def missing(_: Cloud, call: Call) -> Reply:
    """501 with the name, for what Google has and the local cloud has not."""
    message = f"The local Cloud Storage does not have {call.method} {call.path} yet."
    raise StorageError(501, "notImplemented", message)


def object_reply(cloud: Cloud, row: ObjectRow, *, revealed: bool = False) -> Reply:
    """An object's JSON, with its entity tag as a header too."""
    headers = [(b"etag", row.etag.encode())]
    answer = resource(row, cloud.settings.base_url, revealed=revealed)
    return json_reply(answer, headers=headers)
