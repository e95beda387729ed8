"""`ops doctor`."""

from __future__ import annotations

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.render import table
from ops.errors import ExitCode
from ops.workflows import doctor as workflow

app = commands()


@command(app, "doctor", examples=("ops doctor", "ops doctor --target gcp --project my-project"))
def doctor(call: Call) -> Outcome:
    """Check everything that the other commands need."""
    checks = workflow.run(call.settings)
    failed = workflow.worst(checks) is workflow.Level.FAILURE
    return Outcome(
        {"checks": [check.as_json() for check in checks]},
        table(["", "what", "found", "fix"], [_row(check) for check in checks]),
        ExitCode.FAILED if failed else ExitCode.OK,
    )


def _row(check: workflow.Check) -> tuple[str, str, str, str]:
    return (check.level.name.lower(), check.name, check.found, " && ".join(check.fix.splitlines()))
