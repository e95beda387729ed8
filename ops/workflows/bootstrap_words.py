"""A plan of Terraform, as `terraform show -json` has it, in words.

Source of the form: developer.hashicorp.com/terraform/internals/json-format, read 2026-11-22.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".toml")
BUCKET, REPOSITORY = "google_storage_bucket", "google_artifact_registry_repository"
SERVICE, QUOTA = "google_project_service", "google_cloud_quotas_quota_preference"
PERMISSION = "permission"
# What a state bucket's name ends with (`names.state_bucket_name`), and Vertex AI's own account.
STATE, AGENT = "-state", "@gcp-sa-aiplatform.iam.gserviceaccount.com"
WIDEST = 98
# The instance of a resource: `…this["runner"]`, `…readers[0]`.
INSTANCE = re.compile(r'\.(?P<label>[^.\["]+)(?:\[(?:"(?P<key>[^"]*)"|\d+)\])?$')


class Action(StrEnum):
    """What is to happen to a resource; the words head the lists."""

    MAKE = "Will be made"
    TAKE = "Exists already, and is taken over"
    CHANGE = "Will change"
    FORGET = "Forgotten, they stay"
    REPLACE = "WILL BE DELETED AND MADE AGAIN"
    DELETE = "WILL BE DELETED"


@dataclass(frozen=True)
class Change:
    """One resource of a plan; `attributes` are those that change."""

    action: Action
    type: str
    address: str
    name: str
    attributes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "action": self.action.name.lower(),
            "kind": _kind(self.type)["one"],
            "name": self.name,
            "address": self.address,
            "attributes": list(self.attributes),
        }


def changes(plan: Mapping[str, Any]) -> list[Change]:
    """Every resource that the plan touches, those that are lost last."""
    found = [
        _change(action, one)
        for one in plan.get("resource_changes", [])
        if one.get("mode") == "managed"
        for action in _actions(one["type"], one["change"])
    ]
    order = list(Action)
    return sorted(found, key=lambda one: (order.index(one.action), _rank(one.type), one.name))


def lines(planned: Sequence[Change]) -> list[str]:
    """The plan for a person: what will exist, what changes, what goes, grouped by kind."""
    text: list[str] = []
    for action in Action:
        touched = [one for one in planned if one.action is action]
        if touched:
            text.append(f"{action}: {len(touched)}")
            text += [f"  {line}" for line in grouped(touched)]
    return [*text, *(f"WARNING: {one}" for one in warnings(planned))]


def lost(planned: Iterable[Change]) -> list[Change]:
    """What is deleted, or deleted and made again, permissions left out: they hold nothing."""
    gone = (Action.REPLACE, Action.DELETE)
    return [one for one in planned if one.action in gone and _kind(one.type)["one"] != PERMISSION]


def stays(type_: str, values: Mapping[str, Any]) -> bool:
    """Whether Terraform only forgets it: Google keeps quota requests, and APIs stay on."""
    return type_ == QUOTA or (type_ == SERVICE and not values.get("disable_on_destroy"))


def warnings(planned: Iterable[Change]) -> list[str]:
    """What cannot be had back: a bucket goes with its objects, a repository with its images."""
    holds = {
        BUCKET: "bucket gs://{} would be deleted with every object in it",
        REPOSITORY: "image repository {} would be deleted with every image in it",
    }
    return [
        holds[one.type].format(one.name)
        + (" and made again, empty" if one.action is Action.REPLACE else "")
        + (f": {', '.join(one.attributes)} cannot be changed" if one.attributes else "")
        + "."
        for one in lost(planned)
        if one.type in holds
    ]


def summary(planned: Sequence[Change]) -> str:
    """`44 made, 1 changed`: the counts."""
    words = {
        Action.MAKE: "made",
        Action.TAKE: "taken over",
        Action.CHANGE: "changed",
        Action.FORGET: "forgotten",
        Action.REPLACE: "made again",
        Action.DELETE: "deleted",
    }
    counts = {action: sum(one.action is action for one in planned) for action in Action}
    return ", ".join(f"{count} {words[action]}" for action, count in counts.items() if count)


def noun(type_: str, address: str) -> str:
    """A resource that is being worked on: `account runner`."""
    return f"{_kind(type_)['one']} {_from_address(address)}".strip()


def name_of(type_: str, values: Mapping[str, Any], address: str) -> str:
    """What a resource is called: its own name, or a permission's role, place and holders."""
    kind = _kind(type_)
    if kind["one"] == PERMISSION:
        return _granted(kind, values, address)
    found = str(values.get(kind.get("name", ""), "")) or _from_address(address)
    return found.removesuffix(".googleapis.com")


