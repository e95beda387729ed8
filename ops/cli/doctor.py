"""`ops doctor`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.errors import Code, OpsError
from ops.workflows import doctor as workflow
from ops.workflows import doctor_check
from ops.workflows.doctor_check import Case, Check, Level

app = commands()

Job = Annotated[
    str | None,
    typer.Option("--job", help="automl, custom or serving: whose quota and region are checked."),
]
Accelerator = Annotated[
    str | None,
    typer.Option(help="T4, L4, A100, … or Vertex AI's own name; two of them: T4:2."),
]
Count = Annotated[int, typer.Option(help="How many accelerators, or machines without one.")]
Spot = Annotated[bool, typer.Option("--spot", help="Spot machines have a quota of their own.")]


@command(
    app,
    "doctor",
    examples=(
        "ops doctor",
        "ops doctor --target gcp --project my-project",
        "ops doctor --target gcp --project my-project --job custom --accelerator T4",
        "ops doctor --job custom --accelerator L4 --count 2 --spot",
    ),
)
def doctor(
    call: Call,
    job: Job = None,
    accelerator: Accelerator = None,
    count: Count = 1,
    spot: Spot = False,
) -> Outcome:
    """Check everything that the other commands need.

    Each check is a line: ok, a warning, or a failure with what mends it. The exit code is 1 when
    one fails. Nothing is started or changed.
    """
    wanted = doctor_check.job(job, accelerator, count, spot)
    checks = workflow.run(Case(call.settings, wanted, os.environ))
    return Outcome(
        {"checks": [check.as_json() for check in checks]},
        table(["", "what", "found"], [_row(check) for check in checks]),
        error=failure(checks),
    )


def failure(checks: list[Check]) -> OpsError | None:
    """What stops the other commands, with the first thing to type; None if all is well."""
    failed = [check for check in checks if check.level is Level.FAILURE]
    if not failed:
        return None
    found = "; ".join(f"{check.name}: {check.found}" for check in failed)
    message = f"{len(failed)} of {len(checks)} checks failed. {found.rstrip('.')}."
    return OpsError(Code.CHECK_FAILED, message, failed[0].fix)


def _row(check: Check) -> tuple[str, str, str]:
    """One line, in which what to type comes last, however long the rest is."""
    fix = " && ".join(check.fix.splitlines())
    return (
        check.level.name.lower(),
        check.name,
        f"{check.found}  -> {fix}" if fix else check.found,
    )
