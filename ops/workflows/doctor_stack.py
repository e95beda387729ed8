"""What the stack has: its bucket, the right agents on it, and its Terraform state's lock."""

from __future__ import annotations

from ops.cloud import agents, state_bucket, storage
from ops.workflows import preflight, prepared
from ops.workflows.doctor_check import Check, Level
from ops.workflows.doctor_google import Visit, as_check

USER = "roles/iam.serviceAccountUser"
# Roles with which Vertex AI can read photos; the first is what bootstrap grants.
READERS = (
    "roles/storage.objectViewer",
    "roles/storage.objectUser",
    "roles/storage.objectAdmin",
    "roles/storage.admin",
)


def bucket(visit: Visit) -> Check:
    """The stack's bucket: in the service's region, and the caller's to use."""
    from google.api_core.exceptions import Forbidden

    name = visit.session.settings.bucket
    try:
        return _bucket(visit)
    except Forbidden as error:
        found = f"gs://{name} is somebody else's, or you may not see it: {error.message}"
        return Check("Bucket", Level.FAILURE, found, "Set OPS_BUCKET to a name of your own.")


def _bucket(visit: Visit) -> Check:
    session, asked = visit.session, visit.case.settings.region
    name = session.settings.bucket
    if session.capabilities.prepares_project and storage.get_bucket(session, name) is None:
        return Check("Bucket", Level.OK, f"no gs://{name} yet; the first import makes it")
    found = as_check(preflight.one(session, "Bucket", preflight.needs()))
    if found.level is Level.OK and session.settings.region != asked:
        return Check("Bucket", Level.OK, f"{found.found}; commands go there, not to {asked}")
    return found


def agent(visit: Visit) -> Check:
    """Vertex AI's own account: what it may do in the project and in the bucket."""
    session, project = visit.session, visit.project
    who = agents.member(project.number)
    if agents.ROLE in agents.roles_in_project(session, who):
        return Check("Agent", Level.OK, f"{who.partition(':')[2]} has {agents.ROLE}")
    enable = f"gcloud beta services identity create --service={agents.SERVICE}"
    grant = f"gcloud projects add-iam-policy-binding {project.id} --member={who}"
    fix = f"{enable} --project={project.id}\n{grant} --role={agents.ROLE}"
    if session.capabilities.prepares_project and visit.bucket is None:
        return Check("Agent", Level.OK, "Vertex AI's agent is made when it is first needed")
    found = f"{who.partition(':')[2]} has no {agents.ROLE} in {project.id}"
    if visit.bucket is None:
        return Check("Agent", Level.WARNING, f"{found}; bootstrap makes it", "make bootstrap")
    roles = agents.roles_in_bucket(session, visit.bucket.name, who)
    if roles.intersection(READERS):
        reads = f"{found}; it can read the bucket, so imports work and deployments may not"
        return Check("Agent", Level.WARNING, reads, fix)
    return Check("Agent", Level.FAILURE, f"{found}, nor may it read the bucket", fix)


def accounts(visit: Visit) -> Check:
    """The accounts that jobs and containers run as, which the caller must be let act as."""
    settings = visit.session.settings
    emails = [prepared.trainer(settings), prepared.predictor(settings, "custom")]
    known = [email for email in dict.fromkeys(emails) if email]
    if not known:
        return Check("Accounts", Level.OK, "none of the stack's own: jobs run as Google's")
    checks = [_account(visit, email) for email in known]
    wrong = next((one for one in checks if one.level is Level.FAILURE), None)
    found = f"{', '.join(known)}: may be acted as"
    return wrong or Check("Accounts", Level.OK, found)


def _account(visit: Visit, email: str) -> Check:
    from google.api_core.exceptions import NotFound

    try:
        may = agents.may_act_as(visit.session, email)
    except NotFound:
        found = f"{email} is on record (.ops) and gone"
        return Check("Accounts", Level.FAILURE, found, "make bootstrap")
    if may:
        return Check("Accounts", Level.OK, email)
    grant = f"gcloud iam service-accounts add-iam-policy-binding {email}"
    fix = f"{grant} --member={visit.session.member} --role={USER}"
    return Check("Accounts", Level.FAILURE, f"you may not act as {email}: {agents.ACT_AS}", fix)


def lock(visit: Visit) -> Check:
    """Who holds the lock of Terraform's state: while they do, nobody else can bootstrap."""
    held = state_bucket.lock(visit.session)
    if held is None:
        return Check("State lock", Level.OK, "free")
    since = held.created.isoformat(timespec="seconds")
    found = f"held by {held.who} since {since} ({held.operation}): bootstrap and teardown wait"
    fix = f"ops bootstrap --unlock {held.generation}   (if that run is over)"
    return Check("State lock", Level.WARNING, found, fix)
