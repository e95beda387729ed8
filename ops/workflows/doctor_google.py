"""What the target says of who calls and of the project: each check one question."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.cloud import billing_info, permissions, projects, refusals, server_clock, sign_in, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.pricing import regions
from ops.workflows import doctor_machine, preflight
from ops.workflows.doctor_check import AUTOML, CUSTOM, Case, Check, Level, told

# A token is good from the moment it says it was made, give or take; Google refuses one that was
# signed five minutes from now. A minute off is a clock that nobody keeps.
MOST_SKEW_SECONDS = 300
SMALL_SKEW_SECONDS = 60
# Where a refusal has no details (storage has none), its sentence names the permission.
PERMISSION = re.compile(r"Permission '([\w.]+)' denied")
NOBODY = "the owner of the local cloud (no credentials are needed)"


@dataclass(frozen=True)
class Visit:
    """A case with a session on the target, the project and its bucket (None: there is none).

    The session is in the bucket's region where no other was asked for, as the commands' is.
    """

    case: Case
    session: Session
    project: projects.Project
    bucket: storage.Bucket | None


def visit(case: Case, session: Session) -> Visit:
    """The visit of a project that is there; the bucket is None too where it may not be seen."""
    from google.api_core.exceptions import Forbidden

    settings = session.settings
    try:
        bucket = storage.get_bucket(session, settings.bucket)
    except Forbidden:
        bucket = None
    home = bucket.location.lower() if bucket else settings.region
    free = settings.sources.get("region", "default") == "default"
    if home != settings.region and free and regions.known(home):
        session = session.moved(home)
    return Visit(case, session, projects.get(session, settings.project), bucket)


def credentials(session: Session) -> Check:
    """Who calls; that they are taken shows in the next check."""
    settings = session.settings
    if settings.impersonate:
        found = f"serviceAccount:{settings.impersonate} ({settings.sources['impersonate']})"
        return Check("Credentials", Level.OK, found)
    if session.capabilities.prepares_project:
        return Check("Credentials", Level.OK, NOBODY)
    who = session.member
    person = "a person signed in by gcloud; who: gcloud config get account"
    return Check("Credentials", Level.OK, person if who.startswith("user:$(") else who)


def clock(session: Session, now: Callable[[], float] = time.time) -> Check:
    """How far this machine's clock is off."""
    from google.api_core.exceptions import GoogleAPIError

    fix = "sudo timedatectl set-ntp true"
    try:
        ahead = server_clock.seconds_ahead(session, now)
    except GoogleAPIError as error:
        return Check("Clock", Level.WARNING, f"could not be compared: {error}")
    if ahead is None:
        return Check("Clock", Level.WARNING, "could not be compared: the target says no time")
    off = abs(ahead)
    found = f"{off:,.0f} s {'ahead of' if ahead > 0 else 'behind'} the target's"
    if off > MOST_SKEW_SECONDS:
        return Check("Clock", Level.FAILURE, f"{found}: tokens are refused beyond 5 minutes", fix)
    if off > SMALL_SKEW_SECONDS:
        return Check("Clock", Level.WARNING, f"{found}: tokens are refused beyond 5 minutes", fix)
    return Check("Clock", Level.OK, "agrees with the target's")


def region(case: Case, session: Session | None = None) -> Check:
    """Whether the region has what the job needs; without a job, whether it has AutoML."""
    name = session.settings.region if session else case.settings.region
    if case.job.mode == CUSTOM:
        return Check("Region", Level.OK, f"{name} has Vertex AI")
    try:
        regions.check_automl(name)
    except OpsError as error:
        level = Level.FAILURE if case.job.mode == AUTOML else Level.WARNING
        return told("Region", error, level)
    return Check("Region", Level.OK, f"{name} has AutoML for images")


def project(session: Session) -> Check:
    """Whether the project is there."""
    return as_check(preflight.one(session, "Project", preflight.needs()))


