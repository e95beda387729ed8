"""Access controls as JSON: in lists of their own, and inside buckets and objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from emulator.storage import acl
from emulator.storage.bucket_resource import etag
from emulator.storage.object_resource import ObjectRow

Body = dict[str, Any]

TEAM = re.compile(r"project-(owners|editors|viewers)-(.+)")
BUCKET_KIND, OBJECT_KIND = "storage#bucketAccessControl", "storage#objectAccessControl"


def bucket_control(bucket: str, metageneration: int, entry: Mapping[str, Any], url: str) -> Body:
    """One control of a bucket."""
    entity = str(entry["entity"])
    return {
        "kind": BUCKET_KIND,
        "id": f"{bucket}/{entity}",
        "selfLink": f"{url}/storage/v1/b/{bucket}/acl/{quote(entity)}",
        "bucket": bucket,
        "entity": entity,
        "role": entry["role"],
        **_about(entity),
        "etag": etag(metageneration),
    }


def default_control(metageneration: int, entry: Mapping[str, Any]) -> Body:
    """One of the controls that new objects of a bucket get."""
    entity = str(entry["entity"])
    return {
        "kind": OBJECT_KIND,
        "entity": entity,
        "role": entry["role"],
        **_about(entity),
        "etag": etag(metageneration),
    }


def object_control(row: ObjectRow, entry: Mapping[str, Any], url: str) -> Body:
    """One control of an object."""
    entity = str(entry["entity"])
    path = f"/storage/v1/b/{row.bucket}/o/{quote(row.name, safe='')}/acl/{quote(entity)}"
    return {
        "kind": OBJECT_KIND,
        "id": f"{row.bucket}/{row.name}/{row.generation}/{entity}",
        "selfLink": url + path,
        "bucket": row.bucket,
        "object": row.name,
        "generation": str(row.generation),
        "entity": entity,
        "role": entry["role"],
        **_about(entity),
        "etag": row.etag,
    }


def of_bucket(
    bucket: str, body: Mapping[str, Any], metageneration: int, project_number: int, url: str
) -> Body:
    """`acl`, `defaultObjectAcl` and `owner` of a bucket; nothing under uniform access."""
    if acl.uniform(body):
        return {}
    own = acl.expanded(acl.bucket_entries(body), project_number)
    default = acl.expanded(acl.default_entries(body), project_number)
    return {
        "acl": [bucket_control(bucket, metageneration, entry, url) for entry in own],
        "defaultObjectAcl": [default_control(metageneration, entry) for entry in default],
        "owner": {"entity": f"{acl.TEAMS[0]}-{project_number}"},
    }


def of_object(
    row: ObjectRow, bucket_body: Mapping[str, Any], project_number: int, url: str
) -> Body:
    """`acl` and `owner` of an object (projection=full); nothing under uniform access."""
    if acl.uniform(bucket_body):
        return {}
    entries = acl.expanded(acl.object_entries(row.acl), project_number)
    return {
        "acl": [object_control(row, entry, url) for entry in entries],
        "owner": {"entity": acl.owner_of(row.acl)},
    }


def _about(entity: str) -> Body:
    """What an entity's name says: an address, a domain, a team of a project."""
    team = TEAM.fullmatch(entity)
    if team:
        return {"projectTeam": {"projectNumber": team[2], "team": team[1]}}
    kind, _, name = entity.partition("-")
    if kind in ("user", "group") and "@" in name:
        return {"email": name}
    return {"domain": name} if kind == "domain" else {}
