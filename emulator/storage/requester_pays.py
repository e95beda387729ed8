"""Buckets whose requesters pay: who is not of their project names a project to be billed.

About it: https://cloud.google.com/storage/docs/requester-pays.
"""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.iam import enforce, targets
from emulator.resourcemanager import projects
from emulator.storage import buckets
from emulator.storage.errors import StorageError
from emulator.storage.http import Call
from emulator.tokens import Caller

# As Google has answered users of hail and cromwell (both on GitHub).
NOBODY_PAYS = "Bucket is a requester pays bucket but no user project provided."
# Who may bill the bucket's own project need not name another.
OWN_PROJECT = "resourcemanager.projects.createBillingAssignment"
USE = "serviceusage.services.use"


def check(cloud: Cloud, call: Call, route: str) -> None:
    """Raises 400 where somebody has to pay and nobody is named, 403 for a project not one's own.

    `route` is a line of the table, of which `call.names` are the names.
    """
    caller = call.caller
    if caller is None or caller.owner:
        return
    for name in _buckets(call, route):
        with cloud.store.read() as db:
            row = buckets.find(db, name)
        if row and (row.body.get("billing") or {}).get("requesterPays"):
            _check(cloud, caller, row, call)


def _check(cloud: Cloud, caller: Caller, row: buckets.BucketRow, call: Call) -> None:
    payer = call.query.get("userProject") or call.headers.get("x-goog-user-project")
    if not payer:
        home = targets.project(row.project_id, targets.STORAGE)
        if not enforce.allowed(cloud, caller, OWN_PROJECT, home):
            raise StorageError(400, "required", NOBODY_PAYS)
        return
    project = targets.project(projects.canonical(cloud, payer), targets.STORAGE)
    if not enforce.allowed(cloud, caller, USE, project):
        message = f"{caller.email} does not have {USE} access to the Google Cloud project."
        raise StorageError(403, "forbidden", f"{message} Permission '{USE}' denied on resource.")


def _buckets(call: Call, route: str) -> list[str]:
    """The names of buckets in the path: each name that follows a `b`."""
    words = route.split("/")
    stars = [place for place, word in enumerate(words) if word == "*"]
    return [name for place, name in zip(stars, call.names, strict=False) if words[place - 1] == "b"]
