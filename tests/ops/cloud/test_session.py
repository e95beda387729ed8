"""Where calls go, with which credentials, and how often they are tried."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials

from ops import settings
from ops.cloud import projects
from ops.cloud.session import Session, connect
from ops.errors import Code, OpsError


def session_for(target: str, base_url: str | None = None, **more: Any) -> Session:
    """A session without credentials, on a target."""
    found = settings.read({"target": target, "project": "my-project"}, {}, Path("/nowhere"))
    return Session(found, AnonymousCredentials(), base_url, **more)  # type: ignore[no-untyped-call]


def test_on_google_calls_go_to_the_region_s_own_host() -> None:
    """Vertex AI is asked in the region, storage at its global host."""
    session = session_for("gcp")

    assert session.datasets().api_endpoint == "https://us-central1-aiplatform.googleapis.com"
    assert session.storage().api_endpoint == "https://storage.googleapis.com"
    assert session.capabilities.bills and not session.capabilities.prepares_project


def test_on_local_every_call_goes_to_the_emulator() -> None:
    """One address for every service."""
    session = session_for("local", "http://127.0.0.1:1")
    clients = (session.datasets(), session.models(), session.storage())

    assert {client.api_endpoint for client in clients} == {"http://127.0.0.1:1"}
    assert session.datasets() is session.datasets()


def test_local_reads_no_credentials_of_google(session: Session, monkeypatch: Any) -> None:
    """A broken key file in the environment is not even opened."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    environ: dict[str, str] = {"NO_PROXY": "intranet"}

    connected = connect(session.settings, environ)

    assert projects.get(connected, "local-project").id == "local-project"
    assert environ["NO_PROXY"] == "intranet,127.0.0.1"


def test_gcp_is_refused_while_an_emulator_variable_is_set() -> None:
    """The message has the variable with its value, the hint how to be rid of it."""
    with pytest.raises(OpsError) as refused:
        connect(session_for("gcp").settings, {"STORAGE_EMULATOR_HOST": "http://x"})

    assert (refused.value.code, refused.value.hint) == (
        Code.EMULATOR_VARIABLE,
        "Type: unset STORAGE_EMULATOR_HOST",
    )


def failing(*errors: Exception) -> Callable[..., str]:
    """A client method that fails with these errors in turn, and then answers."""
    left = iter(errors)

    def method(*, retry: Any, timeout: float) -> str:
        def once() -> str:
            assert timeout > 0
            for error in left:
                raise error
            return "answer"

        return str(retry(once)())

    return method


PASSING = [
    exceptions.TooManyRequests("slow down"),  # type: ignore[no-untyped-call]
    exceptions.ServiceUnavailable("in a moment"),  # type: ignore[no-untyped-call]
    requests.ConnectionError("reset"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_passes_is_tried_again(error: Exception) -> None:
    """429, 503 and a lost connection are no reason to give up at once."""
    assert session_for("local", "http://x").call(failing(error)) == "answer"


def test_what_makes_something_is_tried_again_only_if_nothing_was_done() -> None:
    """After a lost connection nobody knows whether it was made: not asked for twice."""
    session = session_for("local", "http://x")

    assert session.submit(failing(PASSING[0])) == "answer"
    with pytest.raises(requests.ConnectionError):
        session.submit(failing(PASSING[2]))


def test_waiting_begins_with_short_pauses_that_grow() -> None:
    """Something quick is seen quickly; something slow is not asked about all the time."""
    pauses: list[float] = []
    session = session_for("local", "http://x", sleep=pauses.append)
    answers = itertools.chain([None] * 6, ["done"])

    assert session.poll(lambda: next(answers), timeout_seconds=60) == "done"
    assert pauses == pytest.approx([0.1, 0.15, 0.225, 0.3375, 0.5, 0.5])


def test_waiting_ends_and_says_that_the_work_goes_on() -> None:
    """A time limit of ours stops nothing on the server."""
    session = session_for("local", "http://x", sleep=lambda _: None)

    with pytest.raises(OpsError) as over:
        session.poll(lambda: None, timeout_seconds=0, what="The import")

    assert over.value.code is Code.TIMED_OUT
    assert over.value.message == "The import was not done after 0 s; it goes on."


def test_a_project_has_one_number(session: Session) -> None:
    """Resource Manager knows the project by its id."""
    project = projects.get(session, "local-project")

    assert project.number.isdecimal() and project.state == "ACTIVE"
