"""Organization policies of a project: set, found, and worked out as they count.

Source: docs.cloud.google.com/organization-policy/reference/rest/v2/projects.policies.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.resourcemanager.bodies import only
from emulator.typed_api import etag

Body = dict[str, Any]

KIND = "orgPolicy"
CONSTRAINTS = Path(__file__).with_name("constraints.toml")
NOT_FOUND = "Requested entity was not found."
EXISTS = "Requested entity already exists"
POLICY = ("name", "spec", "alternate", "dryRunSpec", "etag")
SPEC = ("etag", "updateTime", "rules", "inheritFromParent", "reset")
RULE = ("values", "allowAll", "denyAll", "enforce", "condition", "parameters")
VALUES = ("allowedValues", "deniedValues")


def create(cloud: Cloud, project: str, sent: Body) -> Body:
    """The new policy. NOT_FOUND for an unknown constraint, ALREADY_EXISTS for a second policy."""
    constraint = str(sent.get("name", "")).rpartition("/policies/")[2]
    _check(constraint, sent)
    key = _key(cloud, project, constraint)
    with cloud.store.transaction():
        if cloud.resources.get(key) is not None:
            raise ApiError("ALREADY_EXISTS", EXISTS)
        body = _written(cloud, key, sent)
        cloud.resources.insert(KIND, key, body, key.rpartition("/policies/")[0])
    return body


def get(cloud: Cloud, project: str, constraint: str) -> Body:
    """The policy that was set on the project. NOT_FOUND where none was."""
    _check_known(constraint)
    body = cloud.resources.get(_key(cloud, project, constraint))
    if body is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return body


def listed(cloud: Cloud, project: str) -> list[Body]:
    """The policies that were set on the project."""
    parent = _key(cloud, project, "").rpartition("/policies/")[0]
    return [body for _, body in cloud.resources.list(KIND, parent)]


def replace(cloud: Cloud, project: str, constraint: str, sent: Body) -> Body:
    """The policy as it was sent, whole. ABORTED for a stale etag, NOT_FOUND without a policy."""
    _check(constraint, sent)
    with cloud.store.transaction():
        before = get(cloud, project, constraint)
        told = sent.get("etag") or (sent.get("spec") or {}).get("etag")
        if told and told != before["etag"]:
            raise ApiError("ABORTED", f"The etag of {before['name']} is {before['etag']}.")
        body = _written(cloud, before["name"], sent)
        cloud.resources.replace(before["name"], body)
    return body


def delete(cloud: Cloud, project: str, constraint: str) -> Body:
    """Nothing; what the organization says counts again."""
    cloud.resources.delete(get(cloud, project, constraint)["name"])
    return {}


def effective(cloud: Cloud, project: str, constraint: str) -> Body:
    """What counts in the project, without an etag; a constraint's default where nothing was set."""
    _check_known(constraint)
    key = _key(cloud, project, constraint)
    spec = (cloud.resources.get(key) or {}).get("spec") or {}
    rules = [] if spec.get("reset") else spec.get("rules", [])
    if constraint in catalogue()["boolean"]:
        default = constraint in catalogue()["from_the_start"] and not cloud.settings.allow_keys
        rules = [{"enforce": bool(rules[-1].get("enforce")) if rules else default}]
    return {"name": key, "spec": {"rules": rules or [{"allowAll": True}]}}


@cache
def catalogue() -> dict[str, Any]:
    """The constraints that are known here."""
    return tomllib.loads(CONSTRAINTS.read_text(encoding="utf-8"))


def _written(cloud: Cloud, name: str, sent: Body) -> Body:
    spec: Body = {**(sent.get("spec") or {}), "updateTime": timestamp(cloud.clock.now())}
    body: Body = {key: sent[key] for key in ("alternate", "dryRunSpec") if key in sent}
    body["name"] = name
    mark = etag({**body, "spec": spec})
    return {**body, "spec": {**spec, "etag": mark}, "etag": mark}


def _check(constraint: str, sent: Body) -> None:
    _check_known(constraint)
    only(sent, *POLICY)
    spec = _object(sent.get("spec"), "policy.spec")
    only(spec, *SPEC)
    rules = spec.get("rules", [])
    if not isinstance(rules, list):
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'policy.spec.rules': not a list.")
    if bool(rules) == bool(spec.get("reset")):
        message = "A policy has rules, or is reset to the constraint's default."
        raise ApiError("INVALID_ARGUMENT", message)
    for rule in rules:
        _check_rule(constraint, _object(rule, "policy.spec.rules"))


def _check_rule(constraint: str, rule: Body) -> None:
    only(rule, *RULE)
    if rule.get("condition"):
        raise ApiError("UNIMPLEMENTED", "The local cloud has no tags for conditions of policies.")
    kinds = ["enforce"] if constraint in catalogue()["boolean"] else [*RULE[:3]]
    found = [key for key in RULE[:4] if key in rule]
    if len(found) != 1 or found[0] not in kinds:
        message = f"A rule of {constraint} has one of {', '.join(kinds)}. Received: {found}"
        raise ApiError("INVALID_ARGUMENT", message)
    if found == ["values"]:
        values = _object(rule["values"], "policy.spec.rules.values")
        only(values, *VALUES)
        if not all(isinstance(values.get(key, []), list) for key in VALUES):
            raise ApiError("INVALID_ARGUMENT", "Allowed and denied values are lists.")
    elif not isinstance(rule[found[0]], bool):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{found[0]}' (TYPE_BOOL).")


def _object(value: Any, field: str) -> Body:
    if not isinstance(value, Mapping):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at '{field}': expected an object.")
    return dict(value)


def _check_known(constraint: str) -> None:
    if constraint not in catalogue()["boolean"] | catalogue()["list"]:
        raise ApiError("NOT_FOUND", NOT_FOUND)


def _key(cloud: Cloud, project: str, constraint: str) -> str:
    number = projects.number(cloud, projects.canonical(cloud, project))
    return f"projects/{number}/policies/{constraint}"
