"""A deleted service account in policies: `deleted:serviceAccount:EMAIL?uid=UNIQUE_ID`.

So an account that is made again under the same address has none of the rights of the deleted one
(cloud.google.com/iam/docs/service-accounts-delete-undelete; the form of the member is that of
cloud.google.com/knowledge/kb/permission-denied-on-deleted-and-recreated-service-account-000004665).
"""

from __future__ import annotations

import json
import sqlite3

# Where policies are stored.
POLICIES = (
    ("service_accounts", "policy", ""),
    ("buckets", "policy", ""),
    ("old_buckets", "policy", ""),
    ("folders", "policy", ""),
    ("resources", "body", " AND kind LIKE '%Policy'"),
)


def mark(db: sqlite3.Connection, email: str, unique_id: str) -> None:
    """Every policy that names the account names it as deleted."""
    _rename(db, *_members(email, unique_id))


def unmark(db: sqlite3.Connection, email: str, unique_id: str) -> None:
    """Every policy that named the deleted account names the account again."""
    live, deleted = _members(email, unique_id)
    _rename(db, deleted, live)


def _members(email: str, unique_id: str) -> tuple[str, str]:
    """The two members, as strings of JSON."""
    live = f"serviceAccount:{email}"
    return json.dumps(live), json.dumps(f"deleted:{live}?uid={unique_id}")


def _rename(db: sqlite3.Connection, before: str, after: str) -> None:
    for table, column, more in POLICIES:
        db.execute(
            f"UPDATE {table} SET {column} = replace({column}, ?1, ?2)"
            f" WHERE instr({column}, ?1){more}",
            (before, after),
        )
