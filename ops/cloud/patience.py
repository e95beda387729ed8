"""How often to try again and how long to wait; `session.py` says for how many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ops.errors import Code, OpsError

FIRST_SECONDS = 0.1
GROWTH = 1.5
RETRY_MOST_SECONDS = 10.0
BUSY = 429
# cloud.google.com/storage/docs/retry-strategy, read 2026-11-21
PASSING = frozenset({408, BUSY, 500, 502, 503, 504})


def poll(
    look: Callable[[], Any],
    timeout_seconds: float,
    most_seconds: float,
    sleep: Callable[[float], None],
    on_poll: Callable[[Any], None] | None,
    what: str,
) -> Any:
    """The first truthy value of `look()`, with pauses from 0.1 s up to `most_seconds`.

    TIMED_OUT after `timeout_seconds`: what is waited for goes on.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = FIRST_SECONDS
    while True:
        seen = look()
        if on_poll is not None:
            on_poll(seen)
        if seen:
            return seen
        if time.monotonic() + pause > deadline:
            raise OpsError(
                Code.TIMED_OUT,
                f"{what} was not done after {timeout_seconds:.0f} s; it goes on.",
                "Type the same command again: it takes up what exists.",
            )
        sleep(pause)
        pause = min(pause * GROWTH, most_seconds)


def retry(passes: Callable[[BaseException], bool], timeout_seconds: float) -> Any:
    """The google.api_core Retry that tries again on errors that pass."""
    from google.api_core.retry import Retry

    return Retry(
        predicate=passes,
        initial=FIRST_SECONDS,
        maximum=RETRY_MOST_SECONDS,
        timeout=timeout_seconds,
    )


def did_nothing(error: BaseException) -> bool:
    """Whether the server surely refused to begin (429), so that nothing is made twice."""
    return _status(error) == BUSY


def may_pass(error: BaseException) -> bool:
    """Whether a later try may succeed: a busy or broken server, a lost connection, a time-out.

    A certificate that is not trusted does not become so.
    """
    import requests
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError) and error.args and isinstance(error.args[0], Exception):
        return may_pass(error.args[0])
    if isinstance(error, requests.exceptions.SSLError):
        return False
    # A connection lost within the body is a ChunkedEncodingError, whatever the encoding was.
    broken = requests.exceptions.ChunkedEncodingError
    lost = (requests.ConnectionError, requests.Timeout, broken, TransportError)
    return isinstance(error, lost) or _status(error) in PASSING


def _status(error: BaseException) -> int | None:
    """The HTTP status of a refusal, whichever of Google's libraries raised it."""
    from google.api_core.exceptions import GoogleAPICallError

    if isinstance(error, GoogleAPICallError):
        return None if error.code is None else int(error.code)
    # Bytes go by google.cloud.storage's own code, whose errors are translated after the retries.
    return getattr(getattr(error, "response", None), "status_code", None)
