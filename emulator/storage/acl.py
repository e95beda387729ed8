"""Access controls of buckets and objects: who has which role, and what may not be said of whom.

A list of controls is kept as `[{"entity": …, "role": …}]`; the owner of an object carries
`"owner": true`. `project-owners`, `project-editors` and `project-viewers` without a number are the
teams of the bucket's own project. No list (None) is `projectPrivate`, owned by the local owner.
Source: https://cloud.google.com/storage/docs/access-control/lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.storage.errors import StorageError, invalid
from emulator.tokens import OWNER as LOCAL_OWNER
from emulator.tokens import Caller

if TYPE_CHECKING:
    from emulator.storage.buckets import BucketRow

Entry = dict[str, Any]
Entries = list[Entry]

READER, WRITER, OWNER = "READER", "WRITER", "OWNER"
BUCKET_ROLES = (READER, WRITER, OWNER)
OBJECT_ROLES = (READER, OWNER)
EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
TEAMS = ("project-owners", "project-editors", "project-viewers")
# ObjectAccessControl.entity in google-cloud-storage 3.17's _storage_v2: an address, or an id (64
# digits in the samples of the page above). Lengths of addresses: RFC 5321, 4.5.3.1.
PERSON = r"([^\s@]{1,64}@[^\s@]{1,253}|[0-9a-f]{64})"
ENTITY = re.compile(
    rf"allUsers|allAuthenticatedUsers|(user|group)-{PERSON}|domain-[\w-]{{1,63}}(\.[\w-]{{1,63}})+"
    r"|project-(owners|editors|viewers)-[\w.:-]{1,63}"
)
PRIVATE = ((TEAMS[0], OWNER),)
PROJECT_PRIVATE = ((TEAMS[0], OWNER), (TEAMS[1], OWNER), (TEAMS[2], READER))
# https://cloud.google.com/storage/docs/access-control/lists#predefined-acl
OF_BUCKETS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": PRIVATE,
    "projectPrivate": PROJECT_PRIVATE,
    "authenticatedRead": (*PRIVATE, ("allAuthenticatedUsers", READER)),
    "publicRead": (*PRIVATE, ("allUsers", READER)),
    "publicReadWrite": (*PRIVATE, ("allUsers", WRITER)),
}
# The owner of the object comes on top, as OWNER.
OF_OBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "projectPrivate": PROJECT_PRIVATE,
    "authenticatedRead": (("allAuthenticatedUsers", READER),),
    "publicRead": (("allUsers", READER),),
    "bucketOwnerRead": ((TEAMS[0], READER),),
    "bucketOwnerFullControl": ((TEAMS[0], OWNER),),
}
ABOUT_UNIFORM = "Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access"
UNIFORM_INSERT = (
    "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. "
    + ABOUT_UNIFORM
)
UNIFORM_UPDATE = (
    "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. "
    + ABOUT_UNIFORM
)
UNIFORM_GET_BUCKET = (
    f"Cannot get legacy ACL for a bucket that has uniform bucket-level access. {ABOUT_UNIFORM}"
)
UNIFORM_GET_OBJECT = (
    "Cannot get legacy ACL for an object when uniform bucket-level access is enabled. "
    + ABOUT_UNIFORM
)
PREVENTED = (
    "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
    "prevention is enforced."
)


def for_new_object(
    bucket: BucketRow, caller: Caller | None, predefined: str | None = None, sent: Any = None
) -> Entries | None:
    """The controls of an object that a caller makes; None is the default of everybody's.

    `predefined` is the query's `predefinedAcl`, `sent` the `acl` of the object's JSON; without
    both the bucket's default object controls hold. 400 under uniform access and for unknown names,
    412 for the public where public access is prevented.
    """
    email = caller.email if caller else LOCAL_OWNER
    if (predefined or sent) and uniform(bucket.body):
        raise invalid(UNIFORM_INSERT)
    if not predefined and not sent:
        default = bucket.body.get("defaultObjectAcl")
        if default is None and email == LOCAL_OWNER:
            return None
        return owned(default_entries(bucket.body), email)
    return changed_object(bucket.body, owned([], email), predefined, sent)


def changed_object(
    bucket_body: Mapping[str, Any], before: Entries | None, predefined: str | None, sent: Any
) -> Entries:
    """The controls of an object after a patch that names predefined ones or sends a list."""
    if uniform(bucket_body):
        raise invalid(UNIFORM_INSERT)
    owner = owner_of(before)
    if predefined:
        entries = predefined_entries(OF_OBJECTS, predefined, "predefinedAcl")
    else:
        entries = collapsed(checked(sent, OBJECT_ROLES), bucket_body.get("projectNumber"))
    check_public(bucket_body, entries)
    return owned(entries, owner.removeprefix("user-"))


def changed_bucket(
    body: Mapping[str, Any], field: str, predefined: str | None, sent: Any
) -> Entries:
    """A bucket's `acl` or `defaultObjectAcl` after a create or patch that says something of it."""
    if uniform(body):
        raise invalid(UNIFORM_UPDATE)
    table, roles, parameter = (
        (OF_BUCKETS, BUCKET_ROLES, "predefinedAcl")
        if field == "acl"
        else (OF_OBJECTS, OBJECT_ROLES, "predefinedDefaultObjectAcl")
    )
    if predefined:
        entries = predefined_entries(table, predefined, parameter)
    else:
        entries = collapsed(checked(sent, roles), body.get("projectNumber"))
    check_public(body, entries)
    return entries


