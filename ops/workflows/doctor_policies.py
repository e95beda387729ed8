"""Organisation policies that would break something, each judged by what `ops` is going to do.

Constraints: docs.cloud.google.com/organization-policy/reference/org-policy-constraints and
docs.cloud.google.com/storage/docs/org-policy-constraints, read 2026-11-22. Not looked at, because
they break nothing here: uniform access and public access prevention (both are set), keys of service
accounts (none is made), default service accounts (none is used), addresses and networks of Compute
Engine (Vertex AI's machines are in a project of Google's). Custom constraints cannot be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ops.cloud import org_policies
from ops.cloud.org_policies import Policy
from ops.parallel import in_order
from ops.pricing import regions
from ops.workflows import preflight, records
from ops.workflows.doctor_check import Check, Level
from ops.workflows.doctor_google import Visit

THREADS = 8
SECONDS_PER_DAY = 86_400
ISSUER = "https://token.actions.githubusercontent.com"
# What is made without a key of the customer's own.
WITHOUT_KEY = (
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "storage.googleapis.com",
)
# docs.cloud.google.com/organization-policy/defining-locations: Europe is more than the EU.
OUTSIDE_EU = ("europe-west2", "europe-west6")

# A verdict: None when it breaks nothing, else how bad it is and what breaks.
Verdict = tuple[Level, str] | None


def policies(visit: Visit) -> Check:
    """All of them together: one line."""
    found = in_order(lambda one: (one, _judged(visit, one)), JUDGES, THREADS)
    wrong = [(constraint, *verdict) for constraint, verdict in found if verdict is not None]
    if not wrong:
        return Check("Policies", Level.OK, f"none of {len(JUDGES)} constraints is in the way")
    said = "; ".join(f"{constraint} {words}" for constraint, _, words in wrong)
    worst = max(wrong, key=lambda one: one[1])
    project = visit.project.id
    fix = f"gcloud org-policies describe {worst[0]} --project={project} --effective"
    return Check("Policies", worst[1], said, fix)


def locations(policy: Policy, visit: Visit) -> Verdict:
    """Whether the region may be used."""
    region = visit.session.settings.region
    if policy.denies_all or any(_holds(one, region) for one in policy.denied):
        return Level.FAILURE, f"denies {region}"
    if not policy.allowed or any(_holds(one, region) for one in policy.allowed):
        return None
    named = ", ".join(policy.allowed)
    if all(_holds(one, region) is False for one in policy.allowed):
        return Level.FAILURE, f"allows {named}, not {region}"
    return Level.WARNING, f"allows {named}; whether {region} is in there is not known here"


def usage(policy: Policy, _: Visit) -> Verdict:
    """Whether the services may be used at all."""
    refused = [one for one in preflight.infra_services() if not _allows(policy, one)]
    return (Level.FAILURE, f"forbids {', '.join(refused)}") if refused else None


def keys(policy: Policy, _: Visit) -> Verdict:
    """Whether resources may be made without a key of the customer's own."""
    every = policy.denies_all
    refused = [one for one in WITHOUT_KEY if every or one in _plain(policy.denied)]
    if not refused:
        return None
    return Level.FAILURE, f"asks for your own encryption keys in {', '.join(refused)}"


def accounts(policy: Policy, visit: Visit) -> Verdict:
    """Whether service accounts may be made; those that are there already stay."""
    if not policy.enforced or records.output(visit.session.settings, "trainer_email"):
        return None
    return Level.FAILURE, "forbids the service accounts that bootstrap makes"


def members(policy: Policy, visit: Visit) -> Verdict:
    """Whether those who are to use AutoML may be granted roles: it names organisations by id."""
    wanted = _infra(visit, "automl_members", ())
    if not wanted or not (policy.allowed or policy.denies_all):
        return None
    named = ", ".join(policy.allowed) or "nobody"
    return Level.WARNING, f"lets {named} have roles: automl_members of other domains are refused"


def workflows(policy: Policy, visit: Visit) -> Verdict:
    """Whether GitHub's workflows may sign in."""
    if not _infra(visit, "github", None) or _allows(policy, ISSUER):
        return None
    return Level.FAILURE, f"does not allow {ISSUER}, which [infra] github needs"


def soft_delete(policy: Policy, visit: Visit) -> Verdict:
    """Whether a bucket may keep what was deleted for as long as ours does."""
    days = int(_infra(visit, "bucket_soft_delete_days", 0))
    if visit.bucket is not None or _allows(policy, str(days * SECONDS_PER_DAY)):
        return None
    allowed = " or ".join(f"{int(one) / SECONDS_PER_DAY:g}" for one in _plain(policy.allowed))
    words = f"wants deleted objects kept {allowed} days: [infra] bucket_soft_delete_days is {days}"
    return Level.FAILURE, words


def retention(policy: Policy, visit: Visit) -> Verdict:
    """Whether a bucket may be without a retention policy."""
    if visit.bucket is not None or not policy.allowed or "0" in _plain(policy.allowed):
        return None
    return Level.FAILURE, "wants a retention policy on every bucket: ours deletes and overwrites"


def _judged(visit: Visit, constraint: str) -> Verdict:
    from google.api_core.exceptions import NotFound

    try:
        policy = org_policies.effective(visit.session, constraint)
    except NotFound:
        return None
    return JUDGES[constraint](policy, visit)


def _allows(policy: Policy, value: str) -> bool:
    """Whether a list allows a value that no group stands for."""
    if policy.denies_all or value in _plain(policy.denied):
        return False
    return not policy.allowed or value in _plain(policy.allowed)


def _holds(value: str, region: str) -> bool | None:
    """Whether a value of gcp.resourceLocations has the region; None: a group not known here."""
    plain = value.lower().removeprefix("is:")
    if not plain.startswith("in:"):
        return plain == region
    group = plain.removeprefix("in:").removesuffix("-locations")
    if group == "eu":
        return region.startswith("europe-") and region not in OUTSIDE_EU
    if group == region or group == region.split("-")[0]:
        return True
    continents = {name.split("-")[0] for name in regions.names()}
    return False if regions.known(group) or group in continents else None


def _plain(values: Sequence[str]) -> list[str]:
    return [one.removeprefix("is:") for one in values]


def _infra(visit: Visit, key: str, default: Any) -> Any:
    return visit.session.settings.infra.get(key, default)


JUDGES: dict[str, Callable[[Policy, Visit], Verdict]] = {
    "gcp.resourceLocations": locations,
    "gcp.restrictServiceUsage": usage,
    "gcp.restrictNonCmekServices": keys,
    "iam.disableServiceAccountCreation": accounts,
    "iam.managed.disableServiceAccountCreation": accounts,
    "iam.allowedPolicyMemberDomains": members,
    "iam.workloadIdentityPoolProviders": workflows,
    "storage.softDeletePolicySeconds": soft_delete,
    "storage.retentionPolicySeconds": retention,
}
