"""`acl` of buckets and objects and `defaultObjectAcl`: list, get, insert, patch, update, delete."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import acl, acl_resources, bucket_policies, buckets, objects
from emulator.storage.acl import Entries, Entry
from emulator.storage.acl_resources import Body
from emulator.storage.errors import StorageError, invalid, required
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import Preconditions, generation_of

Handler = Callable[[Cloud, Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Holder:
    """What has the controls that a call names: a bucket, its new objects, or one object."""

    bucket: buckets.BucketRow
    field: str
    row: ObjectRow | None
    project_number: int
    url: str

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may be given here."""
        return acl.BUCKET_ROLES if self.field == "acl" and not self.row else acl.OBJECT_ROLES

    @property
    def state(self) -> tuple[int, int, str]:
        """What preconditions are judged by."""
        return objects.state(self.row) if self.row else self.bucket.state

    @property
    def kind(self) -> str:
        """The kind of a list of these controls."""
        one = acl_resources.BUCKET_KIND if acl.WRITER in self.roles else acl_resources.OBJECT_KIND
        return one + "s"

    def entries(self) -> Entries:
        """The controls as they are, with the project's number in the names of its teams."""
        if self.row is not None:
            found = acl.object_entries(self.row.acl)
        elif self.field == "acl":
            found = acl.bucket_entries(self.bucket.body)
        else:
            found = acl.default_entries(self.bucket.body)
        return acl.expanded(found, self.project_number)

    def shown(self, entry: Entry) -> Body:
        """One control as JSON."""
        if self.row is not None:
            return acl_resources.object_control(self.row, entry, self.url)
        number = self.bucket.metageneration
        if self.field == "acl":
            return acl_resources.bucket_control(self.bucket.name, number, entry, self.url)
        return acl_resources.default_control(number, entry)


def routes(path: str, field: str, of_object: bool = False) -> list[tuple[str, str, str, Handler]]:
    """The six methods of one kind of controls: method, API root, path, handler."""

    async def listed(cloud: Cloud, call: Call) -> Reply:
        with cloud.store.read() as db:
            holder = _readable(cloud, db, call, field, of_object)
        items = [holder.shown(entry) for entry in holder.entries()]
        return json_reply({"kind": holder.kind, **({"items": items} if items else {})})

    async def got(cloud: Cloud, call: Call) -> Reply:
        with cloud.store.read() as db:
            holder = _readable(cloud, db, call, field, of_object)
        return json_reply(holder.shown(_find(holder.entries(), _entity(holder, call))))

    async def inserted(cloud: Cloud, call: Call) -> Reply:
        sent = await call.json()
        return _written(cloud, call, field, of_object, lambda holder: _inserted(holder, sent))

    async def changed(cloud: Cloud, call: Call) -> Reply:
        sent = await call.json()
        return _written(cloud, call, field, of_object, lambda holder: _changed(holder, call, sent))

    async def deleted(cloud: Cloud, call: Call) -> Reply:
        _written(cloud, call, field, of_object, lambda holder: _deleted(holder, call))
        return Reply(204)

    root, one = "/storage/v1/", f"{path}/*"
    return [
        ("GET", root, path, listed),
        ("POST", root, path, inserted),
        ("GET", root, one, got),
        ("PATCH", root, one, changed),
        ("PUT", root, one, changed),
        ("DELETE", root, one, deleted),
    ]


Change = Callable[[Holder], tuple[Entries, str]]


def _written(cloud: Cloud, call: Call, field: str, of_object: bool, change: Change) -> Reply:
    """Makes a change and answers the control that it made; uniform access refuses it."""
    with cloud.store.transaction() as db:
        holder = _holder(cloud, db, call, field, of_object)
        if acl.uniform(holder.bucket.body):
            raise invalid(acl.UNIFORM_INSERT if of_object else acl.UNIFORM_UPDATE)
        Preconditions.of_call(call).check_write(*holder.state)
        entries, entity = change(holder)
        acl.check_public(holder.bucket.body, [one for one in entries if one["entity"] == entity])
        _write(cloud, db, holder, entries)
        after = _holder(cloud, db, call, field, of_object)
    found = [entry for entry in after.entries() if entry["entity"] == entity]
    return json_reply(after.shown(found[0])) if found else Reply(204)


