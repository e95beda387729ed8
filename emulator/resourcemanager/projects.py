"""Projects: any id exists on first use, unless the server was told the only ones."""

from __future__ import annotations

import hashlib
import sqlite3

from emulator.cloud import Cloud
from emulator.errors import ApiError

# Google's project numbers have 11 to 13 digits; ours always 12.
NUMBER_BASE = 100_000_000_000
NUMBER_RANGE = 800_000_000_000


def number(cloud: Cloud, project_id: str) -> int:
    """The project's number: the same in all services, and after a reset.

    PERMISSION_DENIED for a project that `--project` does not name, as Google answers for one
    that does not exist.
    """
    check(cloud, project_id)
    with cloud.store.read() as db:
        row = db.execute("SELECT number FROM projects WHERE id = ?", (project_id,)).fetchone()
    return int(row[0]) if row else _remember(cloud, project_id)


def by_number(cloud: Cloud, project_number: int) -> str | None:
    """The id of a project that has been used or named, or None."""
    for project_id in cloud.settings.projects:
        number(cloud, project_id)
    with cloud.store.read() as db:
        row = db.execute("SELECT id FROM projects WHERE number = ?", (project_number,)).fetchone()
    return str(row[0]) if row else None


def canonical(cloud: Cloud, project: str) -> str:
    """The id of a project given by id or by number."""
    if not project.isdigit():
        number(cloud, project)
        return project
    project_id = by_number(cloud, int(project))
    if project_id is None:
        raise _denied(project)
    return project_id


def check(cloud: Cloud, project_id: str) -> None:
    """Raises PERMISSION_DENIED for a project that does not exist."""
    if cloud.settings.projects and project_id not in cloud.settings.projects:
        raise _denied(project_id)


def _denied(project: str) -> ApiError:
    return ApiError(
        "PERMISSION_DENIED",
        f"Permission denied on resource project {project}.",
        [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "CONSUMER_INVALID",
                "domain": "googleapis.com",
                "metadata": {"consumer": f"projects/{project}"},
            }
        ],
    )


def _remember(cloud: Cloud, project_id: str) -> int:
    digest = hashlib.sha256(project_id.encode()).digest()
    candidate = NUMBER_BASE + int.from_bytes(digest[:8], "big") % NUMBER_RANGE
    with cloud.store.transaction() as db:
        while True:
            try:
                db.execute("INSERT INTO projects VALUES (?, ?)", (project_id, candidate))
                return candidate
            except sqlite3.IntegrityError:
                row = db.execute("SELECT number FROM projects WHERE id = ?", (project_id,))
                if found := row.fetchone():
                    return int(found[0])
                candidate += 1
