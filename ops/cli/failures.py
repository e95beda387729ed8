"""Every error of a lower layer as an OpsError, printed once, in one place."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any

import typer

from ops.cli import render
from ops.cloud import refusals, sign_in
from ops.errors import Code, ExitCode, OpsError

if TYPE_CHECKING:
    from ops.cli.call import Call

DEBUG = "OPS_DEBUG"
# How the clients begin a message: with the request that failed.
REQUEST = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) \S+: ")
FULL = (errno.ENOSPC, errno.EDQUOT)
STATUS_DISK_FULL = 507
HINT_DISK_FULL = "Free some space, then type the same command again: it takes up what exists."

# Canonical codes and HTTP statuses of google.api_core's exceptions, by class name.
GOOGLE: dict[str, tuple[Code, str]] = {
    "NotFound": (Code.NOT_FOUND, "Type: ops status"),
    "Unauthenticated": (Code.UNAUTHENTICATED, "Type: gcloud auth application-default login"),
    "Unauthorized": (Code.UNAUTHENTICATED, "Type: gcloud auth application-default login"),
    "PermissionDenied": (Code.DENIED, "Type: ops doctor"),
    "Forbidden": (Code.DENIED, "Type: ops doctor"),
    "ResourceExhausted": (Code.QUOTA, "Wait, or ask for more quota, then type it again."),
    "TooManyRequests": (Code.QUOTA, "Wait, or ask for more quota, then type it again."),
    "AlreadyExists": (Code.ALREADY_EXISTS, "Type: ops status"),
    "Conflict": (Code.CONFLICT, "Type the same command again."),
    "Aborted": (Code.CONFLICT, "Type the same command again."),
    "PreconditionFailed": (Code.CONFLICT, "Type the same command again."),
    "FailedPrecondition": (Code.REFUSED, "Type: ops status"),
    "BadRequest": (Code.REFUSED, ""),
    "InvalidArgument": (Code.REFUSED, ""),
    "DeadlineExceeded": (Code.TIMED_OUT, "Type the same command again."),
    "GatewayTimeout": (Code.TIMED_OUT, "Type the same command again."),
    "ServiceUnavailable": (Code.UNREACHABLE, "Type the same command again."),
    "MethodNotImplemented": (Code.REFUSED, "The local Google Cloud does not have this method."),
}

# What the HTTP libraries raise when nobody answers, by module; looked at only if it is loaded.
LOST = {
    "requests": ("ConnectionError", "Timeout"),
    "urllib3.exceptions": ("NewConnectionError", "ProtocolError", "TimeoutError"),
    "google.auth.exceptions": ("TransportError",),
}


def show(error: BaseException, command: str, call: Call | None, as_json: bool) -> ExitCode:
    """Print the error (as the envelope too with --json); the exit code it ends with."""
    explained = explain(error, call)
    if explained.code is Code.INTERNAL and os.environ.get(DEBUG):
        traceback.print_exception(error)
    settings = call.settings if call else None
    if as_json:
        render.put(render.envelope(command, settings, error=render.error_json(explained)))
    print(render.error_text(explained), file=sys.stderr, flush=True)
    return explained.exit_code


def explain(error: BaseException, call: Call | None = None) -> OpsError:
    """The OpsError that says what this error means to the user, and what was noted on it."""
    found, notes = _explained(error, call), getattr(error, "__notes__", [])
    if not notes:
        return found
    return OpsError(found.code, " ".join([found.message, *dict.fromkeys(notes)]), found.hint)


def _explained(error: BaseException, call: Call | None) -> OpsError:
    if isinstance(error, OpsError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(call)
    if isinstance(error, typer.TyperException):
        return _misspelt(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return _disk_full(error.filename)
    found = _google(error, call) if _is_answer(error) else None
    for look in (_connection, _google):
        for cause in _causes(error):
            found = found or look(cause, call)
    if found is not None:
        return found
    return OpsError(
        Code.INTERNAL,
        f"Not expected: {type(error).__name__}: {error}",
        f"Set {DEBUG}=1 and type it again to see where.",
    )


def command_of(error: BaseException) -> str:
    """The command whose line could not be read (`emulator start`); empty if it is not known."""
    context = getattr(error, "ctx", None)
    return str(context.command_path).partition(" ")[2] if context else ""


def _misspelt(error: typer.TyperException) -> OpsError:
    """What Typer says of a command line that it cannot read."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "ops"
    return OpsError(Code.USAGE, error.format_message(), f"Type: {command} --help")


