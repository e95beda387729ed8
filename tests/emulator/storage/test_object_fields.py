"""The fields that a client may set: types, times that only go forward, contexts, odd values."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.clock import SteppedClock, timestamp
from tests.emulator.storage.objects import OBJECTS, create, make, names, put


@pytest.fixture
def http(local_http: TestClient) -> TestClient:
    """A client of a cloud with the bucket `home`."""
    make(local_http)
    return local_http


@pytest.mark.parametrize(
    "fields",
    [
        {"contentType": 5},
        {"temporaryHold": "perhaps"},
        {"metadata": "text"},
        {"metadata": {"a": ["1"]}},
        {"metadata": {"a": "x" * 8192}},
        {"customTime": "yesterday"},
        {"customTime": "2026-01-01T00:00:00"},
        {"storageClass": "FAST"},
        {"contexts": {"custom": {"": {"value": "1"}}}},
        {"contexts": {"custom": {"a": {"value": "it's"}}}},
        {"contexts": {"custom": {"a": {}}}},
        {"contexts": {"custom": {f"k{n}": {"value": "1"} for n in range(51)}}},
        {"contexts": {"custom": {f"k{n}": {"value": "ä" * 256} for n in range(50)}}},
    ],
)
def test_fields_that_are_none(http: TestClient, fields: dict[str, Any]) -> None:
    """A value of another type or form is 400, in an upload, a patch and an update."""
    put(http, "there", b"1")

    codes = [
        create(http, {"name": "x", **fields}).status_code,
        http.patch(f"{OBJECTS}/there", json=fields).status_code,
        http.put(f"{OBJECTS}/there", json=fields).status_code,
    ]

    assert codes == [400, 400, 400]
    assert names(http.get(OBJECTS).json()) == ["there"]


def test_values_of_metadata_become_texts(http: TestClient) -> None:
    """Numbers and truths are kept as Google writes them; null in a patch removes one key."""
    made = create(http, {"name": "x", "metadata": {"n": 1, "t": True, "s": "a"}}).json()
    left = http.patch(f"{OBJECTS}/x", json={"metadata": {"n": None}}).json()
    none = http.patch(f"{OBJECTS}/x", json={"metadata": None}).json()

    assert made["metadata"] == {"n": "1", "t": "true", "s": "a"}
    assert left["metadata"] == {"t": "true", "s": "a"}
    assert "metadata" not in none


def test_custom_time_only_goes_forward(http: TestClient) -> None:
    """Later is fine; earlier, null, and an update that says null are 400."""
    create(http, {"name": "x", "customTime": "2026-01-02T00:00:00Z"})

    def patch(value: str | None, method: str = "PATCH") -> int:
        body = {"customTime": value}
        return int(http.request(method, f"{OBJECTS}/x", json=body).status_code)

    assert patch("2026-01-03T00:00:00Z") == 200
    assert patch("2026-01-02T00:00:00Z") == 400
    assert (patch(None), patch(None, "PUT")) == (400, 400)
    updated = http.put(f"{OBJECTS}/x", json={"contentType": "a/b"}).json()
    assert updated["customTime"] == "2026-01-03T00:00:00Z"


def test_what_only_the_server_says(http: TestClient) -> None:
    """Computed fields of a request are left out, whatever they are."""
    sent = {"size": "9", "md5Hash": None, "componentCount": 7, "timeDeleted": "x", "_released": "x"}
    made = create(http, {"name": "x", **sent}, b"data").json()

    assert made["size"] == "4"
    assert not {"componentCount", "timeDeleted", "_released"} & set(made)


def test_contexts(http: TestClient, clock: SteppedClock) -> None:
    """Each key has its times; a patch merges them, null removes one or all; a filter finds them."""
    start = timestamp(clock.now())
    create(http, {"name": "x", "contexts": {"custom": {"a": {"value": "1"}, "b": {"value": "2"}}}})
    put(http, "y", b"")
    clock.advance(60)
    body = {"contexts": {"custom": {"a": {"value": "3"}, "b": None}}}

    changed = http.patch(f"{OBJECTS}/x", json=body).json()["contexts"]["custom"]

    now = timestamp(clock.now())
    assert changed == {"a": {"value": "3", "createTime": start, "updateTime": now}}
    assert "contexts" not in http.patch(f"{OBJECTS}/x", json={"contexts": None}).json()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('contexts."a"="1"', ["x"]),
        ('contexts."a"="2"', []),
        ('contexts."a":*', ["x", "z"]),
        ('-contexts."a":*', ["y"]),
        ('contexts."a":* AND -contexts."a"="1"', ["z"]),
        ("", ["x", "y", "z"]),
    ],
)
def test_lists_by_context(http: TestClient, text: str, found: list[str]) -> None:
    """`filter` asks for contexts that an object has, or has not."""
    create(http, {"name": "x", "contexts": {"custom": {"a": {"value": "1"}}}})
    put(http, "y", b"")
    create(http, {"name": "z", "contexts": {"custom": {"a": {"value": "3"}}}})

    assert names(http.get(OBJECTS, params={"filter": text}).json()) == found
    assert http.get(OBJECTS, params={"filter": "name=x"}).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a+b",
        "a%2Fb",
        "#?&=",
        "日本語",
        "\u00e9",
        "e\u0301",
        "a//b",
        "/",
        "x\t",
        "\x7f",
        "a" * 1024,
    ],
)  # fmt: skip
def test_odd_names(http: TestClient, name: str) -> None:
    """What Google allows is found again under just that name."""
    from urllib.parse import quote

    put(http, name, name.encode())

    path = f"{OBJECTS}/{quote(name, safe='')}"
    assert http.get(path).json()["name"] == name
    assert http.get(path, params={"alt": "media"}).content == name.encode()
    assert names(http.get(OBJECTS).json()) == [name]


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a\rb", "a" * 1025, "日" * 342])
def test_names_that_are_none(http: TestClient, name: str) -> None:
    """Too long in UTF-8, line ends, dots alone and nothing at all are 400."""
    query = {"uploadType": "media", "name": name}

    assert http.post(f"/upload{OBJECTS}", params=query, content=b"").status_code == 400
