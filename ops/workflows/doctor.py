"""Every precondition of the other commands, each looked at by itself, with its fix.

None of the checks starts or changes anything. Those of this machine run beside those of the target,
and these beside each other once the project is known to be there: most of the time is waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.settings import Target
from ops.workflows.doctor_check import Case, Check, Level, told

if TYPE_CHECKING:
    from ops.cloud.session import Session
    from ops.workflows.doctor_google import Visit

Look = Callable[[Case], Check]
Question = Callable[["Visit"], Check]

THREADS = 12
# Doctor says how it stands now; the other commands wait longer for what may pass.
RETRY_SECONDS = 5.0


def run(case: Case) -> list[Check]:
    """Every check of the target, in order; failures of one leave the others as they are."""
    with ThreadPoolExecutor(THREADS) as pool:
        here = [pool.submit(look, case) for look in _here(case.settings.target)]
        there = _there(case, pool)
        return [*(one.result() for one in here), *there]


def before_bootstrap(session: Session) -> list[Check]:
    """What bootstrap needs before it makes anything: the same checks, without the stack's own."""
    case = Case(session.settings)
    with ThreadPoolExecutor(THREADS) as pool:
        return _visited(case, session, pool, _before_bootstrap())


def _here(target: Target) -> tuple[Look, ...]:
    from ops.workflows import doctor_local, doctor_machine, doctor_terraform

    always = (doctor_machine.python,)
    terraform = (doctor_terraform.terraform, doctor_terraform.provider)
    # What a target needs is data: nothing else asks which target it is.
    looks: dict[Target, tuple[Look, ...]] = {
        Target.LOCAL: (
            *always,
            doctor_machine.local_disk,
            doctor_local.local_cloud,
            doctor_local.emulator_installed,
            doctor_machine.trainer,
            doctor_machine.weights,
            *terraform,
        ),
        Target.GCP: (*always, doctor_machine.disk, *terraform),
    }
    return looks[target]


def _questions() -> tuple[tuple[str, Question], ...]:
    """What is asked of the target, in order, with the names of those that it may not answer."""
    from ops.workflows import doctor_google, doctor_policies, doctor_quota, doctor_stack

    return (
        ("Billing", doctor_google.billing),
        ("Services", doctor_google.services),
        ("Permissions", doctor_google.rights),
        ("Policies", doctor_policies.policies),
        ("Bucket", doctor_stack.bucket),
        ("Agent", doctor_stack.agent),
        ("Accounts", doctor_stack.accounts),
        ("State lock", doctor_stack.lock),
        ("Quota", doctor_quota.quota),
        ("Images", doctor_google.images),
    )


def _before_bootstrap() -> tuple[tuple[str, Question], ...]:
    needed = ("Billing", "Policies")
    return tuple(one for one in _questions() if one[0] in needed)


def _there(case: Case, pool: ThreadPoolExecutor) -> list[Check]:
    """What is asked of the target; only the region, where it is not running."""
    from google.auth.exceptions import GoogleAuthError

    from ops.workflows import doctor_google

    try:
        session = _session(case)
    except GoogleAuthError as error:
        return [doctor_google.region(case), doctor_google.signed_out(error, case)]
    except OpsError as error:
        return [doctor_google.region(case), told("Credentials", error)]
    if session is None:
        return [doctor_google.region(case)]
    return _visited(case, session, pool, _questions())


def _session(case: Case) -> Session | None:
    """A session on the target; None for a local cloud that does not run: doctor starts none."""
    from ops.cloud import emulator, session

    starts = session.CAPABILITIES[case.settings.target].prepares_project
    if starts and emulator.find(case.settings.emulator_data) is None:
        return None
    found = session.connect(case.settings, case.environ)
    found.retry_seconds = min(found.retry_seconds, RETRY_SECONDS)
    return found


def _visited(
    case: Case,
    session: Session,
    pool: ThreadPoolExecutor,
    questions: tuple[tuple[str, Question], ...],
) -> list[Check]:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    from ops.workflows import doctor_google

    clock = pool.submit(doctor_google.clock, session)
    who = doctor_google.credentials(session)
    try:
        project = doctor_google.project(session)
        visit = doctor_google.visit(case, session) if project.level is Level.OK else None
    except GoogleAuthError as error:
        signed_out = doctor_google.signed_out(error, case)
        return [doctor_google.region(case), clock.result(), signed_out]
    except (GoogleAPIError, OSError) as error:
        project, visit = doctor_google.unanswered(error), None
    if visit is None:
        return [doctor_google.region(case), clock.result(), who, project]
    asked = [pool.submit(_asked, name, question, visit) for name, question in questions]
    region = doctor_google.region(case, visit.session)
    return [region, clock.result(), who, project, *_results(asked)]


def _asked(name: str, question: Question, visit: Visit) -> Check:
    """The answer, or why there is none."""
    from google.api_core.exceptions import GoogleAPIError

    from ops.workflows import doctor_google

    try:
        return question(visit)
    except GoogleAPIError as error:
        return doctor_google.unseen(name, error, visit)
    except OpsError as error:
        return told(name, error)


def _results(asked: list[Future[Check]]) -> Iterator[Check]:
    for one in asked:
        yield one.result()