def _inserted(holder: Holder, sent: Body) -> tuple[Entries, str]:
    (entry,) = acl.expanded([acl.checked_entry(sent, holder.roles)], holder.project_number)
    return _with(holder, entry), str(entry["entity"])


def _changed(holder: Holder, call: Call, sent: Body) -> tuple[Entries, str]:
    before = _find(holder.entries(), _entity(holder, call))
    role = sent.get("role", before["role"])
    entry = acl.checked_entry({"entity": before["entity"], "role": role}, holder.roles)
    return _with(holder, entry), str(entry["entity"])


def _deleted(holder: Holder, call: Call) -> tuple[Entries, str]:
    before = _find(holder.entries(), _entity(holder, call))
    if before.get("owner"):
        raise invalid("The owner of an object always has the role OWNER.")
    return [one for one in holder.entries() if one["entity"] != before["entity"]], ""


def _with(holder: Holder, entry: Entry) -> Entries:
    """The holder's entries with one added or changed; the owner of an object stays OWNER."""
    entries = holder.entries()
    for place, old in enumerate(entries):
        if old["entity"] == entry["entity"]:
            entries[place] = old if old.get("owner") else entry
            return entries
    return [*entries, entry]


def _readable(
    cloud: Cloud, db: sqlite3.Connection, call: Call, field: str, of_object: bool
) -> Holder:
    holder = _holder(cloud, db, call, field, of_object)
    if acl.uniform(holder.bucket.body):
        raise invalid(acl.UNIFORM_GET_OBJECT if of_object else acl.UNIFORM_GET_BUCKET)
    Preconditions.of_call(call).check_read(*holder.state)
    return holder


def _holder(
    cloud: Cloud, db: sqlite3.Connection, call: Call, field: str, of_object: bool
) -> Holder:
    bucket = buckets.require(db, call.names[0])
    row = None
    if of_object:
        row = objects.require(db, bucket.name, call.names[1], generation_of(call.query))
    number = projects.number(cloud, bucket.project_id)
    return Holder(bucket, field, row, number, cloud.settings.base_url)


def _write(cloud: Cloud, db: sqlite3.Connection, holder: Holder, entries: Entries) -> None:
    moment = timestamp(cloud.clock.now())
    entries = acl.collapsed(entries, holder.project_number)
    if holder.row is None:
        body = holder.bucket.body | {holder.field: entries}
        after = buckets.write(cloud, db, holder.bucket, body)
        bucket_policies.follow(db, holder.bucket, after)
        return
    row = holder.row
    for table in ("objects", "old_objects"):
        db.execute(
            f"UPDATE {table} SET acl = ?, metageneration = metageneration + 1, updated = ?"
            " WHERE bucket = ? AND name = ? AND generation = ?",
            (json.dumps(entries), moment, row.bucket, row.name, row.generation),
        )


def _entity(holder: Holder, call: Call) -> str:
    """The entity in the path; a team may be named without the number of the project."""
    name = call.names[-1]
    if not name:
        raise required("entity")
    return f"{name}-{holder.project_number}" if name in acl.TEAMS else name


def _find(entries: Entries, entity: str) -> Entry:
    for entry in entries:
        if entry["entity"] == entity:
            return entry
    raise StorageError(404, "notFound", "Not Found")


ROUTES = [
    *routes("b/*/acl", "acl"),
    *routes("b/*/defaultObjectAcl", "defaultObjectAcl"),
    *routes("b/*/o/*/acl", "acl", of_object=True),
]
