"""Objects as answers: the JSON of one generation, with what its bucket and the request add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import acl_resources, buckets, retention, versions
from emulator.storage.encryption import revealed
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.object_resource import ObjectRow, resource

Body = dict[str, Any]


def shown(
    cloud: Cloud,
    row: ObjectRow,
    home: buckets.BucketRow,
    *,
    full: bool = False,
    checksums: bool = True,
) -> Body:
    """The object's JSON; with `full` its access controls and owner (projection=full).

    `checksums`: those of bytes under a customer's key are told too.
    """
    url = cloud.settings.base_url
    expiration = retention.expiration(home.body, row)
    answer = resource(row, url, revealed=checksums, expiration=expiration)
    if row.expires and (home.body.get("hierarchicalNamespace") or {}).get("enabled"):
        answer["restoreToken"] = versions.restore_token(row)
    if full:
        number = projects.number(cloud, home.project_id)
        answer |= acl_resources.of_object(row, home.body, number, url)
    return answer


def object_reply(
    cloud: Cloud, row: ObjectRow, call: Call, *, full: bool = False, written: bool = False
) -> Reply:
    """An object's JSON, with its entity tag as a header too; `full` unless the query says.

    `written`: the request wrote the bytes, so their checksums are told.
    """
    home = row.home or buckets.require_bucket(cloud, row.bucket)
    told = written or revealed(row.secret, call.headers)
    answer = shown(cloud, row, home, full=wants_full(call.query, full), checksums=told)
    return json_reply(answer, headers=[(b"etag", row.etag.encode())])


def wants_full(query: Mapping[str, str], default: bool = False) -> bool:
    """Whether a request asks for access controls too."""
    return query["projection"] == "full" if "projection" in query else default
