"""Rewrites by steps, copies, moves and compositions."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.clock import SteppedClock
from tests.emulator.storage.objects import OBJECTS, create, make, names, put

MIB = 1 << 20


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """A client of a cloud with the buckets `home` and `away`."""
    make(local_http)
    body = {"name": "away", "location": "EU", "storageClass": "NEARLINE"}
    local_http.post("/storage/v1/b?project=p", json=body).raise_for_status()
    return local_http


def test_a_rewrite_by_steps(http: TestClient) -> None:
    """Each call says how far it is and gives a token; the last one makes the object."""
    data = bytes(range(256)) * (3 * MIB // 256) + b"end"
    put(http, "x", data)
    path = f"{OBJECTS}/x/rewriteTo/b/away/o/y"
    query = {"maxBytesRewrittenPerCall": str(MIB)}
    done = []

    while True:
        answer = http.post(path, params=query).json()
        done.append((answer["totalBytesRewritten"], answer["done"], "resource" in answer))
        if answer["done"]:
            break
        assert http.get("/storage/v1/b/away/o/y").status_code == 404
        query["rewriteToken"] = answer["rewriteToken"]

    steps = [str(MIB), str(2 * MIB), str(3 * MIB)]
    assert done == [*((step, False, False) for step in steps), (str(len(data)), True, True)]
    assert answer["resource"]["storageClass"] == "NEARLINE"
    assert http.get("/storage/v1/b/away/o/y?alt=media").content == data


def test_a_copy_that_moves_no_bytes_is_done_at_once(http: TestClient) -> None:
    """In the same place and class a limit changes nothing."""
    put(http, "x", b"x" * (2 * MIB))
    query = {"maxBytesRewrittenPerCall": str(MIB)}

    assert http.post(f"{OBJECTS}/x/rewriteTo/b/home/o/y", params=query).json()["done"] is True


@pytest.mark.parametrize(
    "query",
    [
        {"maxBytesRewrittenPerCall": "1000"},
        {"maxBytesRewrittenPerCall": "0"},
        {"maxBytesRewrittenPerCall": "many"},
        {"rewriteToken": "nonsense"},
        {"rewriteToken": "W10="},
    ],
)
def test_limits_and_tokens_that_are_none(http: TestClient, query: dict[str, str]) -> None:
    """A limit is whole mebibytes; a token is of this rewrite, or 400."""
    put(http, "x", b"x")

    answer = http.post(f"{OBJECTS}/x/rewriteTo/b/away/o/y", params=query)

    assert answer.status_code == 400


def test_a_new_class_has_its_time(http: TestClient, clock: SteppedClock) -> None:
    """A rewrite onto itself in another class is a new object; patch and update leave the class."""
    made = put(http, "x", b"1")
    clock.advance(60)
    body = {"storageClass": "COLDLINE"}
    path = f"{OBJECTS}/x"

    patched, updated = http.patch(path, json=body).json(), http.put(path, json=body).json()
    rewritten = http.post(f"{path}/rewriteTo/b/home/o/x", json=body).json()["resource"]

    assert patched["storageClass"] == updated["storageClass"] == "STANDARD"
    assert updated["timeStorageClassUpdated"] == made["timeStorageClassUpdated"]
    assert rewritten["storageClass"] == "COLDLINE"
    assert rewritten["timeStorageClassUpdated"] > made["timeStorageClassUpdated"]
    assert http.patch(path, json={"storageClass": "GLACIER"}).status_code == 400


def test_what_a_copy_takes_along(http: TestClient) -> None:
    """All fields but holds and the class, or just those that the request sends."""
    create(http, {"name": "x", "metadata": {"a": "1"}, "cacheControl": "no-store"}, b"data")
    http.patch(f"{OBJECTS}/x", json={"temporaryHold": True})

    whole = http.post(f"{OBJECTS}/x/copyTo/b/away/o/y").json()
    sent = http.post(f"{OBJECTS}/x/copyTo/b/away/o/z", json={"metadata": {"b": "2"}}).json()

    assert (whole["metadata"], whole["cacheControl"]) == ({"a": "1"}, "no-store")
    assert (whole["storageClass"], whole.get("temporaryHold")) == ("NEARLINE", None)
    assert (sent["metadata"], sent.get("cacheControl")) == ({"b": "2"}, None)
    assert sent["contentType"] == "text/plain"


def test_a_move(http: TestClient) -> None:
    """Another name and generation, the same bytes and fields; nothing stays, nothing to restore."""
    made = create(http, {"name": "x/y z", "metadata": {"a": "1"}}, b"data").json()
    put(http, "to/here", b"before")

    moved = http.post(f"{OBJECTS}/x%2Fy%20z/moveTo/o/to%2Fhere").json()

    assert (moved["name"], moved["metadata"]) == ("to/here", {"a": "1"})
    assert int(moved["generation"]) > int(made["generation"])
    assert http.get(f"{OBJECTS}/to%2Fhere?alt=media").content == b"data"
    assert names(http.get(OBJECTS).json()) == ["to/here"]
    deleted = http.get(OBJECTS, params={"softDeleted": "true"}).json()
    assert names(deleted) == ["to/here"]


def test_moves_that_are_refused(http: TestClient) -> None:
    """A missing source, the same name, a bad one, and conditions on either side."""
    made = put(http, "x", b"1")
    put(http, "there", b"2")
    asked = [
        ("none/moveTo/o/y", {}, 404),
        ("x/moveTo/o/x", {}, 400),
        ("x/moveTo/o/a%0Ab", {}, 400),
        ("x/moveTo/o/there", {"ifGenerationMatch": "0"}, 412),
        ("x/moveTo/o/y", {"ifSourceGenerationMatch": "7"}, 412),
        ("x/moveTo/o/y", {"ifSourceMetagenerationNotMatch": "1"}, 412),
        ("x/moveTo/o/y", {"ifSourceGenerationMatch": made["generation"]}, 200),
    ]

    assert [
        http.post(f"{OBJECTS}/{path}", params=query).status_code for path, query, _ in asked
    ] == [code for *_, code in asked]


def test_a_composition(http: TestClient) -> None:
    """The bytes in order, a checksum, a count of components, and neither MD5 nor type."""
    for name in ("a", "b"):
        put(http, name, name.encode() * 3)
    body = {"sourceObjects": [{"name": "a"}, {"name": "b"}]}
    both = http.post(f"{OBJECTS}/both/compose", json=body).json()
    body = {"sourceObjects": [{"name": "both"}, {"name": "a"}]}

    more = http.post(f"{OBJECTS}/both/compose", json=body).json()

    assert (both["componentCount"], more["componentCount"]) == (2, 3)
    assert "md5Hash" not in more and "contentType" not in more and more["crc32c"]
    assert http.get(f"{OBJECTS}/both?alt=media").content == b"aaabbbaaa"
    media = http.get(f"{OBJECTS}/both?alt=media")
    assert media.headers["content-type"] == "application/octet-stream"
    assert "md5" not in media.headers["x-goog-hash"]
    patched = http.patch(f"{OBJECTS}/both", json={"contentType": "a/b"}).json()
    assert (patched["componentCount"], patched["contentType"]) == (3, "a/b")


def test_sources_of_a_composition_by_generation(http: TestClient) -> None:
    """A source is a generation, noncurrent ones too, and has a condition of its own."""
    http.patch("/storage/v1/b/home", json={"versioning": {"enabled": True}})
    old, new = put(http, "a", b"old"), put(http, "a", b"new")

    def compose(*sources: dict[str, Any]) -> int:
        answer = http.post(f"{OBJECTS}/c/compose", json={"sourceObjects": list(sources)})
        return int(answer.status_code)

    assert compose({"name": "a", "generation": old["generation"]}, {"name": "a"}) == 200
    assert http.get(f"{OBJECTS}/c?alt=media").content == b"oldnew"
    match = {"ifGenerationMatch": new["generation"]}
    assert compose({"name": "a", "objectPreconditions": match}) == 200
    named = {"name": "a", "generation": old["generation"], "objectPreconditions": match}
    assert compose(named) == 412


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400),
        ({"sourceObjects": []}, 400),
        ({"sourceObjects": [{"name": "a"}] * 33}, 400),
        ({"sourceObjects": [{"name": "a"}] * 32}, 200),
        ({"sourceObjects": [{"name": "none"}]}, 404),
        ({"sourceObjects": [{}]}, 400),
        ({"sourceObjects": "a"}, 400),
        ({"sourceObjects": [{"name": "a"}], "destination": "b"}, 400),
        ({"sourceObjects": [{"name": "a", "generation": "x"}]}, 400),
    ],
)
def test_limits_of_a_composition(http: TestClient, body: dict[str, Any], code: int) -> None:
    """From 1 to 32 sources, each with a name and, if any, a generation."""
    put(http, "a", b"1")

    assert http.post(f"{OBJECTS}/c/compose", json=body).status_code == code


def test_sources_may_go_with_the_composition(http: TestClient) -> None:
    """deleteSourceObjects removes them, but not the one that was made."""
    put(http, "a", b"1")
    put(http, "b", b"2")
    body = {"sourceObjects": [{"name": "a"}, {"name": "b"}], "deleteSourceObjects": True}

    assert http.post(f"{OBJECTS}/a/compose", json=body).status_code == 200
    assert names(http.get(OBJECTS).json()) == ["a"]
