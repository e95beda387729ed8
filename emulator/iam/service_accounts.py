"""Service accounts as resources: made, found, changed, switched off, deleted and taken back."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from emulator.accounts import ACCOUNT_NAME
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import deleted_members
from emulator.resourcemanager import projects

Body = dict[str, Any]

COLUMNS = "unique_id, email, project, disabled, deleted, body"
# docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts, as of 2026-05-30.
ACCOUNT_ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])")
ACCOUNT_ID_LENGTHS = (6, 30)
LIMITS_BYTES = {"displayName": 100, "description": 256}
# "After you delete a service account, ... 30 days later, IAM permanently removes" it.
KEPT_DAYS = 30
ANY_PROJECT = "-"
UNKNOWN = "Unknown service account"


@dataclass(frozen=True)
class Account:
    """A service account as it is stored."""

    unique_id: str
    email: str
    project: str
    disabled: bool
    deleted: bool
    body: Body

    @property
    def name(self) -> str:
        """`projects/P/serviceAccounts/EMAIL`."""
        return f"projects/{self.project}/serviceAccounts/{self.email}"

    @property
    def is_active(self) -> bool:
        """Whether it may sign in and sign."""
        return not (self.disabled or self.deleted)


def find(cloud: Cloud, key: str) -> Account | None:
    """The live account of an address or a unique id, or None."""
    column = "unique_id" if key.isdigit() else "email"
    with cloud.store.read() as db:
        row = db.execute(
            f"SELECT {COLUMNS} FROM service_accounts WHERE {column} = ? AND deleted IS NULL", (key,)
        ).fetchone()
    if row is None and key == own_email(cloud):
        return _own(cloud)
    return None if row is None else _from_row(row)


def require(cloud: Cloud, project: str, key: str) -> Account:
    """The account; NOT_FOUND, in the recorded words, when the project has none of that name."""
    found = find(cloud, key)
    project_id = "" if project == ANY_PROJECT else projects.canonical(cloud, project)
    if found is None or (project_id and found.project != project_id):
        raise ApiError("NOT_FOUND", UNKNOWN)
    return found


def create(cloud: Cloud, project: str, account_id: str, sent: Body) -> Account:
    """A new account. ALREADY_EXISTS when the project has one of that name."""
    project_id = projects.canonical(cloud, project)
    _check_id(account_id)
    email = f"{account_id}@{project_id}.iam.gserviceaccount.com"
    if find(cloud, email) is not None:
        raise _taken(project_id, account_id, email)
    try:
        return _insert(cloud, project_id, email, _fields(sent))
    except sqlite3.IntegrityError:
        raise _taken(project_id, account_id, email) from None


def add(cloud: Cloud, project_id: str, email: str) -> Account:
    """An account that the server makes for itself, or the one of that address."""
    with cloud.store.transaction():
        return find(cloud, email) or _insert(cloud, project_id, email, {})


def listed(cloud: Cloud, project: str, after: str, limit: int) -> list[Account]:
    """At most `limit` accounts of a project behind the address `after`, in their order."""
    project_id = projects.canonical(cloud, project)
    if project_id == cloud.settings.default_project:
        find(cloud, own_email(cloud))
    with cloud.store.read() as db:
        rows = db.execute(
            f"SELECT {COLUMNS} FROM service_accounts"
            " WHERE project = ? AND email > ? AND deleted IS NULL ORDER BY email LIMIT ?",
            (project_id, after, limit),
        ).fetchall()
    return [_from_row(row) for row in rows]


def change(cloud: Cloud, account: Account, sent: Body) -> Account:
    """The account with other texts for people; what is not sent stays."""
    body = account.body | _fields(sent)
    body = {key: value for key, value in body.items() if value}
    _update(cloud, account, "body = ?", json.dumps(body, ensure_ascii=False))
    return _require_id(cloud, account.unique_id)


def switch(cloud: Cloud, account: Account, *, disabled: bool) -> None:
    """The account can no longer be used, or can again."""
    _update(cloud, account, "disabled = ?", int(disabled))


def delete(cloud: Cloud, account: Account) -> None:
    """The account is gone, its rights with it; for 30 days its unique id can take it back."""
    now = cloud.clock.now()
    with cloud.store.transaction() as db:
        _update(cloud, account, "deleted = ?", timestamp(now))
        deleted_members.mark(db, account.email, account.unique_id)
        db.execute(
            "DELETE FROM service_accounts WHERE deleted < ?",
            (timestamp(now - timedelta(days=KEPT_DAYS)),),
        )


def undelete(cloud: Cloud, project: str, unique_id: str) -> Account:
    """The deleted account, live again. NOT_FOUND for another; its name may be taken by now."""
    found = _by_id(cloud, unique_id)
    project_id = "" if project == ANY_PROJECT else projects.canonical(cloud, project)
    if found is None or not found.deleted or (project_id and found.project != project_id):
        raise ApiError("NOT_FOUND", UNKNOWN)
    try:
        with cloud.store.transaction() as db:
            _update(cloud, found, "deleted = ?", None)
            deleted_members.unmark(db, found.email, found.unique_id)
    except sqlite3.IntegrityError:
        raise _taken(found.project, found.email.partition("@")[0], found.email) from None
    return _require_id(cloud, unique_id)


def policy_of(cloud: Cloud, account: Account) -> str | None:
    """The policy of an account as it is stored; None where nobody has set one."""
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT policy FROM service_accounts WHERE unique_id = ?", (account.unique_id,)
        ).fetchone()
    return None if row is None else row[0]


def resource(account: Account) -> Body:
    """The account as IAM answers it."""
    return {
        "name": account.name,
        "projectId": account.project,
        "uniqueId": account.unique_id,
        "email": account.email,
        **account.body,
        "etag": "MDEwMjE5MjA=",
        "oauth2ClientId": account.unique_id,
        **({"disabled": True} if account.disabled else {}),
    }


def own_email(cloud: Cloud) -> str:
    """The address of the data folder's account."""
    return f"{ACCOUNT_NAME}@{cloud.settings.default_project}.iam.gserviceaccount.com"


