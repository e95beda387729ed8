"""Who may do what: off for the owner, for everybody else by policies, in Google's words.

A refusal is 403 and names the permission. A right comes from a policy of the resource, of what
holds it, or of its project; what Cloud Storage grants by access control lists is asked for there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import rights, targets
from emulator.iam.conditions import Facts
from emulator.iam.targets import Target
from emulator.resourcemanager import policies
from emulator.tokens import Caller

# Recorded 403s: github.com/DataDog/stratus-red-team/issues/299 (IAM), python-aiplatform/issues/1880
# (Vertex AI), ansible-collections/google.cloud/issues/575 (Cloud Storage); read 2026-11-21.
PLAIN = "Permission '{permission}' denied on resource (or it may not exist)."
NAMED = "Permission '{permission}' denied on resource '//{service}/{shown}' (or it may not exist)."
STORED = (
    "{email} does not have {permission} access to the Google Cloud {noun}. Permission "
    "'{permission}' denied on resource (or it may not exist)."
)
STORED_NOUNS = {"Object": "Storage object", "Bucket": "Storage bucket", "Project": "project"}
# Service Usage's own: github.com/aquasecurity/cloudsploit/issues/1606, read 2026-11-21.
LIST_SERVICES = "Permission denied to list services for consumer container [{shown}]"
ONE_SERVICE = "Permission denied to {verb} service [{service}]"
SERVICE_USAGE = "serviceusage.googleapis.com"
NO_TEAM: frozenset[str] = frozenset()
UNNAMED = (targets.IAM, "logging.googleapis.com")


def allowed(cloud: Cloud, caller: Caller, permission: str, target: Target) -> bool:
    """Whether the caller has the permission on the target now."""
    if caller.owner:
        return True
    facts = Facts(target.service, target.type, target.name, cloud.clock.now(), target.attributes)
    if target.policies:
        teams = policies.team(cloud, target.project, caller) if target.project else NO_TEAM
        for bindings in target.policies:
            if rights.grants(cloud, bindings, caller, permission, facts, teams):
                return True
    if not target.project:
        return False
    above = policies.bindings(cloud, target.project)
    return rights.grants(cloud, above, caller, permission, facts)


def allowed_whole(cloud: Cloud, caller: Caller, permission: str, target: Target) -> bool:
    """Whether a binding without a condition gives the permission: so on all that lies below too."""
    if caller.owner:
        return True
    facts = Facts(target.service, target.type, target.name, cloud.clock.now())
    teams = policies.team(cloud, target.project, caller)
    return any(
        rights.grants(
            cloud, [one for one in bindings if not one.get("condition")], caller, permission,
            facts, teams,
        )
        for bindings in (*target.policies, policies.bindings(cloud, target.project))
    )  # fmt: skip


def granted(cloud: Cloud, caller: Caller, asked: Sequence[str], target: Target) -> list[str]:
    """Those of the permissions that the caller has, in the order asked, each once.

    INVALID_ARGUMENT for what is not a permission.
    """
    wanted = list(dict.fromkeys(asked))
    rights.check_form(wanted)
    return [one for one in wanted if allowed(cloud, caller, one, target)]


def require(cloud: Cloud, caller: Caller, permission: str, target: Target) -> None:
    """PERMISSION_DENIED, in the words of the target's API, unless the caller has the permission."""
    if not allowed(cloud, caller, permission, target):
        raise denied(caller, permission, target)


def denied(caller: Caller, permission: str, target: Target) -> ApiError:
    """The refusal."""
    if target.service == SERVICE_USAGE:
        return _usage_denied(permission, target)
    if target.service == targets.STORAGE:
        noun = STORED_NOUNS[target.type.rpartition("/")[2]]
        message = STORED.format(email=caller.email, permission=permission, noun=noun)
    else:
        form = PLAIN if target.service in UNNAMED else NAMED
        message = form.format(permission=permission, service=target.service, shown=target.shown)
    return ApiError("PERMISSION_DENIED", message, [_info(permission, target)])


def _usage_denied(permission: str, target: Target) -> ApiError:
    """Service Usage names the service; the permission stands in the details."""
    container, _, service = target.shown.partition("/services")
    verb = permission.rsplit(".", 1)[1]
    message = LIST_SERVICES.format(shown=container)
    if service:
        message = ONE_SERVICE.format(verb=verb, service=service.removeprefix("/"))
    info = _info(permission, target) | {"reason": "AUTH_PERMISSION_DENIED"}
    return ApiError("PERMISSION_DENIED", message, [info])


def _info(permission: str, target: Target) -> dict[str, Any]:
    resource = {} if target.service == targets.IAM else {"resource": target.shown}
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": target.service,
        "metadata": {"permission": permission, **resource},
    }
