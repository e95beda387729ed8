"""Bucket access controls and the legacy roles of a policy: two views of one thing.

Source: https://cloud.google.com/storage/docs/access-control/iam#acls: a change of
the one shows in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.storage import acl

Binding = dict[str, Any]

ROLES = {
    acl.OWNER: "roles/storage.legacyBucketOwner",
    acl.WRITER: "roles/storage.legacyBucketWriter",
    acl.READER: "roles/storage.legacyBucketReader",
}
CONTROLS = {role: control for control, role in ROLES.items()}
OBJECT_OWNER, OBJECT_READER = "roles/storage.legacyObjectOwner", "roles/storage.legacyObjectReader"
TEAMS = {"owners": "projectOwner", "editors": "projectEditor", "viewers": "projectViewer"}
TEAM_NAMES = {member: team for team, member in TEAMS.items()}
TEAM = re.compile(r"project-(owners|editors|viewers)(?:-(.+))?")
SERVICE_ACCOUNT = ".gserviceaccount.com"


def first_bindings(bucket_body: Mapping[str, Any], project_id: str) -> list[Binding]:
    """What a bucket grants when nobody has said anything: by its controls, and if it is uniform to
    the teams of its project on objects too."""
    bindings = bindings_of(acl.bucket_entries(bucket_body), project_id)
    if not acl.uniform(bucket_body):
        return bindings
    team = [f"projectEditor:{project_id}", f"projectOwner:{project_id}"]
    return [
        *bindings,
        {"role": OBJECT_OWNER, "members": team},
        {"role": OBJECT_READER, "members": [f"projectViewer:{project_id}"]},
    ]


def followed(bindings: Iterable[Binding], entries: acl.Entries, project_id: str) -> list[Binding]:
    """The bindings with the legacy roles that the controls of the bucket say."""
    rest = [one for one in bindings if one["role"] not in CONTROLS or one.get("condition")]
    return [*bindings_of(entries, project_id), *rest]


def bindings_of(entries: acl.Entries, project_id: str) -> list[Binding]:
    """The legacy roles that controls of a bucket are."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        member = member_of(str(entry["entity"]), project_id)
        found.setdefault(ROLES[entry["role"]], set()).add(member)
    return [{"role": role, "members": sorted(found[role])} for role in CONTROLS if role in found]


def entries_of(bindings: Iterable[Binding], project_id: str) -> acl.Entries:
    """The controls that the legacy roles of a policy are; the strongest role of an entity."""
    found: dict[str, str] = {}
    ordered = {role: [] for role in CONTROLS}  # type: dict[str, list[str]]
    for binding in bindings:
        if binding["role"] in CONTROLS and not binding.get("condition"):
            ordered[binding["role"]] += binding.get("members", [])
    for role, members in ordered.items():
        for member in members:
            entity = entity_of(member, project_id)
            if entity:
                found.setdefault(entity, CONTROLS[role])
    return [{"entity": entity, "role": role} for entity, role in found.items()]


def member_of(entity: str, project_id: str) -> str:
    """The member of a policy that an entity is."""
    team = TEAM.fullmatch(entity)
    if team:
        return f"{TEAMS[team[1]]}:{team[2] or project_id}"
    kind, separator, name = entity.partition("-")
    if not separator:
        return entity
    kind = "serviceAccount" if kind == "user" and name.endswith(SERVICE_ACCOUNT) else kind
    return f"{kind}:{name}"


def entity_of(member: str, project_id: str) -> str | None:
    """The entity that a member is, or None where controls have no word for it."""
    if member in acl.EVERYBODY:
        return member
    kind, _, name = member.partition(":")
    if kind in TEAM_NAMES:
        return f"project-{TEAM_NAMES[kind]}" + ("" if name == project_id else f"-{name}")
    if kind in ("user", "serviceAccount"):
        return f"user-{name}"
    return f"{kind}-{name}" if kind in ("group", "domain") else None