def _actions(type_: str, change: Mapping[str, Any]) -> list[Action]:
    """What the plan does to a resource: taken over and changed are two things."""
    taken = [Action.TAKE] if change.get("importing") else []
    actions = set(change.get("actions", []))
    if actions == {"create", "delete"}:
        return [*taken, Action.REPLACE]
    if actions == {"delete"} and stays(type_, change.get("before") or {}):
        return [Action.FORGET]
    names = {"create": Action.MAKE, "update": Action.CHANGE, "delete": Action.DELETE}
    return [*taken, *(names[one] for one in sorted(actions) if one in names)]


def _change(action: Action, one: Mapping[str, Any]) -> Change:
    change = one["change"]
    before, after = change.get("before") or {}, change.get("after") or {}
    known = {**before, **{key: value for key, value in after.items() if value is not None}}
    attributes: tuple[str, ...] = ()
    if action is Action.CHANGE:
        keys = sorted({*before, *after})
        attributes = tuple(key for key in keys if before.get(key) != after.get(key))
    if action is Action.REPLACE:
        attributes = tuple(sorted({str(path[0]) for path in change.get("replace_paths", [])}))
    name = name_of(one["type"], known, one["address"])
    return Change(action, one["type"], one["address"], name, attributes)


def _granted(kind: Mapping[str, str], values: Mapping[str, Any], address: str) -> str:
    """`storage.objectViewer on the bucket: default-runner, default-trainer`."""
    members = values.get("members") or [values.get("member")]
    who = [_short(str(one)) for one in members if one] or [_from_address(address)]
    role = str(values.get("role", "")).removeprefix("roles/").rpartition("/")[2]
    return f"{role} ({_where(kind, values, address)}): {', '.join(sorted(who))}"


def _where(kind: Mapping[str, str], values: Mapping[str, Any], address: str) -> str:
    """What a permission is on: `bucket`, `state bucket`, `account trainer`."""
    where = kind.get("where", "")
    if where == "account":
        held = str(values.get("service_account_id") or "").rpartition("/")[2].partition("@")[0]
        found = INSTANCE.search(address)
        return f"account {held or (found and found['key']) or ''}".strip()
    is_state = where == "bucket" and str(values.get("bucket", "")).endswith(STATE)
    return f"state {where}" if is_state else where


def _short(member: str) -> str:
    """Who it is: an account of the stack by its own name, a person by the address."""
    _, _, address = member.partition(":")
    if address.endswith(AGENT):
        return "Vertex AI"
    if address.endswith(".gserviceaccount.com"):
        return address.partition("@")[0]
    return address.rpartition("/")[2] if address.startswith("//") else address


def grouped(touched: Sequence[Change]) -> list[str]:
    """The resources of one list: a line for each kind, wrapped; for each permission, a line."""
    from textwrap import wrap

    text: list[str] = []
    for title in dict.fromkeys(_kind(one.type)["many"] for one in touched):
        group = [one for one in touched if _kind(one.type)["many"] == title]
        head = f"{len(group)} {_kind(group[0].type)['one'] if len(group) == 1 else title}:"
        names = [_with_attributes(one) for one in group]
        if _kind(group[0].type)["one"] == PERMISSION:
            text += [head, *(f"  {line}" for line in names)]
        else:
            text += wrap(f"{head} {', '.join(names)}", WIDEST, subsequent_indent="  ")
    return text


def _with_attributes(one: Change) -> str:
    return f"{one.name} ({', '.join(one.attributes)})" if one.attributes else one.name


def _from_address(address: str) -> str:
    """The instance's key, or the name that the configuration gives it (none for `this`)."""
    found = INSTANCE.search(address)
    if found is None:
        return ""
    return found["key"] or ("" if found["label"] == "this" else found["label"])


def _rank(type_: str) -> int:
    known = list(_table())
    return known.index(type_) if type_ in known else len(known)


def _kind(type_: str) -> Mapping[str, str]:
    plain = type_.removeprefix("google_").replace("_", " ")
    return _table().get(type_, {"one": plain, "many": plain})


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
