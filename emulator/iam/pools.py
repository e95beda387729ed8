"""Workload identity pools and their providers, as Terraform makes them; nobody signs in by them.

Names carry the project's number. What is deleted can be taken back for 30 days, and its name is
taken as long. So says docs.cloud.google.com/iam/docs/reference/rest/v1, as of 2026-05-30, under
projects.locations.workloadIdentityPools and its providers, and has the limits.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from emulator.clock import timestamp
from emulator.errors import ApiError
from emulator.iam.calls import Call
from emulator.resourcemanager import projects
from emulator.typed_api import masked, page

Body = dict[str, Any]

TYPES = "type.googleapis.com/google.iam.v1."
OPERATION = "iam.Operation"
KEPT_DAYS = 30
# "4-32 characters, [a-z0-9-]; the prefix gcp- is reserved".
ID = re.compile(r"(?!gcp-)[a-z0-9-]{4,32}")
POOL_FIELDS = ("displayName", "description", "disabled", "mode", "sessionDuration")
PROVIDER_FIELDS = (
    "displayName", "description", "disabled", "attributeMapping", "attributeCondition", "oidc",
    "aws", "saml", "x509",
)  # fmt: skip
TEXTS = ("displayName", "description", "mode", "attributeCondition", "sessionDuration")
LIMITS = {"displayName": 32, "description": 256, "attributeCondition": 4096}
MOST_AUDIENCES, AUDIENCE_LENGTH = 10, 256
MOST_ATTRIBUTES, EXPRESSION_LENGTH = 50, 2048
ATTRIBUTE = re.compile(r"attribute\.[a-z0-9_]{1,100}")
IDENTITIES = ("oidc", "aws", "saml", "x509")
OUTPUT = ("name", "state", "expireTime")


def listed(call: Call) -> Body:
    """The pools of a project, or the providers of a pool; deleted ones if asked."""
    rows = [body for _, body in call.cloud.resources.list(_kind(call), _parent(call))]
    if call.query.get("showDeleted") != "true":
        rows = [row for row in rows if row["state"] == "ACTIVE"]
    asked = {
        "pageSize": call.page(50, 100 if _is_provider(call) else 1000)[1],
        "pageToken": call.query.get("pageToken", ""),
    }
    return page(_noun(call) + "s", rows, asked)


def create(call: Call) -> Body:
    """A new one, as an operation that is over. ALREADY_EXISTS, for a deleted one too."""
    noun = _noun(call)
    new_id = call.query.get(f"{noun}Id", "")
    if not ID.fullmatch(new_id):
        message = f"Invalid {noun}Id: it must match {ID.pattern}. Received: {new_id}"
        raise ApiError("INVALID_ARGUMENT", message)
    if _is_provider(call):
        _require(call, _parent(call))
    name = f"{_parent(call)}/{_collection(call)}/{new_id}"
    body = _checked(call, call.body) | {"name": name, "state": "ACTIVE"}
    with call.cloud.store.transaction():
        before = call.cloud.resources.get(name)
        if before is not None and not _is_expired(call, before):
            raise ApiError("ALREADY_EXISTS", "Requested entity already exists")
        if before is not None:
            call.cloud.resources.delete(name)
        call.cloud.resources.insert(_kind(call), name, body, _parent(call))
        return _over(call, body)


def get(call: Call) -> Body:
    """One, also within 30 days after it was deleted."""
    return _require(call, _name(call))


def patch(call: Call) -> Body:
    """What the mask names is as sent."""
    with call.cloud.store.transaction():
        before = _require(call, _name(call))
        sent = {key: value for key, value in call.body.items() if key not in OUTPUT}
        after = masked(before, sent, call.query.get("updateMask", ""))
        fields = {key: value for key, value in after.items() if key not in OUTPUT}
        after = _checked(call, fields) | {key: before[key] for key in OUTPUT if key in before}
        call.cloud.resources.replace(before["name"], after)
        return _over(call, after)


def delete(call: Call) -> Body:
    """It is marked as deleted until it expires."""
    with call.cloud.store.transaction():
        body = _require(call, _name(call))
        if body["state"] == "DELETED":  # a second time it is not there
            raise ApiError("NOT_FOUND", "Requested entity was not found.")
        end = timestamp(call.cloud.clock.now() + timedelta(days=KEPT_DAYS))
        gone = body | {"state": "DELETED", "expireTime": end}
        call.cloud.resources.replace(body["name"], gone)
        return _over(call, gone)


def undelete(call: Call) -> Body:
    """It is active again."""
    with call.cloud.store.transaction():
        body = _require(call, _name(call))
        if body["state"] != "DELETED":
            raise ApiError("FAILED_PRECONDITION", f"{body['name']} is not deleted.")
        back = {key: value for key, value in body.items() if key != "expireTime"}
        back |= {"state": "ACTIVE"}
        call.cloud.resources.replace(body["name"], back)
        return _over(call, back)


def attestation_rules(call: Call) -> Body:
    """There are none: they belong to pools of managed identities."""
    _require(call, _name(call))
    return {}


def operation(call: Call) -> Body:
    """An operation of a pool or a provider: each is over when it is answered."""
    found = call.cloud.resources.get(f"{_name(call)}/operations/{call.names['operation']}")
    if found is None:
        raise ApiError("NOT_FOUND", "Requested entity was not found.")
    return found


def _checked(call: Call, sent: Body) -> Body:
    fields = PROVIDER_FIELDS if _is_provider(call) else POOL_FIELDS
    for key in sent:
        if key not in (*fields, *OUTPUT):
            message = f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'
            raise ApiError("INVALID_ARGUMENT", message)
    for key in TEXTS:
        if not isinstance(sent.get(key) or "", str):
            raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{key}' (TYPE_STRING).")
        if key in LIMITS and len(sent.get(key) or "") > LIMITS[key]:
            raise ApiError("INVALID_ARGUMENT", f"{key} cannot exceed {LIMITS[key]} characters.")
    body = {key: sent[key] for key in fields if sent.get(key) not in (None, "")}
    if _is_provider(call):
        _check_provider(body)
    return body


def _check_provider(body: Body) -> None:
    if sum(key in body for key in IDENTITIES) != 1:
        message = f"A provider has one of {', '.join(IDENTITIES)}."
        raise ApiError("INVALID_ARGUMENT", message)
    for key in (*IDENTITIES, "attributeMapping"):
        if not isinstance(body.get(key, {}), dict):
            raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{key}': expected an object.")
    issuer = body.get("oidc", {}).get("issuerUri", "")
    if "oidc" in body and not str(issuer).startswith("https://"):
        message = f"oidc.issuer_uri must be an https address. Received: {issuer}"
        raise ApiError("INVALID_ARGUMENT", message)
    if "oidc" in body and "google.subject" not in body.get("attributeMapping", {}):
        raise ApiError("INVALID_ARGUMENT", "The attribute mapping must map google.subject.")
    _check_attributes(body.get("attributeMapping", {}))
    audiences = body.get("oidc", {}).get("allowedAudiences") or []
    if not isinstance(audiences, list) or len(audiences) > MOST_AUDIENCES:
        raise ApiError("INVALID_ARGUMENT", f"At most {MOST_AUDIENCES} audiences are allowed.")
    if any(len(str(one)) > AUDIENCE_LENGTH for one in audiences):
        raise ApiError("INVALID_ARGUMENT", f"An audience has at most {AUDIENCE_LENGTH} characters.")


def _check_attributes(mapping: Body) -> None:
    own = [key for key in mapping if key.startswith("attribute.")]
    if len(own) > MOST_ATTRIBUTES:
        raise ApiError("INVALID_ARGUMENT", f"At most {MOST_ATTRIBUTES} attributes can be mapped.")
    for key in own:
        if not ATTRIBUTE.fullmatch(key):
            raise ApiError("INVALID_ARGUMENT", f"Invalid mapped attribute key: {key[:120]}")
    if any(len(str(text)) > EXPRESSION_LENGTH for text in mapping.values()):
        message = f"An attribute mapping has at most {EXPRESSION_LENGTH} characters."
        raise ApiError("INVALID_ARGUMENT", message)


def _is_provider(call: Call) -> bool:
    return ".providers." in call.method


def _collection(call: Call) -> str:
    return "providers" if _is_provider(call) else "workloadIdentityPools"


def _noun(call: Call) -> str:
    return "workloadIdentityPoolProvider" if _is_provider(call) else "workloadIdentityPool"


def _kind(call: Call) -> str:
    return f"iam.{_noun(call)}"


def _parent(call: Call) -> str:
    project_id = projects.canonical(call.cloud, call.names["project"])
    place = f"projects/{projects.number(call.cloud, project_id)}/locations/global"
    pool = call.names.get("pool", "")
    return f"{place}/workloadIdentityPools/{pool}" if _is_provider(call) else place


def _name(call: Call) -> str:
    last = call.names.get("provider") if _is_provider(call) else call.names["pool"]
    return f"{_parent(call)}/{_collection(call)}/{last}"


def _require(call: Call, name: str) -> Body:
    body = call.cloud.resources.get(name)
    if body is None or _is_expired(call, body):
        raise ApiError("NOT_FOUND", "Requested entity was not found.")
    return body


def _is_expired(call: Call, body: Body) -> bool:
    now = timestamp(call.cloud.clock.now())
    return str(body.get("expireTime", now)) < now


def _over(call: Call, body: Body) -> Body:
    noun = _noun(call)
    kind = f"{TYPES}{noun[0].upper()}{noun[1:]}"
    name = f"{body['name']}/operations/{uuid4().hex}"
    answer = {"name": name, "done": True, "response": {"@type": kind, **body}}
    metadata = {"metadata": {"@type": f"{kind}OperationMetadata"}}
    call.cloud.resources.insert(OPERATION, name, answer | metadata, body["name"])
    return answer | metadata
