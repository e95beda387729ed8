"""Deletion protection: what was applied, as Terraform's state says; settings can only add to it.

The state says so wherever the command is typed, with or without the ops.toml of the bootstrap.
"""

from __future__ import annotations

import json
from typing import Any

from ops.cloud import state_bucket, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.settings import Settings
from ops.workflows import bootstrap_variables

BUCKET, OBEYED = "google_storage_bucket", "force_destroy"
OVERRIDE = (
    "ops teardown --unprotect, or ops teardown --keep-infrastructure (bucket, accounts and "
    "permissions stay)."
)


def check(session: Session, unprotect: bool) -> None:
    """Nothing, if the stack may be deleted; REFUSED while it is protected.

    `unprotect` overrides both what was applied and what is set.
    """
    if unprotect:
        return
    settings = session.settings
    if bootstrap_variables.protected(settings):
        said = bootstrap_variables.PROTECTION in settings.infra
        why = "ops.toml, [infra]" if said else f"the default on {settings.target}"
        raise _refused(settings, why, f"Type: {OVERRIDE}")
    if applied(session):
        raise _refused(
            settings,
            "as it was applied; that it is off in these settings is not",
            f"Type: ops bootstrap (it applies these settings), then ops teardown; or {OVERRIDE}",
        )


def applied(session: Session) -> bool:
    """Whether the state has a bucket that a destroy would stop at while it holds objects."""
    state = storage.read_text(session, state_bucket.name(session.settings), state_bucket.STATE)
    resources: list[dict[str, Any]] = json.loads(state.text).get("resources", []) if state else []
    return any(
        not instance.get("attributes", {}).get(OBEYED)
        for one in resources
        if (one.get("mode"), one.get("type")) == ("managed", BUCKET)
        for instance in one.get("instances", [])
    )


def _refused(settings: Settings, why: str, hint: str) -> OpsError:
    return OpsError(
        Code.REFUSED,
        f"Deletion protection is on for stack {settings.stack} ({why}): nothing was deleted.",
        hint,
    )
