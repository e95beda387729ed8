"""Notification channels of a project; they are kept, and nobody is told anything."""

from __future__ import annotations

import re
import secrets
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.resourcemanager.bodies import only
from emulator.typed_api import masked, page

Body = dict[str, Any]

KIND = "notificationChannel"
# google/monitoring/v3/notification.proto, and the limits it names.
WRITABLE = ("type", "displayName", "description", "labels", "userLabels", "enabled")
FIXED = ("name", "creationRecord", "mutationRecords", "verificationStatus")
MOST_CHARACTERS = {"displayName": 512, "description": 1024}
MOST_USER_LABELS = 64
USER_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")
# Labels that a type cannot do without, of the types whose descriptors are known here.
NEEDED = {"email": "email_address", "pubsub": "topic", "sms": "number"}
ID_RANGE = 9 * 10**18


def create(cloud: Cloud, project: str, sent: Body) -> Body:
    """The new channel; its id is always the server's own."""
    project_id = projects.canonical(cloud, project)
    _check(sent)
    record = {"mutateTime": timestamp(cloud.clock.now())}
    last = 10**18 + secrets.randbelow(ID_RANGE)
    body = {
        "enabled": True,
        **_kept(sent),
        "name": f"projects/{project_id}/notificationChannels/{last}",
        "creationRecord": record,
        "mutationRecords": [record],
    }
    cloud.resources.insert(KIND, body["name"], body, f"projects/{project_id}")
    return body


def get(cloud: Cloud, project: str, channel: str) -> Body:
    """The channel. NOT_FOUND without one."""
    name = f"projects/{projects.canonical(cloud, project)}/notificationChannels/{channel}"
    body = cloud.resources.get(name)
    if body is None:
        raise ApiError("NOT_FOUND", f"Could not find notification channel '{name}'.")
    return body


def listed(cloud: Cloud, project: str, asked: Body) -> Body:
    """A page of the channels of a project, by name. UNIMPLEMENTED for filters and orders."""
    for name in ("filter", "orderBy"):
        if asked.get(name):
            message = f"The local cloud lists notification channels without {name}."
            raise ApiError("UNIMPLEMENTED", message)
    parent = f"projects/{projects.canonical(cloud, project)}"
    rows = [body for _, body in cloud.resources.list(KIND, parent)]
    return page("notificationChannels", rows, asked) | {"totalSize": len(rows)}


def update(cloud: Cloud, project: str, channel: str, sent: Body, mask: str) -> Body:
    """The channel after an update by mask; without a mask, as it was sent."""
    only(sent, *WRITABLE, *FIXED)
    with cloud.store.transaction():
        before = get(cloud, project, channel)
        changed = masked(before, sent, mask) if mask else {"enabled": True, **_kept(sent)}
        changed = _kept(changed) | {key: before[key] for key in FIXED if key in before}
        _check(changed)
        record = {"mutateTime": timestamp(cloud.clock.now())}
        changed["mutationRecords"] = [*before["mutationRecords"], record]
        cloud.resources.replace(before["name"], changed)
    return changed


def delete(cloud: Cloud, project: str, channel: str) -> Body:
    """Nothing; the channel is gone. No alert policy can hold it here, with force or without."""
    cloud.resources.delete(get(cloud, project, channel)["name"])
    return {}


def _kept(sent: Body) -> Body:
    """What a client sets; what the server computes is taken and not looked at."""
    return {key: sent[key] for key in WRITABLE if sent.get(key) not in (None, "", {})}


def _check(sent: Body) -> None:
    """INVALID_ARGUMENT for unknown fields, for what is too long, and for a type's missing label."""
    only(sent, *WRITABLE, *FIXED)
    if not isinstance(sent.get("type"), str) or not sent["type"]:
        raise ApiError("INVALID_ARGUMENT", "Field notification_channel.type is required.")
    if not isinstance(sent.get("enabled", True), bool):
        raise ApiError("INVALID_ARGUMENT", "Field notification_channel.enabled is no boolean.")
    for field, most in MOST_CHARACTERS.items():
        text = sent.get(field, "")
        if not isinstance(text, str) or len(text) > most:
            message = f"Field notification_channel.{field} is a text of at most {most} characters."
            raise ApiError("INVALID_ARGUMENT", message)
    labels, own = _labels(sent, "labels"), _labels(sent, "userLabels")
    needed = NEEDED.get(sent["type"])
    if needed and not labels.get(needed):
        message = f"Field notification_channel.labels['{needed}'] is required."
        raise ApiError("INVALID_ARGUMENT", message)
    if len(own) > MOST_USER_LABELS or not all(
        USER_LABEL[0].fullmatch(key) and USER_LABEL[1].fullmatch(own[key]) for key in own
    ):
        message = (
            "A channel has at most 64 user labels, whose keys and values are at most 63 lowercase "
            "letters, digits, underscores and dashes; keys begin with a letter."
        )
        raise ApiError("INVALID_ARGUMENT", message)


def _labels(sent: Body, field: str) -> dict[str, str]:
    found = sent.get(field) or {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        message = f"Invalid value at 'notification_channel.{field}': expected a map of texts."
        raise ApiError("INVALID_ARGUMENT", message)
    return found
