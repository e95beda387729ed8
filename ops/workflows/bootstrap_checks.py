"""What bootstrap needs of Google before it begins; ends with a sentence that says what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from ops.cloud import permissions, projects, refusals, rest, state_bucket
from ops.cloud.projects import Project
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.settings import Settings
from ops.workflows import doctor, records
from ops.workflows.doctor_check import Check, Level

STORAGE = "storage.googleapis.com"
# What every bootstrap does in the project; an account without them has not been let do it.
CHANGES = (
    "resourcemanager.projects.setIamPolicy",
    "iam.serviceAccounts.create",
    "storage.buckets.create",
)
# What a failed check is as an error; any other is a check that failed.
CODES = {"Credentials": Code.UNAUTHENTICATED, "Billing": Code.NOT_PREPARED, "Policies": Code.DENIED}


@dataclass(frozen=True)
class Ready:
    """The project, and what works less well than it could, a sentence each."""

    project: Project
    remarks: tuple[str, ...]


def check(session: Session) -> Ready:
    """The project: it is active, doctor finds nothing that stops, and its buckets are its own.

    DENIED for an unknown project, a policy that forbids, or an account that may not change it;
    NOT_PREPARED without billing, CONFLICT for somebody else's bucket, CHECK_FAILED for anything
    else that doctor finds.
    """
    _same_bucket(session.settings)
    project = _project(session)
    checks = doctor.before_bootstrap(session)
    failed = [one for one in checks if one.level is Level.FAILURE]
    if failed:
        raise _stopped(failed)
    own(session, session.settings.bucket, project.number)
    own(session, state_bucket.name(session.settings), project.number)
    warned = (one for one in checks if one.level is Level.WARNING)
    return Ready(project, tuple(_remark(one) for one in warned))


def own(session: Session, bucket: str, project_number: str) -> None:
    """CONFLICT when the bucket exists and is not the project's.

    DENIED when it may not be looked at by an account that may not change the project either.
    """
    from google.api_core.exceptions import Forbidden, NotFound

    settings = session.settings
    try:
        found = rest.get(session, STORAGE, f"/storage/v1/b/{bucket}")
    except NotFound:
        return
    except Forbidden as refused:
        if refusals.explain(refused, settings.project):
            raise
        _may_change(session, bucket)
        owner = "another project"
    else:
        number = str(found.get("projectNumber", project_number))
        if number == project_number:
            return
        owner = f"project number {number}"
    raise OpsError(
        Code.CONFLICT,
        f"The name of bucket {bucket} is taken: it belongs to {owner}. Names of buckets are "
        "unique in the world.",
        f"Set another one: OPS_BUCKET, or bucket = in ops.toml ({settings.bucket} now).",
    )


def _may_change(session: Session, bucket: str) -> None:
    """DENIED when the account may not change the project, as a stack's own runner may not."""
    missing = permissions.missing_in_project(session, CHANGES)
    if not missing:
        return
    settings = session.settings
    who = settings.impersonate or f"you ({session.member.partition(':')[2]})"
    raise OpsError(
        Code.DENIED,
        f"The account may not change the infrastructure of {settings.project}, nor look at bucket "
        f"{bucket}: {who}. Missing: {', '.join(missing)}.",
        "Type: ops bootstrap --read-only (where somebody else bootstraps this stack), or have "
        "somebody with roles/owner bootstrap it; runner_may_bootstrap = true in ops.toml, in the "
        "table [infra], lets the stack's runner do it from then on.",
    )


def _same_bucket(settings: Settings) -> None:
    """CONFLICT when the stack is on record with another bucket: its state lies beside that one."""
    known = records.found(settings)
    if known is None or known.prepared_by != records.TERRAFORM or known.bucket == settings.bucket:
        return
    raise OpsError(
        Code.CONFLICT,
        f"Stack {settings.stack} was bootstrapped with bucket {known.bucket}, beside which its "
        f"state is kept. Received: bucket {settings.bucket} ({settings.sources['bucket']}).",
        f"Set bucket {known.bucket} again (ops teardown then ends it), or type --stack with "
        "another name.",
    )


def _project(session: Session) -> Project:
    from google.api_core.exceptions import Forbidden, NotFound

    settings = session.settings
    try:
        project = projects.get(session, settings.project)
    except (NotFound, Forbidden) as refused:
        known = refusals.explain(refused, settings.project)
        raise known or _unknown(settings.project, str(refused.message)) from refused
    if project.state == "ACTIVE":
        return project
    raise OpsError(
        Code.NOT_PREPARED,
        f"Project {project.id} is to be deleted ({project.state}).",
        f"Type: gcloud projects undelete {project.id}",
    )


def _unknown(project: str, said: str) -> OpsError:
    return OpsError(
        Code.DENIED,
        f"There is no project {project}, or you have no right to see it. Google says: {said}",
        "Type: gcloud projects list (and --project with one of those)",
    )


def _remark(one: Check) -> str:
    fix = f" Type: {' && '.join(one.fix.splitlines())}" if one.fix else ""
    return f"{one.name}: {one.found.rstrip('.')}.{fix}"


def _stopped(failed: list[Check]) -> OpsError:
    code = next((CODES[one.name] for one in failed if one.name in CODES), Code.CHECK_FAILED)
    found = "".join(f"\n  {one.name}: {one.found.rstrip('.')}." for one in failed)
    fixes = "".join(f"\n  {line}" for one in failed for line in one.fix.splitlines())
    message = f"The project is not ready; nothing was begun.{found}"
    return OpsError(code, message, f"Type:{fixes}" if fixes else "Type: ops doctor")
