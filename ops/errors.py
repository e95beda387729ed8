"""Every failure that `ops` explains, and the exit code of each.

    Exception
    └── OpsError            code, message, hint
        (no subclasses: a Code says which failure it is, and EXIT_CODES says how the process ends)

`message` says what happened and what was received; `hint` says what to type. `ops.cli.failures`
maps the errors of Google's clients, of the operating system and of Python to these, in one place.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """How the process ends; scripts may rely on the numbers."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BAD_DATA = 3
    NOT_FOUND = 4
    REFUSED = 5
    UNAVAILABLE = 6
    DENIED = 7
    QUOTA = 8
    LEFT_BEHIND = 9
    SERVED_DIFFERS = 10
    INTERRUPTED = 130


class Code(StrEnum):
    """The failure, in a word that stays the same between versions (`error.code` with --json)."""

    INTERNAL = "internal"
    SETTINGS = "settings"
    USAGE = "usage"
    UNKNOWN_REGION = "unknown-region"
    REGION_WITHOUT_AUTOML = "region-without-automl"
    OTHER_REGION = "other-region"
    EMULATOR_VARIABLE = "emulator-variable"
    BAD_DATA = "bad-data"
    NOT_FOUND = "not-found"
    NOT_PREPARED = "not-prepared"
    NO_TERRAFORM = "no-terraform"
    NOTHING_DEPLOYED = "nothing-deployed"
    NEEDS_YES = "needs-yes"
    NOT_CONFIRMED = "not-confirmed"
    UNKNOWN_PRICE = "unknown-price"
    OVER_CAP = "over-cap"
    BUSY = "busy"
    ALREADY_EXISTS = "already-exists"
    CONFLICT = "conflict"
    REFUSED = "refused"
    PORT_IN_USE = "port-in-use"
    EMULATOR_DIED = "emulator-died"
    EMULATOR_VERSION = "emulator-version"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"
    DISK_FULL = "disk-full"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    QUOTA = "quota"
    JOB_FAILED = "job-failed"
    CHECK_FAILED = "check-failed"
    BILLABLE_LEFT = "billable-left"
    SERVED_DIFFERS = "served-differs"
    INTERRUPTED = "interrupted"


EXIT_CODES: dict[Code, ExitCode] = {
    Code.INTERNAL: ExitCode.FAILED,
    Code.SETTINGS: ExitCode.USAGE,
    Code.USAGE: ExitCode.USAGE,
    Code.UNKNOWN_REGION: ExitCode.USAGE,
    Code.REGION_WITHOUT_AUTOML: ExitCode.USAGE,
    Code.OTHER_REGION: ExitCode.USAGE,
    Code.EMULATOR_VARIABLE: ExitCode.USAGE,
    Code.BAD_DATA: ExitCode.BAD_DATA,
    Code.NOT_FOUND: ExitCode.NOT_FOUND,
    Code.NOT_PREPARED: ExitCode.NOT_FOUND,
    Code.NO_TERRAFORM: ExitCode.NOT_FOUND,
    Code.NOTHING_DEPLOYED: ExitCode.NOT_FOUND,
    Code.NEEDS_YES: ExitCode.REFUSED,
    Code.NOT_CONFIRMED: ExitCode.REFUSED,
    Code.UNKNOWN_PRICE: ExitCode.REFUSED,
    Code.OVER_CAP: ExitCode.REFUSED,
    Code.BUSY: ExitCode.REFUSED,
    Code.ALREADY_EXISTS: ExitCode.REFUSED,
    Code.CONFLICT: ExitCode.REFUSED,
    Code.REFUSED: ExitCode.REFUSED,
    Code.PORT_IN_USE: ExitCode.UNAVAILABLE,
    Code.EMULATOR_DIED: ExitCode.UNAVAILABLE,
    Code.EMULATOR_VERSION: ExitCode.UNAVAILABLE,
    Code.UNREACHABLE: ExitCode.UNAVAILABLE,
    Code.TIMED_OUT: ExitCode.UNAVAILABLE,
    Code.DISK_FULL: ExitCode.UNAVAILABLE,
    Code.DENIED: ExitCode.DENIED,
    Code.UNAUTHENTICATED: ExitCode.DENIED,
    Code.QUOTA: ExitCode.QUOTA,
    Code.JOB_FAILED: ExitCode.FAILED,
    Code.CHECK_FAILED: ExitCode.FAILED,
    Code.BILLABLE_LEFT: ExitCode.LEFT_BEHIND,
    Code.SERVED_DIFFERS: ExitCode.SERVED_DIFFERS,
    Code.INTERRUPTED: ExitCode.INTERRUPTED,
}


class OpsError(Exception):
    """A failure with its code, what happened (one or more sentences), and what to type next."""

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the process that ends with this error."""
        return EXIT_CODES[self.code]
