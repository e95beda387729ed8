"""The methods of objects' metadata: list, get, patch, update, delete, and the move of one."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.storage import listing, objects
from emulator.storage.downloads import download
from emulator.storage.errors import required
from emulator.storage.http import Call, Reply, flag, json_reply
from emulator.storage.object_answers import object_reply, shown, wants_full
from emulator.storage.preconditions import Preconditions, generation_of


async def list_objects(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/o`."""
    page = listing.list_objects(cloud, call.names[0], listing.Question.from_query(call.query))
    answer: dict[str, object] = {"kind": "storage#objects"}
    if page.next_place is not None:
        answer["nextPageToken"] = listing.place_token(page.next_place)
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.objects:
        full = wants_full(call.query)
        answer["items"] = [
            shown(cloud, row, page.home, full=full, checksums=row.secret is None)
            for row in page.objects
        ]
    return json_reply(answer)


async def get_object(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/o/OBJECT`: the JSON, or the bytes with `alt=media`."""
    if call.query.get("alt") == "media":
        return await download(cloud, call)
    bucket, name = call.names
    generation = generation_of(call.query)
    with cloud.store.read() as db:
        if flag(call.query, "softDeleted"):
            if generation is None:
                raise required("generation")
            row = objects.require_restorable(cloud, db, bucket, name, generation)
        else:
            row = objects.require(db, bucket, name, generation)
    Preconditions.of_call(call).check_read(*objects.state(row))
    return object_reply(cloud, row, call)


async def patch_object(cloud: Cloud, call: Call) -> Reply:
    """`PATCH b/BUCKET/o/OBJECT` by merge patch, `PUT` as a whole."""
    bucket, name = call.names
    change = objects.Change(
        await call.json(),
        call.method == "PUT",
        call.query.get("predefinedAcl"),
        flag(call.query, "overrideUnlockedRetention"),
    )
    conditions = Preconditions.of_call(call)
    row = objects.change_object(cloud, bucket, name, change, conditions, generation_of(call.query))
    return object_reply(cloud, row, call, full=True)


async def delete_object(cloud: Cloud, call: Call) -> Reply:
    """`DELETE b/BUCKET/o/OBJECT`."""
    bucket, name = call.names
    conditions = Preconditions.of_call(call)
    objects.delete_object(cloud, bucket, name, conditions, generation_of(call.query))
    return Reply(204)
