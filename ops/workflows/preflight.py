"""Whether Google would let a command through, looked at before anything is made or spent.

Where the target asks for no rights (local), nothing is looked at.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ops.cloud import permissions, projects, refusals, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError

NEEDS = Path(__file__).with_name("needs.toml")


@dataclass(frozen=True)
class Needs:
    """Services, and permissions in the project and in the bucket."""

    services: tuple[str, ...]
    project: tuple[str, ...]
    bucket: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `fix` has what to type, a line each, unless it is well."""

    name: str
    found: str
    fix: str = ""
    code: Code = Code.NOT_PREPARED


def check(session: Session, command: str) -> None:
    """Nothing, when Google would let the command through; else an error with everything to mend.

    DENIED when a permission is missing, NOT_PREPARED for anything else.
    """
    if not session.capabilities.checks_rights or command not in _table()["commands"]:
        return
    wrong = [finding for finding in look(session, needs(command)) if finding.fix]
    _refuse(f"ops {command}", wrong)


def check_build(session: Session) -> None:
    """Nothing, when Google would let an image be built; else an error with everything to mend."""
    wrong = [finding for finding in build_findings(session) if finding.fix]
    _refuse("a build of the trainer's image", wrong)


def build_findings(session: Session) -> list[Finding]:
    """What was found of services and permissions for a build of an image."""
    wanted = build_needs()
    return [one(session, name, wanted) for name in ("Services", "Permissions")]


def _refuse(what: str, wrong: Sequence[Finding]) -> None:
    if not wrong:
        return
    denied = any(finding.code is Code.DENIED for finding in wrong)
    lines = "".join(f"\n  {finding.name}: {finding.found}" for finding in wrong)
    fixes = "".join(f"\n  {line}" for finding in wrong for line in finding.fix.splitlines())
    raise OpsError(
        Code.DENIED if denied else Code.NOT_PREPARED,
        f"Google would not let {what} through; nothing was begun.{lines}",
        f"Type:{fixes}",
    )


def needs(*commands: str) -> Needs:
    """What these commands need together; all of them, when none is named."""
    table = _table()
    chosen = [table["commands"][name] for name in commands or sorted(table["commands"])]
    named = {permission for one in chosen for permission in one["project"]}
    always = table["always"]
    return Needs(
        tuple(always["services"]),
        (*always["project"], *sorted(named)),
        tuple(always["bucket"]),
    )


def build_needs() -> Needs:
    """What a build of an image needs."""
    build = _table()["build"]
    return Needs(tuple(build["services"]), tuple(build["project"]), ())


def infra_services() -> tuple[str, ...]:
    """The services that `ops bootstrap` enables."""
    return tuple(_table()["infra"]["services"])


def look(session: Session, wanted: Needs) -> list[Finding]:
    """Every finding, in order; those after one that Google refused to answer are left out."""
    found: list[Finding] = []
    for name in STEPS:
        found.append(one(session, name, wanted))
        if found[-1].fix and name == "Project":
            break
    return found


def one(session: Session, name: str, wanted: Needs) -> Finding:
    """One of the findings: Project, Services, Permissions or Bucket."""
    return _asked(session, name, lambda: STEPS[name](session, wanted))


def _asked(session: Session, name: str, step: Callable[[], Finding]) -> Finding:
    """The finding, or Google's refusal as one."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        return step()
    except GoogleAPICallError as error:
        asked = session.settings
        refusal = refusals.explain(error, asked.project, asked.target.value)
        if refusal is None:
            raise
        fix = refusal.hint.removeprefix("Type: ")
        return Finding(name, refusal.message, fix, refusal.code)


def _project(session: Session, _: Needs) -> Finding:
    settings = session.settings
    project = projects.get(session, settings.project)
    if project.state == "ACTIVE":
        return Finding("Project", f"{project.id} ({project.number}) is active")
    fix = f"gcloud projects undelete {project.id}"
    return Finding("Project", f"{project.id} is {project.state}", fix)


def _services(session: Session, wanted: Needs) -> Finding:
    disabled = permissions.disabled_services(session, wanted.services)
    if not disabled:
        return Finding("Services", f"all {len(wanted.services)} are enabled")
    names = " ".join(disabled)
    fix = f"gcloud services enable {names} --project {session.settings.project}"
    return Finding("Services", f"not enabled: {', '.join(disabled)}", fix)


def _permissions(session: Session, wanted: Needs) -> Finding:
    missing = permissions.missing_in_project(session, wanted.project)
    if not missing:
        return Finding("Permissions", f"all {len(wanted.project)} are granted in the project")
    grant = f"gcloud projects add-iam-policy-binding {session.settings.project}"
    fix = _grants(session, grant, missing)
    return Finding("Permissions", f"missing: {', '.join(missing)}", fix, Code.DENIED)


def _bucket(session: Session, wanted: Needs) -> Finding:
    name, region = session.settings.bucket, session.settings.region
    bucket = storage.get_bucket(session, name)
    if bucket is None:
        return Finding("Bucket", f"there is no bucket {name}", "make bootstrap")
    if bucket.location.lower() != region:
        return _elsewhere(name, bucket.location.lower(), region)
    missing = permissions.missing_in_bucket(session, name, wanted.bucket)
    if not missing:
        found = f"gs://{name} in {region}, all {len(wanted.bucket)} permissions granted"
        return Finding("Bucket", found)
    grant = f"gcloud storage buckets add-iam-policy-binding gs://{name}"
    fix = _grants(session, grant, missing)
    return Finding("Bucket", f"missing: {', '.join(missing)}", fix, Code.DENIED)


def _elsewhere(name: str, home: str, region: str) -> Finding:
    """The stack is in another region than was asked for: nothing of it has to go."""
    from ops.pricing import regions

    if not regions.known(home):
        found = f"gs://{name} is in {home}, where Vertex AI does not run"
        return Finding("Bucket", found, "ops bootstrap --stack NAME   (another one, with a bucket)")
    found = f"gs://{name} is in {home}, and Vertex AI reads from its own region. Received: {region}"
    return Finding("Bucket", found, f"--region {home}   (or --stack with another name)")


def _grants(session: Session, command: str, missing: Sequence[str]) -> str:
    """The commands that grant the roles in which the missing permissions are, a line each."""
    roles = dict.fromkeys(role_of(permission) for permission in missing)
    return "\n".join(f"{command} --member={session.member} --role={role}" for role in roles)


def role_of(permission: str) -> str:
    """The role to ask for; empty for a permission that no command needs."""
    roles: dict[str, str] = _table()["roles"]
    return next((role for start, role in roles.items() if permission.startswith(start)), "")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(NEEDS.read_text(encoding="utf-8"))


STEPS: dict[str, Callable[[Session, Needs], Finding]] = {
    "Project": _project,
    "Services": _services,
    "Permissions": _permissions,
    "Bucket": _bucket,
}
