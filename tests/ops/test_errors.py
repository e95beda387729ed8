"""Codes and exit codes."""

from ops.errors import EXIT_CODES, Code, ExitCode, OpsError


def test_every_code_has_an_exit_code_that_is_not_success() -> None:
    """No failure can end as a success, and none is without an exit code."""
    assert set(EXIT_CODES) == set(Code)
    assert ExitCode.OK not in EXIT_CODES.values()


def test_an_error_knows_its_exit_code() -> None:
    """The code decides how the process ends."""
    assert OpsError(Code.QUOTA, "x").exit_code is ExitCode.QUOTA
