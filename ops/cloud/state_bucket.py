"""The bucket that keeps Terraform's state, and the lock in it.

Terraform's `gcs` backend never makes its bucket, and locks by an object that only one can create.
Its `force-unlock` names that object's generation; so does this (read in its source, 1.11).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops import names
from ops.cloud import storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.settings import Settings

STATE, LOCK = "infra/default.tfstate", "infra/default.tflock"
# Each apply writes a version or two; what is older than the newest fifty goes.
VERSIONS_KEPT = 50


@dataclass(frozen=True)
class Lock:
    """Who holds the state, as the lock object says: `who` is user@host."""

    generation: int
    who: str
    operation: str
    created: datetime


def name(settings: Settings) -> str:
    """`BUCKET-state`."""
    return names.state_bucket_name(settings.bucket)


def ensure(session: Session, project_number: str) -> str:
    """The state bucket's name; made, versioned and private, if it is not there yet.

    CONFLICT when the bucket belongs to another project, or to somebody unknown.
    """
    from google.api_core.exceptions import Conflict, Forbidden

    bucket = name(session.settings)
    try:
        found = session.call(session.storage().lookup_bucket, bucket)
        if found is None:
            found = _create(session, bucket)
    except (Conflict, Forbidden) as refused:
        raise _of_others(session, bucket, "somebody else, or you may not read it") from refused
    if str(found.project_number or project_number) != project_number:
        raise _of_others(session, bucket, f"project number {found.project_number}")
    if not found.versioning_enabled:
        found.versioning_enabled = True
        session.call(found.patch)
    return bucket


def exists(session: Session) -> bool:
    """Whether the stack has a state bucket."""
    return storage.get_bucket(session, name(session.settings)) is not None


def has_state(session: Session) -> bool:
    """Whether Terraform has written a state for this stack, if only an empty one."""
    return storage.read_text(session, name(session.settings), STATE) is not None


def lock(session: Session) -> Lock | None:
    """The lock that somebody holds; None when nobody does, or there is no bucket."""
    found = storage.read_text(session, name(session.settings), LOCK)
    if found is None:
        return None
    said = _said(found.text)
    made = str(said.get("Created", ""))
    return Lock(
        generation=found.generation,
        who=str(said.get("Who") or "somebody unknown"),
        operation=str(said.get("Operation") or "an operation").removeprefix("OperationType"),
        created=_moment(made),
    )


def release(session: Session, generation: int) -> bool:
    """Whether that very lock was there to be released."""
    return storage.delete_object(session, name(session.settings), LOCK, generation=generation)


def delete(session: Session) -> bool:
    """Whether there was a state bucket; it goes with every version of the state in it."""
    from ops.progress import Silent

    bucket = name(session.settings)
    if storage.get_bucket(session, bucket) is None:
        return False
    listed = list(storage.list_objects(session, bucket, versions=True))
    with Silent().step("state") as step:
        storage.delete_objects(session, listed, step)
    storage.delete_bucket(session, bucket)
    return True


def _create(session: Session, bucket: str) -> Any:
    made = session.storage().bucket(bucket)
    made.labels = session.settings.labels()
    made.versioning_enabled = True
    made.iam_configuration.uniform_bucket_level_access_enabled = True
    made.iam_configuration.public_access_prevention = "enforced"
    made.soft_delete_policy.retention_duration_seconds = 0
    made.add_lifecycle_delete_rule(number_of_newer_versions=VERSIONS_KEPT)
    session.call(made.create, location=session.settings.region)
    return made


def _of_others(session: Session, bucket: str, owner: str) -> OpsError:
    settings = session.settings
    return OpsError(
        Code.CONFLICT,
        f"The state bucket gs://{bucket} belongs to {owner}, not to project {settings.project}: "
        "names of buckets are unique in the world.",
        f"Set another bucket: OPS_BUCKET, or bucket = in ops.toml ({settings.bucket} now); the "
        "state is kept in BUCKET-state.",
    )


def _said(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _moment(text: str) -> datetime:
    """A time as Go writes it: nine digits of a second, which Python 3.11 reads too."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
