"""Every lower error ends in a code, a sentence and what to type."""

import errno
from pathlib import Path

import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError

from ops import settings
from ops.cli.call import Call
from ops.cli.failures import GOOGLE, explain
from ops.cloud.session import Session
from ops.errors import Code, ExitCode, OpsError


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """A call on a local cloud that is not there."""
    found = settings.read({}, {}, tmp_path)
    made = Call("status", found)
    vars(made)["session"] = Session(found, None, base_url="http://127.0.0.1:1")
    return made


def test_an_ops_error_is_itself() -> None:
    """What is explained already stays as it is."""
    error = OpsError(Code.BUSY, "x")

    assert explain(error) is error


CALL_ERRORS = [
    kind
    for kind in vars(exceptions).values()
    if isinstance(kind, type) and getattr(kind, "code", None) is not None
]


@pytest.mark.parametrize("kind", CALL_ERRORS)
def test_every_error_of_google_s_clients_is_mapped(kind: type[Exception]) -> None:
    """No error class of google.api_core ends as an unexpected one."""
    assert explain(kind("no")).code is not Code.INTERNAL


def test_the_table_names_classes_that_exist() -> None:
    """A renamed class would be noticed."""
    assert all(hasattr(exceptions, name) for name in GOOGLE)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        requests.ConnectionError("refused"),
        exceptions.RetryError("gave up", cause=requests.ConnectionError("refused")),  # type: ignore[no-untyped-call]
        exceptions.ServiceUnavailable("refused"),  # type: ignore[no-untyped-call]
    ],
)
def test_a_local_cloud_that_is_gone_is_said(error: Exception, call: Call) -> None:
    """Whatever the layer that noticed, the message is the same and says what to type."""
    if isinstance(error, exceptions.ServiceUnavailable):
        error.__cause__ = ConnectionRefusedError(111, "refused")

    explained = explain(error, call)

    assert (explained.code, explained.exit_code) == (Code.UNREACHABLE, ExitCode.UNAVAILABLE)
    assert explained.message == (
        "The local Google Cloud at http://127.0.0.1:1 does not answer: it was stopped or killed."
    )
    assert explained.hint == (
        "Type the same command again: it starts the local Google Cloud and takes up what exists."
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(number: int) -> None:
    """The file is named, and nothing that was done is lost."""
    explained = explain(OSError(number, "full", "/data/x"))

    assert (explained.code, explained.message, explained.hint) == (
        Code.DISK_FULL,
        "The disk is full (writing /data/x).",
        "Free some space, then type the same command again: it takes up what exists.",
    )


def test_a_full_disk_of_the_local_cloud_is_said() -> None:
    """The server's own answer, status 507, is a full disk and no lost connection."""
    explained = explain(exceptions.from_http_status(507, "The disk of the local cloud is full"))  # type: ignore[no-untyped-call]

    assert (explained.code, explained.message, explained.hint) == (
        Code.DISK_FULL,
        "The disk of the local cloud is full (507).",
        "Free some space, then type the same command again: it takes up what exists.",
    )


def test_ctrl_c_says_what_goes_on(call: Call) -> None:
    """What the workflow said would go on is said, with how to take it up."""
    call.progress.goes_on("Training train-1 goes on.")

    explained = explain(KeyboardInterrupt(), call)

    assert explained.message == "Interrupted. Training train-1 goes on."
    assert explained.hint == "Type the same command again: it takes up what exists."
    assert explained.exit_code == 130


def test_missing_credentials_are_said() -> None:
    """The hint is the command that makes them."""
    explained = explain(DefaultCredentialsError("none found"))  # type: ignore[no-untyped-call]

    assert explained.code is Code.UNAUTHENTICATED
    assert explained.hint == "Type: gcloud auth application-default login"


def test_anything_else_is_said_to_be_unexpected() -> None:
    """A bug is not dressed up as the user's mistake."""
    explained = explain(ZeroDivisionError("division by zero"))

    assert explained.code is Code.INTERNAL
    assert explained.message == "Not expected: ZeroDivisionError: division by zero"
    assert explained.hint == "Set OPS_DEBUG=1 and type it again to see where."


def test_google_s_sentence_is_said_without_the_url() -> None:
    """What a client puts around Google's words is left off; the status stays."""
    error = exceptions.NotFound("GET https://host/v1/projects/p/x?a=b: No such model: 'm'.")  # type: ignore[no-untyped-call]

    assert explain(error).message == "No such model: 'm' (404)."