def billing(visit: Visit) -> Check:
    """Whether somebody pays; a local cloud bills nobody."""
    info, name = billing_info.get(visit.session), visit.project.id
    if info.enabled:
        return Check("Billing", Level.OK, f"on, {info.account}")
    if not visit.session.capabilities.bills:
        return Check("Billing", Level.OK, "nothing is billed here")
    fix = f"gcloud billing projects link {name} --billing-account=ACCOUNT"
    if info.account:
        closed = f"{info.account} is closed, or billing is off"
        return Check("Billing", Level.FAILURE, f"{closed} for {name}", fix)
    return Check("Billing", Level.FAILURE, f"no account pays for {name}", fix)


def services(visit: Visit) -> Check:
    """Whether the services are enabled; those that only bootstrap needs are a warning."""
    session, needs = visit.session, preflight.needs()
    every = dict.fromkeys((*needs.services, *preflight.infra_services()))
    off = permissions.disabled_services(session, tuple(every))
    if not off:
        return Check("Services", Level.OK, f"all {len(every)} are enabled")
    found, needed = f"not enabled: {', '.join(off)}", [one for one in off if one in needs.services]
    if needed:
        fix = f"gcloud services enable {' '.join(off)} --project {visit.project.id}"
        return Check("Services", Level.FAILURE, found, fix)
    found = f"{found}; bootstrap enables them"
    if session.capabilities.prepares_project:
        return Check("Services", Level.OK, found)
    return Check("Services", Level.WARNING, found, "make bootstrap")


def rights(visit: Visit) -> Check:
    """Whether the caller has every permission that a command asks for in the project."""
    return as_check(preflight.one(visit.session, "Permissions", preflight.needs()))


def images(visit: Visit) -> Check:
    """What can build the trainer's container image."""
    if not visit.session.capabilities.builds_images:
        return Check("Images", Level.OK, "none is needed: the trainer runs as a process here")
    version = doctor_machine.docker_version(visit.case)
    here = f"Docker {version} here" if version else "no Docker runs here"
    wrong = [one for one in preflight.build_findings(visit.session) if one.fix]
    if not wrong:
        more = f", and {here} (--build docker)" if version else f"; {here}"
        return Check("Images", Level.OK, f"Cloud Build can build the trainer's{more}")
    found = "; ".join(one.found for one in wrong)
    fix = "\n".join(one.fix for one in wrong)
    if version:
        return Check("Images", Level.OK, f"{here} can build the trainer's (--build docker)")
    return Check("Images", Level.WARNING, f"Cloud Build cannot build: {found}; {here}", fix)


def as_check(finding: preflight.Finding) -> Check:
    """A finding of preflight's; one with something to type is a failure."""
    level = Level.FAILURE if finding.fix else Level.OK
    return Check(finding.name, level, finding.found, finding.fix)


def unseen(name: str, error: Exception, visit: Visit) -> Check:
    """What Google would not let be looked at: a warning, with what to grant or to enable."""
    session, project_id = visit.session, visit.project.id
    metadata: Mapping[str, str] = getattr(error, "metadata", None) or {}
    said = str(getattr(error, "message", error)).rstrip(".")
    refusal = refusals.explain(error, project_id) if hasattr(error, "message") else None
    if refusal is not None and refusal.code is Code.NOT_PREPARED:
        not_seen = OpsError(refusal.code, f"not seen: {refusal.message}", refusal.hint)
        return told(name, not_seen, Level.WARNING)
    named = PERMISSION.search(said)
    permission = metadata.get("permission") or (named[1] if named else "")
    role = preflight.role_of(permission) if permission else ""
    grant = f"gcloud projects add-iam-policy-binding {project_id} --member={session.member}"
    return Check(name, Level.WARNING, f"not seen: {said}", f"{grant} --role={role}" if role else "")


def unanswered(error: Exception) -> Check:
    """What it means that the target was asked for the project and gave no answer."""
    said = str(getattr(error, "message", error)).rstrip(".")
    return Check("Project", Level.FAILURE, f"no answer: {said}", "ops doctor   (in a while)")


def signed_out(error: Exception, case: Case) -> Check:
    """What it means that no credentials were found, or that they are not taken."""
    return told("Credentials", sign_in.explain(error, case.environ))
