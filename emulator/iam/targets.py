"""What a right is asked on: the resource as conditions see it, and the policies that reach it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.cloud import Cloud
from emulator.iam import policy, service_accounts
from emulator.iam.rights import Bindings
from emulator.iam.service_accounts import Account
from emulator.storage import acl, acl_bindings

IAM = "iam.googleapis.com"
MANAGER = "cloudresourcemanager.googleapis.com"
STORAGE = "storage.googleapis.com"
REGISTRY = "artifactregistry.googleapis.com"
VERTEX = "aiplatform.googleapis.com"


@dataclass(frozen=True)
class Target:
    """A resource; `policies` are its own and its parents' below the project, nearest first.

    `name` is as conditions see it, `shown` as messages name it; without a project only its own
    policies give a right on it.
    """

    project: str
    service: str
    type: str
    name: str
    shown: str = ""
    policies: tuple[Bindings, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


NOWHERE = Target("", IAM, f"{IAM}/ServiceAccount", "")


def project(project_id: str, service: str = MANAGER) -> Target:
    """A project, or what a service keeps of it as a whole."""
    kind, name = f"{MANAGER}/Project", f"projects/{project_id}"
    return Target(project_id, service, kind, name, name)


def account(cloud: Cloud, one: Account) -> Target:
    """A service account, which has a policy of its own."""
    own = bindings(service_accounts.policy_of(cloud, one))
    name = f"projects/{one.project}/serviceAccounts/{one.unique_id}"
    return Target(one.project, IAM, f"{IAM}/ServiceAccount", name, one.name, (own,))


def bucket(cloud: Cloud, name: str, obj: str = "", prefix: str | None = None) -> Target:
    """A bucket or an object of it; `prefix` is that of a list. NOWHERE without the bucket.

    What counts: the object's access controls where the bucket has no uniform access, the policies
    of the managed folders it lies in, the bucket's policy, the project's.
    """
    with cloud.store.read() as db:
        query = "SELECT project_id, policy, body FROM buckets WHERE name = ?"
        row = db.execute(query, (name,)).fetchone()
        if row is None:
            return NOWHERE
        body = policy.parsed(row[2])
        folders = _folder_policies(db, name, obj if prefix is None else prefix)
        if obj and not acl.uniform(body):
            folders.insert(0, _object_bindings(db, name, obj, row[0]))
    own = bindings(row[1]) if row[1] else acl_bindings.first_bindings(body, row[0])
    path = f"projects/_/buckets/{name}"
    attributes = {} if prefix is None else {f"{STORAGE}/objectListPrefix": prefix}
    kind, path = ("Object", f"{path}/objects/{obj}") if obj else ("Bucket", path)
    policies = tuple(map(_private, (*folders, own))) if acl.prevented(body) else (*folders, own)
    return Target(row[0], STORAGE, f"{STORAGE}/{kind}", path, path, policies, attributes)


def deleted_bucket(cloud: Cloud, name: str) -> Target:
    """A bucket that is softly deleted; NOWHERE without one."""
    with cloud.store.read() as db:
        query = "SELECT project_id FROM old_buckets WHERE name = ? LIMIT 1"
        row = db.execute(query, (name,)).fetchone()
    path = f"projects/_/buckets/{name}"
    return Target(row[0], STORAGE, f"{STORAGE}/Bucket", path, path) if row else NOWHERE


def repository(cloud: Cloud, name: str) -> Target:
    """A repository of Artifact Registry, by its name with the project's id."""
    kept = cloud.resources.get(f"{name}:policy") or {}
    kind = f"{REGISTRY}/Repository"
    own: Bindings = kept.get("bindings", ())
    return Target(name.split("/")[1], REGISTRY, kind, name, name, (own,))


def _private(policies: Bindings) -> Bindings:
    """The bindings without the public, which grants nothing where public access is prevented."""
    return [
        {**one, "members": [who for who in one.get("members", ()) if who not in acl.EVERYBODY]}
        for one in policies
    ]


def _object_bindings(db: sqlite3.Connection, bucket_name: str, name: str, of: str) -> Bindings:
    """What an object's access controls grant: the live one's, or those of the last that was."""
    query = (
        "SELECT acl, 1 AS place FROM objects WHERE bucket = ?1 AND name = ?2 UNION ALL"
        " SELECT acl, 0 FROM (SELECT acl FROM old_objects WHERE bucket = ?1 AND soft IN (0, 1)"
        " AND name = ?2 ORDER BY generation DESC LIMIT 1) ORDER BY place DESC LIMIT 1"
    )
    row = db.execute(query, (bucket_name, name)).fetchone()
    if row is None:
        return ()
    entries = acl.object_entries(json.loads(row[0]) if row[0] else None)
    roles = {acl.OWNER: acl_bindings.OBJECT_OWNER, acl.READER: acl_bindings.OBJECT_READER}
    return [
        {"role": roles[one["role"]], "members": [acl_bindings.member_of(one["entity"], of)]}
        for one in entries
    ]


def _folder_policies(db: sqlite3.Connection, bucket_name: str, path: str) -> list[Bindings]:
    """The policies of the managed folders above a path, nearest first."""
    if "/" not in path:
        return []
    parts = path.split("/")[:-1]
    above = ["/".join(parts[:count]) + "/" for count in range(len(parts), 0, -1)]
    marks = ",".join("?" * len(above))
    rows = db.execute(
        "SELECT name, policy FROM folders WHERE bucket = ? AND kind = 'managed' AND policy IS NOT"
        f" NULL AND name IN ({marks}) ORDER BY length(name) DESC",
        (bucket_name, *above),
    )
    return [bindings(text) for _, text in rows]


def bindings(text: str | None) -> Bindings:
    """The bindings of a stored policy; none where there is no policy."""
    found: Bindings = policy.parsed(text).get("bindings", ()) if text else ()
    return found
