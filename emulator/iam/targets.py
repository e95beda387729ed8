"""What a right is asked on: the resource as conditions see it, and the policies that reach it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.cloud import Cloud
from emulator.iam import policy, service_accounts
from emulator.iam.rights import Bindings
from emulator.iam.service_accounts import Account

IAM = "iam.googleapis.com"
MANAGER = "cloudresourcemanager.googleapis.com"
STORAGE = "storage.googleapis.com"
REGISTRY = "artifactregistry.googleapis.com"
VERTEX = "aiplatform.googleapis.com"


@dataclass(frozen=True)
class Target:
    """A resource; `policies` are its own and its parents' below the project, nearest first.

    `name` is as conditions see it, `shown` as messages name it; without a project nobody but the
    owner has a right on it.
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

    The policies of the managed folders that an object lies in count too.
    """
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT project_id, policy FROM buckets WHERE name = ?", (name,)
        ).fetchone()
        folders = _folder_policies(db, name, obj if prefix is None else prefix)
    if row is None:
        return NOWHERE
    own = bindings(row[1]) if row[1] else legacy_bindings(row[0])
    path = f"projects/_/buckets/{name}"
    attributes = {} if prefix is None else {f"{STORAGE}/objectListPrefix": prefix}
    kind, path = ("Object", f"{path}/objects/{obj}") if obj else ("Bucket", path)
    return Target(row[0], STORAGE, f"{STORAGE}/{kind}", path, path, (*folders, own), attributes)


def repository(cloud: Cloud, name: str) -> Target:
    """A repository of Artifact Registry, by its name with the project's id."""
    kept = cloud.resources.get(f"{name}:policy") or {}
    kind = f"{REGISTRY}/Repository"
    own: Bindings = kept.get("bindings", ())
    return Target(name.split("/")[1], REGISTRY, kind, name, name, (own,))


def legacy_bindings(project_id: str) -> Bindings:
    """What every new bucket grants to its project's owners, editors and viewers.

    cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable, read 2026-11-21.
    """
    team = [f"projectEditor:{project_id}", f"projectOwner:{project_id}"]
    viewers = [f"projectViewer:{project_id}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": team},
        {"role": "roles/storage.legacyBucketReader", "members": viewers},
        {"role": "roles/storage.legacyObjectOwner", "members": team},
        {"role": "roles/storage.legacyObjectReader", "members": viewers},
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
