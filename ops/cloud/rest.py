"""Answers of Google's REST APIs that are asked too seldom to be worth a client of their own.

A generated client takes 0.3 s to import; these calls take none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ops.cloud.session import Session

if TYPE_CHECKING:
    import urllib3

Body = dict[str, Any]

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def get(session: Session, host: str, path: str) -> Body:
    """What `GET https://host/path` answers; google.api_core's error for a refusal."""
    return _sent(session, host, "GET", path, b"")


def post(session: Session, host: str, path: str, body: Mapping[str, Any]) -> Body:
    """What a POST answers; it is repeated when the answer is lost, and must do no harm twice."""
    return _sent(session, host, "POST", path, json.dumps(body).encode())


def make(session: Session, host: str, path: str, body: Mapping[str, Any]) -> Body:
    """What a POST answers that makes something: repeated only when it surely did nothing."""
    headers = {"content-type": "application/json"}
    sent = json.dumps(body).encode()
    return _read(session.submit(session.wire(host).send, "POST", path, sent, headers))


def pages(session: Session, host: str, path: str, key: str, size: int) -> Iterator[Body]:
    """The entries under `key`, of every page of a list; `size` of them are asked for at a time.

    `path` may have a query of its own.
    """
    token = ""
    while True:
        query = {"pageSize": str(size)} | ({"pageToken": token} if token else {})
        answer = get(session, host, f"{path}{'&' if '?' in path else '?'}{urlencode(query)}")
        yield from answer.get(key, [])
        token = str(answer.get("nextPageToken", ""))
        if not token:
            return


def _sent(session: Session, host: str, method: str, path: str, body: bytes) -> Body:
    headers = {"content-type": "application/json"} if body else {}
    return _read(session.call(session.wire(host).send, method, path, body, headers))


def _read(answer: urllib3.BaseHTTPResponse) -> Body:
    if answer.status >= 400:
        raise _refusal(answer)
    found: Body = json.loads(answer.data)
    return found


def _refusal(answer: urllib3.BaseHTTPResponse) -> Exception:
    """The refusal with its reason and metadata, as a generated client would raise it."""
    from google.api_core import exceptions

    from ops.cloud.wire import error_message

    details = _details(answer.data)
    info = next((one for one in details if one.get("@type") == ERROR_INFO), None)
    refusal: Exception = exceptions.from_http_status(  # type: ignore[no-untyped-call]
        answer.status, error_message(answer), details=details, error_info=info
    )
    return refusal


def _details(data: bytes) -> list[Body]:
    try:
        found = json.loads(data)["error"].get("details", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [one for one in found if isinstance(one, dict)]
