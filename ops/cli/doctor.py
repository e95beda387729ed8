"""`ops doctor`."""

from __future__ import annotations

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.errors import Code, OpsError
from ops.workflows import doctor as workflow

app = commands()


@command(app, "doctor", examples=("ops doctor", "ops doctor --target gcp --project my-project"))
def doctor(call: Call) -> Outcome:
    """Check everything that the other commands need."""
    checks = workflow.run(call.settings)
    return Outcome(
        {"checks": [check.as_json() for check in checks]},
        table(["", "what", "found", "fix"], [_row(check) for check in checks]),
        error=failure(checks),
    )


def failure(checks: list[workflow.Check]) -> OpsError | None:
    """What stops the other commands, with the first thing to type; None if all is well."""
    failed = [check for check in checks if check.level is workflow.Level.FAILURE]
    if not failed:
        return None
    found = "; ".join(f"{check.name}: {check.found}" for check in failed)
    message = f"{len(failed)} of {len(checks)} checks failed. {found.rstrip('.')}."
    return OpsError(Code.CHECK_FAILED, message, failed[0].fix)


def _row(check: workflow.Check) -> tuple[str, str, str, str]:
    return (check.level.name.lower(), check.name, check.found, " && ".join(check.fix.splitlines()))