def _interrupted(call: Call | None) -> OpsError:
    goes_on = call.progress.interrupted if call else ""
    return OpsError(
        Code.INTERRUPTED,
        f"Interrupted. {goes_on or 'What was done so far stays.'}",
        "Type the same command again: it takes up what exists.",
    )


def _disk_full(path: Any) -> OpsError:
    return OpsError(
        Code.DISK_FULL,
        f"The disk is full{f' (writing {path})' if path else ''}.",
        HINT_DISK_FULL,
    )


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = getattr(current, "cause", None) or current.__cause__ or current.__context__
    return found


def _is_answer(error: BaseException) -> bool:
    """Whether a server answered with this error: then no lost connection lies beneath it."""
    exceptions = sys.modules.get("google.api_core.exceptions")
    if exceptions is None or not isinstance(error, exceptions.GoogleAPICallError):
        return False
    return not isinstance(error, exceptions.ServiceUnavailable)


def _google(error: BaseException, call: Call | None) -> OpsError | None:
    exceptions = sys.modules.get("google.api_core.exceptions")
    if exceptions is not None and isinstance(error, exceptions.GoogleAPICallError):
        asked = (call.settings.project, call.settings.target.value) if call else ("", "")
        refusal = refusals.explain(error, *asked) if call else None
        if refusal is not None:
            return refusal
        for kind in type(error).__mro__:
            if kind.__name__ in GOOGLE:
                code, hint = GOOGLE[kind.__name__]
                return _said(code, hint, error)
        return _said(Code.UNREACHABLE, "Type the same command again.", error)
    auth = sys.modules.get("google.auth.exceptions")
    if auth is not None and isinstance(error, auth.DefaultCredentialsError | auth.RefreshError):
        return sign_in.explain(error)
    return None


def _said(code: Code, hint: str, error: Any) -> OpsError:
    if int(error.code) == STATUS_DISK_FULL:
        code, hint = Code.DISK_FULL, HINT_DISK_FULL
    return OpsError(code, _google_message(error), hint)


def _google_message(error: Any) -> str:
    """Google's own sentence and the status, without the URL and what the client adds."""
    try:
        said = str(error.response.json()["error"]["message"])
    except (AttributeError, KeyError, TypeError, ValueError):
        said = REQUEST.sub("", str(error.message))
    return f"{said.rstrip('.')} ({int(error.code)})."


def _untrusted(error: BaseException) -> OpsError | None:
    """What a certificate of a company's proxy means that this machine does not trust."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    return OpsError(
        Code.UNREACHABLE,
        f"The certificate of Google's host is not trusted here: {error}".rstrip(".") + ".",
        "Behind a company's proxy, type: export REQUESTS_CA_BUNDLE=FILE (its certificate, PEM)",
    )


def _connection(error: BaseException, call: Call | None) -> OpsError | None:
    untrusted = _untrusted(error)
    if untrusted is not None:
        return untrusted
    lost = isinstance(error, ConnectionError)
    for module, names in LOST.items():
        loaded = sys.modules.get(module)
        lost = lost or any(isinstance(error, getattr(loaded, name)) for name in names if loaded)
    if not lost:
        return None
    url = call.session.base_url if call and "session" in vars(call) else None
    if url is None:
        return OpsError(
            Code.UNREACHABLE,
            "Google does not answer.",
            "Check the network, then type the same command again.",
        )
    return OpsError(
        Code.UNREACHABLE,
        f"The local Google Cloud at {url} does not answer: it was stopped or killed.",
        "Type the same command again: it starts the local Google Cloud and takes up what exists.",
    )
