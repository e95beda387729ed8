"""Projects: any id exists on first use, unless the server was told the only ones."""

from __future__ import annotations

import hashlib
import re
import sqlite3

from emulator.cloud import Cloud
from emulator.errors import ApiError

# Google's project numbers have 11 to 13 digits; ours always 12.
NUMBER_BASE = 100_000_000_000
NUMBER_RANGE = 800_000_000_000
NUMBER_DIGITS = 18
# Wider than https://cloud.google.com/resource-manager/docs/creating-managing-projects, which asks
# for 6 to 30 characters: old ids have a domain, and short ones are handy in tests.
ID = re.compile(r"[a-z0-9_.:-]{1,100}")


KIND = "project"


def number(cloud: Cloud, project_id: str, *, deleted_too: bool = False) -> int:
    """The project's number: the same in all services, and after a reset.

    PERMISSION_DENIED for a project that was deleted, or that neither was created nor is named by
    `--project`, as Google answers for one that does not exist.
    """
    check(cloud, project_id, deleted_too=deleted_too)
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


def canonical(cloud: Cloud, project: str, *, deleted_too: bool = False) -> str:
    """The id of a project given by id or by number."""
    if not project.isascii() or not project.isdigit() or len(project) > NUMBER_DIGITS:
        number(cloud, project, deleted_too=deleted_too)
        return project
    project_id = by_number(cloud, int(project))
    if project_id is None:
        raise _denied(project)
    check(cloud, project_id, deleted_too=deleted_too)
    return project_id


def check(cloud: Cloud, project_id: str, *, deleted_too: bool = False) -> None:
    """Raises PERMISSION_DENIED for a project that does not exist, INVALID_ARGUMENT for no id."""
    if not ID.fullmatch(project_id):
        raise ApiError("INVALID_ARGUMENT", f"Invalid project id '{project_id[:100]}'.")
    kept = cloud.resources.get(row_name(project_id))
    if kept is not None and kept["state"] != "ACTIVE" and not deleted_too:
        raise _denied(project_id)
    named = project_id in cloud.settings.projects or not cloud.settings.projects
    if not named and kept is None:
        raise _denied(project_id)


def used(cloud: Cloud, project_id: str) -> bool:
    """Whether somebody has used, named or created the project."""
    return project_id in known(cloud)


def known(cloud: Cloud) -> list[str]:
    """The ids of the projects that have been used, named or created, in order."""
    with cloud.store.read() as db:
        rows = {row[0] for row in db.execute("SELECT id FROM projects")}
    return sorted(rows | set(cloud.settings.projects))


def row_name(project_id: str) -> str:
    """Where the differences of a project from any other are kept."""
    return f"projects/{project_id}:project"


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