def default_entries(bucket_body: Mapping[str, Any]) -> Entries:
    """A bucket's default object controls."""
    entries: Entries | None = bucket_body.get("defaultObjectAcl")
    return project_private() if entries is None else [dict(entry) for entry in entries]


def bucket_entries(bucket_body: Mapping[str, Any]) -> Entries:
    """A bucket's own controls."""
    entries: Entries | None = bucket_body.get("acl")
    return project_private() if entries is None else [dict(entry) for entry in entries]


def object_entries(acl: Entries | None) -> Entries:
    """An object's controls, the default ones written out."""
    return owned(project_private(), LOCAL_OWNER) if acl is None else acl


def owner_of(acl: Entries | None) -> str:
    """The entity that owns an object."""
    for entry in acl or ():
        if entry.get("owner"):
            return str(entry["entity"])
    return f"user-{LOCAL_OWNER}"


def owned(entries: Entries, email: str) -> Entries:
    """The entries with their owner as the last, who always has the role OWNER."""
    owner = f"user-{email}"
    rest = [{"entity": one["entity"], "role": one["role"]} for one in entries]
    kept = [one for one in rest if one["entity"] != owner]
    return [*kept, {"entity": owner, "role": OWNER, "owner": True}]


def expanded(entries: Entries, project_number: int) -> Entries:
    """The entries with the number of the project in its teams' names, each entity once."""
    found: dict[str, Entry] = {}
    for entry in entries:
        entity = str(entry["entity"])
        name = f"{entity}-{project_number}" if entity in TEAMS else entity
        found[name] = {**found.get(name, {}), **entry, "entity": name}
    return list(found.values())


def collapsed(entries: Entries, project_number: object) -> Entries:
    """The entries with the teams of the bucket's own project by their short names."""
    short = {f"{team}-{project_number}": team for team in TEAMS}
    named = [{**one, "entity": short.get(one["entity"], one["entity"])} for one in entries]
    return list({one["entity"]: one for one in named}.values())


def checked(sent: Any, roles: tuple[str, ...]) -> Entries:
    """The entries of a list that a client sent. 400 for what is none."""
    if not isinstance(sent, list):
        raise invalid("Invalid value for: Expected a list of access controls.")
    return [checked_entry(entry, roles) for entry in sent]


def checked_entry(sent: Any, roles: tuple[str, ...]) -> Entry:
    """Entity and role of one control that a client sent. 400 for what is neither."""
    if not isinstance(sent, dict):
        raise invalid("Invalid value for: Expected an access control.")
    for field in ("entity", "role"):
        if not sent.get(field):
            raise StorageError(400, "required", "Required", ("parameter", field))
    entity, role = str(sent["entity"]), str(sent["role"]).upper()
    if not ENTITY.fullmatch(entity) or not entity.isprintable():
        raise invalid("Invalid Value")  # hashicorp/terraform-provider-google#8072 recorded it
    if role not in roles:
        raise invalid(f"Invalid role: '{sent['role']}'. Expected one of {', '.join(roles)}.")
    return {"entity": entity, "role": role}


def check_public(bucket_body: Mapping[str, Any], entries: Entries) -> None:
    """Raises 412 for entries of the public in a bucket that prevents public access."""
    names = {str(entry["entity"]) for entry in entries}
    if prevented(bucket_body) and names & EVERYBODY:
        raise StorageError(412, "conditionNotMet", PREVENTED, ("header", "If-Match"))


def prevented(bucket_body: Mapping[str, Any]) -> bool:
    """Whether public access prevention is enforced."""
    access = bucket_body.get("iamConfiguration") or {}
    return bool(access.get("publicAccessPrevention") == "enforced")


def uniform(bucket_body: Mapping[str, Any]) -> bool:
    """Whether uniform bucket-level access is on: then access controls are not asked."""
    access = bucket_body.get("iamConfiguration") or {}
    return bool((access.get("uniformBucketLevelAccess") or {}).get("enabled"))


def project_private() -> Entries:
    """The controls of everything that was made without a word about them."""
    return [{"entity": entity, "role": role} for entity, role in PROJECT_PRIVATE]


def predefined_entries(
    table: Mapping[str, tuple[tuple[str, str], ...]], name: str, parameter: str
) -> Entries:
    """A named set of controls. 400 for a name that Google does not have."""
    if name not in table:
        message = (
            f"Invalid value '{name}'. Values must match the following regular expression: "
            f"'{'|'.join(table)}'"
        )
        raise StorageError(400, "invalidParameter", message, ("parameter", parameter))
    return [{"entity": entity, "role": role} for entity, role in table[name]]
