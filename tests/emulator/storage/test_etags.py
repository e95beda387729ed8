"""`If-Match` and `If-None-Match` on every method, and the four conditions on copies' both sides."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.emulator.storage.objects import OBJECTS, make, put, reason

UPLOAD = f"/upload{OBJECTS}?uploadType=media&name=x"
SOURCES = {"sourceObjects": [{"name": "other"}]}
# Methods that read or write the object `x`.
READS: dict[str, tuple[str, str, Any]] = {
    "get": ("GET", f"{OBJECTS}/x", None),
    "media": ("GET", f"{OBJECTS}/x?alt=media", None),
}
WRITES: dict[str, tuple[str, str, Any]] = {
    "patch": ("PATCH", f"{OBJECTS}/x", {"contentType": "a/b"}),
    "update": ("PUT", f"{OBJECTS}/x", {"contentType": "a/b"}),
    "delete": ("DELETE", f"{OBJECTS}/x", None),
    "upload": ("POST", UPLOAD, {}),
    "compose": ("POST", f"{OBJECTS}/x/compose", SOURCES),
    "rewrite": ("POST", f"{OBJECTS}/other/rewriteTo/b/home/o/x", None),
    "copy": ("POST", f"{OBJECTS}/other/copyTo/b/home/o/x", None),
    "move": ("POST", f"{OBJECTS}/other/moveTo/o/x", None),
}


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """A client of a cloud with the objects `x` and `other` in the bucket `home`."""
    make(local_http)
    put(local_http, "x", b"1")
    put(local_http, "other", b"2")
    return local_http


@pytest.mark.parametrize("method", [*READS, *WRITES])
def test_etags(http: TestClient, method: str) -> None:
    """What matches is done; what does not is 412, or 304 for a read that is not to match."""
    verb, path, body = (READS | WRITES)[method]
    etag = http.get(f"{OBJECTS}/x").json()["etag"]

    def ask(name: str, value: str) -> int:
        return int(http.request(verb, path, json=body, headers={name: value}).status_code)

    refused = 304 if method in READS else 412
    assert ask("If-Match", "CNone=") == 412
    assert ask("If-None-Match", etag) == refused
    assert ask("If-None-Match", "*") == refused
    assert http.get(f"{OBJECTS}/x").json()["etag"] == etag
    assert ask("If-Match", f'"CNone=", "{etag}"') in (200, 204)


def test_etags_of_what_is_not_there(http: TestClient) -> None:
    """`If-Match` never creates; `If-None-Match: *` only creates."""
    path = UPLOAD.replace("name=x", "name=new")

    def ask(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return int(http.post(path, content=b"1", headers=named).status_code)

    assert ask(If_Match="*") == 412
    assert ask(If_None_Match="*") == 200
    assert ask(If_None_Match="*") == 412
    assert ask(If_Match="*") == 200


@pytest.mark.parametrize("way", ["rewriteTo/b/home", "copyTo/b/home", "moveTo"])
@pytest.mark.parametrize("side", ["", "Source"])
@pytest.mark.parametrize("number", ["Generation", "Metageneration"])
def test_conditions_on_both_sides(http: TestClient, way: str, side: str, number: str) -> None:
    """Each of the eight conditions is judged on its own object; what fails changes nothing."""
    judged = http.get(f"{OBJECTS}/{'other' if side else 'x'}").json()
    actual = int(judged[number.lower()])

    def ask(condition: str, value: int) -> Any:
        query = {f"if{side}{number}{condition}": str(value)}
        return http.post(f"{OBJECTS}/other/{way}/o/x", params=query)

    for condition, value in (("Match", actual + 1), ("NotMatch", actual)):
        answer = ask(condition, value)
        assert (answer.status_code, reason(answer)) == (412, "conditionNotMet")
    assert http.get(f"{OBJECTS}/x?alt=media").content == b"1"
    assert ask("Match", actual).status_code == 200
    assert http.get(f"{OBJECTS}/x?alt=media").content == b"2"


@pytest.mark.parametrize("value", ["-1", "latest", "1.5", str(2**63), "9" * 40])
def test_numbers_that_are_none(http: TestClient, value: str) -> None:
    """A condition that no generation can have is 400."""
    assert http.get(f"{OBJECTS}/x", params={"ifGenerationMatch": value}).status_code == 400