def _own(cloud: Cloud) -> Account | None:
    """The data folder's account: there from the start, unless somebody deleted it."""
    email = own_email(cloud)
    with cloud.store.transaction() as db:
        row = db.execute("SELECT 1 FROM service_accounts WHERE email = ?", (email,)).fetchone()
        if row is not None:
            return None
        project_id = cloud.settings.default_project
        projects.number(cloud, project_id)
        return _insert(cloud, project_id, email, {"displayName": "The local cloud's own account"})


def _insert(cloud: Cloud, project_id: str, email: str, body: Body) -> Account:
    unique_id = str(10**20 + secrets.randbelow(10**20))
    with cloud.store.transaction() as db:
        db.execute(
            "INSERT INTO service_accounts (unique_id, email, project, body) VALUES (?, ?, ?, ?)",
            (unique_id, email, project_id, json.dumps(body, ensure_ascii=False)),
        )
    return Account(unique_id, email, project_id, False, False, body)


def _update(cloud: Cloud, account: Account, change: str, value: object) -> None:
    with cloud.store.transaction() as db:
        db.execute(
            f"UPDATE service_accounts SET {change} WHERE unique_id = ?", (value, account.unique_id)
        )


def _by_id(cloud: Cloud, unique_id: str) -> Account | None:
    with cloud.store.read() as db:
        row = db.execute(
            f"SELECT {COLUMNS} FROM service_accounts WHERE unique_id = ?", (unique_id,)
        ).fetchone()
    return None if row is None else _from_row(row)


def _require_id(cloud: Cloud, unique_id: str) -> Account:
    found = _by_id(cloud, unique_id)
    if found is None:
        raise ApiError("NOT_FOUND", UNKNOWN)
    return found


def _from_row(row: tuple[Any, ...]) -> Account:
    return Account(row[0], row[1], row[2], bool(row[3]), row[4] is not None, json.loads(row[5]))


def _fields(sent: Body) -> Body:
    """The fields that a client may set; INVALID_ARGUMENT for one that is too long."""
    for field, limit in LIMITS_BYTES.items():
        size = len(str(sent.get(field, "")).encode())
        if size > limit:
            message = f"{field} may have {limit} bytes of UTF-8. Received: {size}."
            raise ApiError("INVALID_ARGUMENT", message)
    return {field: str(sent[field]) for field in LIMITS_BYTES if sent.get(field) is not None}


def _check_id(account_id: str) -> None:
    shortest, longest = ACCOUNT_ID_LENGTHS
    if not shortest <= len(account_id) <= longest:
        message = (
            f'The account ID "{account_id}" does not have a length between {shortest} and '
            f"{longest}."
        )
        raise ApiError("INVALID_ARGUMENT", message)
    if not ACCOUNT_ID.fullmatch(account_id):
        message = f'The account ID "{account_id}" does not match {ACCOUNT_ID.pattern}.'
        raise ApiError("INVALID_ARGUMENT", message)


def _taken(project_id: str, account_id: str, email: str) -> ApiError:
    info = {
        "@type": "type.googleapis.com/google.rpc.ResourceInfo",
        "resourceName": f"projects/{project_id}/serviceAccounts/{email}",
    }
    message = f"Service account {account_id} already exists within project projects/{project_id}."
    return ApiError("ALREADY_EXISTS", message, [info])
