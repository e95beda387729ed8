"""Access controls in XML: read off the JSON API's lists, and written back as such.

https://cloud.google.com/storage/docs/xml-api/put-object-acls.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from emulator.storage.http import Reply
from emulator.storage.xml.documents import document, element, malformed, parsed, text, value
from emulator.storage.xml.objects import HTML
from emulator.storage.xml.request import XmlRequest, predefined_acl

Body = dict[str, Any]
PERMISSIONS = {"READER": "READ", "WRITER": "WRITE", "OWNER": "FULL_CONTROL"}
ROLES = {permission: role for role, permission in PERMISSIONS.items()}
# Kind of a scope -> (its element, the prefix of the JSON API's entity).
SCOPES = {
    "UserByEmail": ("EmailAddress", "user-"),
    "UserById": ("ID", "user-"),
    "GroupByEmail": ("EmailAddress", "group-"),
    "GroupById": ("ID", "group-"),
    "GroupByDomain": ("Domain", "domain-"),
    "ProjectTeam": ("ID", "project-"),
}
EVERYBODY = {"AllUsers": "allUsers", "AllAuthenticatedUsers": "allAuthenticatedUsers"}


async def get_acl(request: XmlRequest) -> Reply:
    """`GET ?acl` of a bucket or an object, and `GET /BUCKET?defaultObjectAcl`."""
    found = await request.json("GET", _path(request), request.conditions())
    entries = "".join(_entry(item) for item in found.get("items", ()))
    caller = request.call.caller
    owner = element("Owner", text("ID", caller.email if caller else ""))
    return document("AccessControlList", owner, element("Entries", entries))


async def set_acl(request: XmlRequest) -> Reply:
    """`PUT ?acl`: the list of the body, or the predefined one of `x-goog-acl`."""
    predefined = predefined_acl(request.call.headers)
    query, body = request.conditions(), {}
    if predefined:
        name = "predefinedDefaultObjectAcl" if _of_new_objects(request) else "predefinedAcl"
        query[name] = predefined["predefinedAcl"]
    else:
        tree = parsed(await request.call.body(), "AccessControlList")
        body = {_field(request): [_control(entry) for entry in tree.findall("Entries/Entry")]}
    target = request.object_path if request.name else request.bucket_path
    await request.json("PATCH", target, query | {"projection": "full"}, body)
    return Reply(200, b"", [HTML])


def _of_new_objects(request: XmlRequest) -> bool:
    return "defaultObjectAcl" in request.call.query


def _field(request: XmlRequest) -> str:
    return "defaultObjectAcl" if _of_new_objects(request) else "acl"


def _path(request: XmlRequest) -> str:
    target = request.object_path if request.name else request.bucket_path
    return f"{target}/{_field(request)}"


def _entry(item: Body) -> str:
    entity, permission = str(item["entity"]), PERMISSIONS[item["role"]]
    return element("Entry", _scope(entity), text("Permission", permission))


def _scope(entity: str) -> str:
    for kind, name in EVERYBODY.items():
        if entity == name:
            return f'<Scope type="{kind}"/>'
    for kind, (inner, prefix) in SCOPES.items():
        named = entity.removeprefix(prefix)
        if named != entity and ("@" in named) == (inner == "EmailAddress"):
            return f'<Scope type="{kind}">{text(inner, named)}</Scope>'
    return f'<Scope type="UserByEmail">{text("EmailAddress", entity)}</Scope>'


def _control(entry: Element) -> Body:
    """One entry as the JSON API has it. 400 MalformedXML for a scope or a right that is not one."""
    role = ROLES.get(value(entry, "Permission"))
    scope = entry.find("Scope")
    kind = "" if scope is None else scope.get("type", "")
    if role is None or (kind not in SCOPES and kind not in EVERYBODY):
        raise malformed("An entry has a Scope of a known type and a Permission.")
    if kind in EVERYBODY:
        return {"entity": EVERYBODY[kind], "role": role}
    inner, prefix = SCOPES[kind]
    return {"entity": prefix + value(entry, f"Scope/{inner}"), "role": role}
