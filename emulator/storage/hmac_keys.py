"""HMAC keys of service accounts: made with a secret, listed, switched off, deleted.

Source: https://cloud.google.com/storage/docs/authentication/hmackeys, as of 2026-04-08.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import pages
from emulator.storage.errors import StorageError, condition_not_met, invalid, required
from emulator.storage.http import Call, Reply, flag, json_reply

Body = dict[str, Any]

RESOURCE = "storage.HmacKey"
ACTIVE, INACTIVE, DELETED = "ACTIVE", "INACTIVE", "DELETED"
# An access id of a service account has 61 characters and starts so; a secret is 40 in base64.
PREFIX, LENGTH = "GOOG1E", 61
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECRET_BYTES = 30
# "maximum of 10 HMAC keys per service account. Deleted keys do not count towards this limit."
LIMIT = 10
KEYS = "/hmacKeys/"


async def create(cloud: Cloud, call: Call) -> Reply:
    """`POST projects/PROJECT/hmacKeys`: the metadata and, this once, the secret."""
    from emulator.iam import service_accounts
    from emulator.orgpolicy import obeyed

    project = projects.canonical(cloud, call.names[0])
    email = call.query.get("serviceAccountEmail")
    if not email:
        raise required("serviceAccountEmail")
    if service_accounts.find(cloud, email) is None:
        raise StorageError(404, "notFound", f"Service Account '{email}' not found.")
    obeyed.check_hmac_key(cloud, project)
    secret = b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    with cloud.store.transaction():
        mine = [body for _, body in _all(cloud, project) if body["serviceAccountEmail"] == email]
        if len([one for one in mine if one["state"] != DELETED]) >= LIMIT:
            message = f"Service Account '{email}' already has {LIMIT} HMAC keys."
            raise StorageError(429, "rateLimitExceeded", message)
        body = _new(cloud, project, email)
        cloud.resources.insert(
            RESOURCE, f"{_parent(project)}{KEYS}{body['accessId']}", body | {"secret": secret},
            _parent(project),
        )  # fmt: skip
    answer = {"kind": "storage#hmacKey", "metadata": _shown(cloud, body), "secret": secret}
    return json_reply(answer)


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET projects/PROJECT/hmacKeys`, by access id."""
    project = projects.canonical(cloud, call.names[0])
    start, limit = pages.asked(call.query)
    email, deleted = call.query.get("serviceAccountEmail"), flag(call.query, "showDeletedKeys")
    found = sorted(
        (body["accessId"], _shown(cloud, body))
        for _, body in _all(cloud, project)
        if body["accessId"] >= start
        and (not email or body["serviceAccountEmail"] == email)
        and (deleted or body["state"] != DELETED)
    )
    return json_reply(pages.answered("storage#hmacKeysMetadata", limit, found))


async def get(cloud: Cloud, call: Call) -> Reply:
    """`GET projects/PROJECT/hmacKeys/ACCESS_ID`."""
    return json_reply(_shown(cloud, _require(cloud, call)))


async def update(cloud: Cloud, call: Call) -> Reply:
    """`PUT projects/PROJECT/hmacKeys/ACCESS_ID`: switches a key on or off."""
    sent = await call.json()
    with cloud.store.transaction():
        body = _require(cloud, call)
        if sent.get("etag") not in (None, "", body["etag"]):
            raise condition_not_met()
        if sent.get("state") not in (ACTIVE, INACTIVE):
            raise invalid(f"Invalid HMAC key state: '{sent.get('state')}'.")
        if body["state"] == DELETED:
            raise invalid("Cannot change the state of a deleted HMAC key.")
        body = _kept(cloud, body, str(sent["state"]))
    return json_reply(_shown(cloud, body))


async def delete(cloud: Cloud, call: Call) -> Reply:
    """`DELETE projects/PROJECT/hmacKeys/ACCESS_ID`. 400 for a key that is not switched off."""
    with cloud.store.transaction():
        body = _require(cloud, call)
        if body["state"] == ACTIVE:
            raise invalid("Cannot delete keys in 'ACTIVE' state.")
        _kept(cloud, body, DELETED)
    return Reply(204)


def active_key(cloud: Cloud, access_id: str) -> tuple[str, str] | None:
    """The account's address and the secret of a key that is switched on, or None."""
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT json_extract(body, '$.serviceAccountEmail'), json_extract(body, '$.secret')"
            " FROM resources WHERE kind = ? AND json_extract(body, '$.accessId') = ?"
            " AND json_extract(body, '$.state') = ?",
            (RESOURCE, access_id, ACTIVE),
        ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def _new(cloud: Cloud, project: str, email: str) -> Body:
    moment = timestamp(cloud.clock.now())
    rest = "".join(secrets.choice(LETTERS) for _ in range(LENGTH - len(PREFIX)))
    return {
        "accessId": PREFIX + rest,
        "projectId": project,
        "serviceAccountEmail": email,
        "state": ACTIVE,
        "timeCreated": moment,
        "updated": moment,
        "etag": _etag(1),
        "revision": 1,
    }


def _kept(cloud: Cloud, body: Body, state: str) -> Body:
    revision = body["revision"] + 1
    moment = timestamp(cloud.clock.now())
    changed = {"state": state, "updated": moment, "etag": _etag(revision), "revision": revision}
    name = f"{_parent(body['projectId'])}{KEYS}{body['accessId']}"
    cloud.resources.replace(name, body | changed)
    return body | changed


def _shown(cloud: Cloud, body: Body) -> Body:
    path = f"{_parent(body['projectId'])}{KEYS}{body['accessId']}"
    return {
        "kind": "storage#hmacKeyMetadata",
        "id": f"{body['projectId']}/{body['accessId']}",
        "selfLink": f"{cloud.settings.base_url}/storage/v1/{path}",
        **{key: value for key, value in body.items() if key not in ("secret", "revision")},
    }


def _require(cloud: Cloud, call: Call) -> Body:
    project = projects.canonical(cloud, call.names[0])
    body = cloud.resources.get(f"{_parent(project)}{KEYS}{call.names[1]}")
    if body is None:
        raise StorageError(404, "notFound", f"Access ID not found in project '{project}'.")
    return body


def _all(cloud: Cloud, project: str) -> list[tuple[str, Body]]:
    return cloud.resources.list(RESOURCE, _parent(project))


def _parent(project: str) -> str:
    return f"projects/{project}"


def _etag(revision: int) -> str:
    return b64encode(revision.to_bytes(4, "big")).decode()


ROUTES = [
    ("POST", "/storage/v1/", "projects/*/hmacKeys", create),
    ("GET", "/storage/v1/", "projects/*/hmacKeys", listed),
    ("GET", "/storage/v1/", "projects/*/hmacKeys/*", get),
    ("PUT", "/storage/v1/", "projects/*/hmacKeys/*", update),
    ("DELETE", "/storage/v1/", "projects/*/hmacKeys/*", delete),
]
