"""HTTP to a server that may be gone at any moment, and what it says of one key."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import md5, sha256
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.emulator.kills.journal import State

PROJECT = "test-project"
REGION = f"/v1/projects/{PROJECT}/locations/us-central1"
PLAIN, VERSIONED = "plain", "versioned"
TIMEOUT_SECONDS = 30


class LostError(Exception):
    """There was no answer: nobody knows what became of the request."""


class RefusedError(Exception):
    """The server answered, and not with what was asked for."""


class Wire:
    """One kept connection."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Lets go of the connection."""
        self._connection.close()

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (lower case) and body. LostError when no whole answer came."""
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise LostError(repr(error)) from None
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, data

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of a good answer. RefusedError for any other, LostError for none."""
        data = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.ask(
            method, path, data, {"content-type": "application/json", **headers}
        )
        if status >= 300:
            raise RefusedError(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer) if answer else None

    def found(self, path: str) -> Any:
        """The JSON at a path, or None where there is nothing (404)."""
        status, _, answer = self.ask("GET", path)
        if status == 404:
            return None
        if status != 200:
            raise RefusedError(f"GET {path}: {status} {answer[:300]!r}")
        return json.loads(answer)

    def pages(self, path: str, key: str, **query: str) -> Iterator[Any]:
        """Every item of a list, page by page."""
        token = ""
        while True:
            asked = query | ({"pageToken": token} if token else {})
            answer = self.json("GET", f"{path}?{urlencode(asked)}")
            yield from answer.get(key, [])
            token = answer.get("nextPageToken", "")
            if not token:
                return


def object_path(bucket: str, name: str) -> str:
    """Where the JSON API has an object."""
    return f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"


def object_state(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared of an object."""
    return {
        "md5": body["md5Hash"],
        "v": body.get("metadata", {}).get("v", ""),
        "generation": int(body["generation"]),
        "metageneration": int(body["metageneration"]),
    }


def digest(data: bytes) -> str:
    """MD5 in base64, as Cloud Storage gives it."""
    return b64encode(md5(data, usedforsecurity=False).digest()).decode()


def look_up(wire: Wire, key: str) -> State:
    """What the server has under a key: `object/BUCKET/NAME`, `bucket/NAME`, `operations/…`, …"""
    kind, _, rest = key.partition("/")
    if kind == "object":
        body = wire.found(object_path(*rest.split("/", 1)))
        return None if body is None else object_state(body)
    if kind == "version":
        name, _, generation = rest.rpartition("#")
        body = wire.found(f"{object_path(VERSIONED, name)}?generation={generation}")
        return None if body is None else {"md5": body["md5Hash"]}
    if kind == "bucket":
        body = wire.found(f"/storage/v1/b/{rest}")
        return None if body is None else {"labels": body.get("labels", {})}
    if kind == "upload":
        return {"received": received(wire, rest)}
    if kind == "operation":
        body = wire.found(f"/v1/{rest}")
        return None if body is None else operation_state(body)
    return _vertex_state(wire, kind, rest)


def _vertex_state(wire: Wire, collection: str, shown: str) -> State:
    asked = {"filter": f'display_name="{shown}"'}
    found = list(wire.pages(f"{REGION}/{collection}", collection, **asked))
    assert len(found) <= 1, f"{shown} is there {len(found)} times"
    return vertex_state(found[0]) if found else None


def vertex_state(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared of a dataset or an endpoint."""
    return {"name": body["name"], "v": body.get("labels", {}).get("v", "")}


def operation_state(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared of an operation."""
    text = json.dumps(body, sort_keys=True).encode()
    return {"done": body.get("done", False), "sha256": sha256(text).hexdigest()}


def received(wire: Wire, session: str) -> int:
    """How many bytes of a resumable upload have come; its size when it is finished."""
    status, headers, body = wire.ask("PUT", session, b"", {"content-range": "bytes */*"})
    if status == 200:
        return int(json.loads(body)["size"])
    if status != 308:
        raise RefusedError(f"PUT {session}: {status} {body[:300]!r}")
    return int(headers["range"].rpartition("-")[2]) + 1 if "range" in headers else 0


def matches(have: State, want: State) -> bool:
    """Whether a state has everything that was wanted."""
    if have is None or want is None:
        return have is want
    return all(have.get(field) == value for field, value in want.items())
