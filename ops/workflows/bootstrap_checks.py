"""What bootstrap needs of Google before it begins; ends with a sentence that says what mends it."""

from __future__ import annotations

from ops.cloud import billing_info, projects, refusals, rest, state_bucket
from ops.cloud.projects import Project
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.pricing import regions

STORAGE = "storage.googleapis.com"


def check(session: Session) -> Project:
    """The project, which is there, is active and has billing, and whose buckets are its own.

    DENIED for an unknown project, NOT_PREPARED without billing, CONFLICT for somebody else's
    bucket.
    """
    project = _project(session)
    if session.capabilities.bills:
        _billing(session)
    own(session, session.settings.bucket, project.number)
    own(session, state_bucket.name(session.settings), project.number)
    return project


def remarks(session: Session) -> list[str]:
    """What works less well than it could, a sentence each."""
    region, offered = session.settings.region, regions.with_automl()
    if region in offered:
        return []
    return [
        f"Region {region} has no AutoML for images, only custom training. For AutoML type "
        f"--region {offered[0]} (or {', '.join(offered[1:])}) before anything is made."
    ]


def own(session: Session, bucket: str, project_number: str) -> None:
    """CONFLICT when the bucket exists and is not the project's."""
    from google.api_core.exceptions import Forbidden, NotFound

    settings = session.settings
    try:
        found = rest.get(session, STORAGE, f"/storage/v1/b/{bucket}")
    except NotFound:
        return
    except Forbidden as refused:
        if refusals.explain(refused, settings.project):
            raise
        owner = "another project, or you may not look at it"
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


def _billing(session: Session) -> None:
    """Nothing, where Cloud Billing cannot be asked yet: the apply would say so."""
    from google.api_core.exceptions import Forbidden, NotFound

    try:
        enabled = billing_info.get(session).enabled
    except (Forbidden, NotFound):
        return
    if not enabled:
        project = session.settings.project
        raise OpsError(
            Code.NOT_PREPARED,
            f"Project {project} has no billing account that is open: nothing can be made in it.",
            f"Type: gcloud billing projects link {project} --billing-account=ACCOUNT",
        )
