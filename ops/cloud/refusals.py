"""What Google means by a refusal, by the reason that it gives, and what mends it.

Reasons: google/api/error_reason.proto (googleapis), read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ops.errors import Code, OpsError

GOOGLE = "gcp"
# Where the details are lost on the way (storage has none), the sentence still says it.
WORDS = (
    (re.compile(r"required permission to use project"), "USER_PROJECT_DENIED"),
    (re.compile(r"has not been used in project .* before or it is disabled"), "SERVICE_DISABLED"),
    (re.compile(r"[Pp]ermission denied on resource project"), "CONSUMER_INVALID"),
    (re.compile(r"billing account for the owning project is disabled"), "BILLING_DISABLED"),
)
SERVICE = re.compile(r"\b([a-z]+\.googleapis\.com)(?=/overview|\b)")


def explain(error: Any, project: str, target: str = GOOGLE) -> OpsError | None:
    """The error with what to type; None for a refusal that has no reason known here."""
    message = str(error.message)
    reason = str(getattr(error, "reason", None) or _reason(message))
    if reason not in TOLD:
        return None
    found = TOLD[reason](project, message, getattr(error, "metadata", None) or {})
    # An account's rights are asked for on a local cloud too.
    hint = found.hint.replace(f"--target {GOOGLE}", f"--target {target}")
    return OpsError(found.code, found.message, hint)


def _reason(message: str) -> str:
    return next((reason for words, reason in WORDS if words.search(message)), "")


def _no_project(project: str, _message: str, _metadata: Mapping[str, str]) -> OpsError:
    return OpsError(
        Code.DENIED,
        f"There is no project {project}, or you have no right to use it.",
        "Type: gcloud projects list (and --project with one of those), or have "
        "roles/serviceusage.serviceUsageConsumer granted to you in it.",
    )


def _disabled(project: str, message: str, metadata: Mapping[str, str]) -> OpsError:
    found = SERVICE.search(message)
    service = metadata.get("service") or (found[1] if found else "aiplatform.googleapis.com")
    return OpsError(
        Code.NOT_PREPARED,
        f"Project {project} has not enabled {service}.",
        f"Type: gcloud services enable {service} --project {project}",
    )


def _no_billing(project: str, _message: str, _metadata: Mapping[str, str]) -> OpsError:
    return OpsError(
        Code.NOT_PREPARED,
        f"Project {project} has no billing account that is open.",
        f"Type: gcloud billing projects link {project} --billing-account=ACCOUNT",
    )


def _not_granted(project: str, message: str, metadata: Mapping[str, str]) -> OpsError:
    permission = metadata.get("permission", "a permission")
    return OpsError(
        Code.DENIED,
        f"{message.rstrip('.')}. Missing: {permission}.",
        f"Type: ops doctor --target {GOOGLE} --project {project}",
    )


TOLD: dict[str, Callable[[str, str, Mapping[str, str]], OpsError]] = {
    "USER_PROJECT_DENIED": _no_project,
    "CONSUMER_INVALID": _no_project,
    "SERVICE_DISABLED": _disabled,
    "BILLING_DISABLED": _no_billing,
    "IAM_PERMISSION_DENIED": _not_granted,
    # Service Usage's own, whose words do not name the permission.
    "AUTH_PERMISSION_DENIED": _not_granted,
}
