"""Partial answers: what `fields` names, and expressions that are none."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.storage.errors import StorageError
from emulator.storage.partial import mask_of, masked
from tests.emulator.storage.objects import OBJECTS, make, names, put

WHOLE: dict[str, Any] = {
    "kind": "k",
    "items": [{"name": "a", "acl": [{"entity": "e", "role": "r"}]}, {"name": "b"}],
    "page": {"a": {"x": 1, "y": 2}, "b": {"x": 3}},
}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("kind", {"kind": "k"}),
        ("items/name", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("items(name),kind", {"kind": "k", "items": [{"name": "a"}, {"name": "b"}]}),
        ("items/acl/role", {"items": [{"acl": [{"role": "r"}]}, {}]}),
        (
            "items(name,acl(entity))",
            {"items": [{"name": "a", "acl": [{"entity": "e"}]}, {"name": "b"}]},
        ),
        ("page/*/x", {"page": {"a": {"x": 1}, "b": {"x": 3}}}),
        ("page(a/y, b)", {"page": {"a": {"y": 2}, "b": {"x": 3}}}),
        ("page/a/x,page/a/y", {"page": {"a": {"x": 1, "y": 2}}}),
        ("page,page/a", {"page": WHOLE["page"]}),
        ("*", WHOLE),
        ("nothing,kind/deeper", {}),
    ],
)
def test_what_is_named(fields: str, found: Any) -> None:
    """Names, paths, groups and stars, each on its own and together."""
    assert masked(WHOLE, mask_of(fields)) == found


@pytest.mark.parametrize(
    "fields", ["", ",", "a,", "a(", "a(b", "a)", "a/", "/a", "a()", "a(b))", "a b", "a(" * 100]
)
def test_what_is_no_expression(fields: str) -> None:
    """It is 400, before anything is done."""
    with pytest.raises(StorageError, match="Invalid field selection"):
        mask_of(fields)


def test_on_buckets_and_objects(local_http: TestClient) -> None:
    """Lists, single resources and the answers of writes; refusals and bytes stay whole."""
    make(local_http)
    made = put(local_http, "x", b"1", fields="name,size")
    query = {"fields": "items(name),nextPageToken", "maxResults": "1"}
    put(local_http, "y", b"2")

    assert made == {"name": "x", "size": "1"}
    assert set(local_http.get(OBJECTS, params=query).json()) == {"items", "nextPageToken"}
    assert local_http.get("/storage/v1/b/home?fields=name").json() == {"name": "home"}
    assert local_http.get(f"{OBJECTS}/x?alt=media&fields=name").content == b"1"
    assert "error" in local_http.get(f"{OBJECTS}/none?fields=name").json()
    refused = {"uploadType": "media", "name": "z", "fields": "(", "ifGenerationMatch": "0"}
    assert local_http.post(f"/upload{OBJECTS}", params=refused).status_code == 400
    assert names(local_http.get(OBJECTS).json()) == ["x", "y"]
