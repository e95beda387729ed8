"""The methods of buckets: parse the call, ask the rules, shape the reply."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.storage import bucket_resource, buckets, listing, old_buckets, retention_lock
from emulator.storage.errors import StorageError, required
from emulator.storage.http import Call, Reply, flag, json_reply
from emulator.storage.object_answers import wants_full
from emulator.storage.preconditions import Preconditions, generation_of


async def insert_bucket(cloud: Cloud, call: Call) -> Reply:
    """`POST b`."""
    sent = await call.json()
    row = buckets.create_bucket(
        cloud, project_of(call), sent, buckets.Options.from_query(call.query)
    )
    told = any(key in sent for key in bucket_resource.ACCESS_CONTROLS)
    return _reply(cloud, row, full=_full(call, told))


async def list_buckets(cloud: Cloud, call: Call) -> Reply:
    """`GET b`; with `softDeleted=true` those that can be restored."""
    token, prefix = call.query.get("pageToken"), call.query.get("prefix", "")
    start = listing.decoded_token(token) if token else ""
    limit, project, full = listing.page_size(call.query), project_of(call), _full(call)
    soft = flag(call.query, "softDeleted")
    find = old_buckets.list_buckets if soft else buckets.list_buckets
    rows = find(cloud, project, prefix, start, limit + 1)
    answer: dict[str, object] = {"kind": "storage#buckets"}
    if len(rows) > limit:
        last = rows.pop()
        answer["nextPageToken"] = listing.token(
            f"{last.name}/{last.generation}" if soft else last.name
        )
    if rows:
        found = [buckets.resource(cloud, row, full=full) for row in rows]
        answer["items"] = [bucket_resource.listed(one) for one in found]
    return json_reply(answer)


async def get_bucket(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET`; with `softDeleted=true` the generation that can be restored."""
    generation = generation_of(call.query)
    if flag(call.query, "softDeleted"):
        if generation is None:
            raise required("generation")
        with cloud.store.read() as db:
            row = old_buckets.require(cloud, db, call.names[0], generation)
    else:
        row = buckets.require_bucket(cloud, call.names[0])
        if generation not in (None, row.generation):
            raise StorageError(404, "notFound", "The specified bucket does not exist.")
    Preconditions.of_call(call).check_read(*row.state)
    return _reply(cloud, row, full=_full(call))


async def patch_bucket(cloud: Cloud, call: Call) -> Reply:
    """`PATCH b/BUCKET` by merge patch, `PUT b/BUCKET` as a whole."""
    conditions = Preconditions.of_call(call)
    full, options = _full(call, default=True), buckets.Options.from_query(call.query)
    sent, replace = await call.json(), call.method == "PUT"
    row = buckets.patch_bucket(
        cloud, call.names[0], sent, conditions, replace=replace, options=options
    )
    return _reply(cloud, row, full=full)


async def delete_bucket(cloud: Cloud, call: Call) -> Reply:
    """`DELETE b/BUCKET`."""
    old_buckets.delete_bucket(cloud, call.names[0], Preconditions.of_call(call))
    return Reply(204)


async def restore_bucket(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/restore?generation=G`."""
    generation = generation_of(call.query)
    if generation is None:
        raise required("generation")
    row = old_buckets.restore(cloud, call.names[0], generation)
    return _reply(cloud, row, full=_full(call))


async def lock_retention_policy(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/lockRetentionPolicy?ifMetagenerationMatch=M`."""
    if "ifMetagenerationMatch" not in call.query:
        raise required("ifMetagenerationMatch")
    conditions = Preconditions.of_call(call)
    row = retention_lock.lock(cloud, call.names[0], conditions)
    return _reply(cloud, row, full=False)


async def storage_layout(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/storageLayout`: where it lies, and whether its folders are real."""
    row = buckets.require_bucket(cloud, call.names[0])
    tree = (row.body.get("hierarchicalNamespace") or {}).get("enabled", False)
    placement = row.body.get("customPlacementConfig")
    answer = {
        "kind": "storage#storageLayout",
        "bucket": row.name,
        "location": row.body["location"],
        "locationType": row.body["locationType"],
        "hierarchicalNamespace": {"enabled": tree},
    }
    return json_reply(answer | ({"customPlacementConfig": placement} if placement else {}))


def _reply(cloud: Cloud, row: buckets.BucketRow, *, full: bool) -> Reply:
    """A bucket's JSON, with its entity tag as a header too."""
    body = buckets.resource(cloud, row, full=full)
    return json_reply(body, headers=[(b"etag", body["etag"].encode())])


def project_of(call: Call) -> str:
    """The project that a call names. 400 when it names none."""
    project = call.query.get("project")
    if not project:
        raise required("project")
    return project


def _full(call: Call, default: bool = False) -> bool:
    return wants_full(call.query, default)
