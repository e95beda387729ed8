"""A bucket `home` in a cloud in this process, and objects in it."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

OBJECTS = "/storage/v1/b/home/o"


def make(http: TestClient, query: str = "", **fields: Any) -> dict[str, Any]:
    """The new bucket `home`."""
    answer = http.post(f"/storage/v1/b?project=p{query}", json={"name": "home", **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def put(http: TestClient, name: str, data: bytes = b"", **query: str) -> dict[str, Any]:
    """The answer to an upload that succeeds."""
    asked = {"uploadType": "media", "name": name, **query}
    headers = {"content-type": "text/plain"}
    answer = http.post(f"/upload{OBJECTS}", params=asked, content=data, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def create(http: TestClient, fields: dict[str, Any], data: bytes = b"") -> Any:
    """The answer to an upload with fields, in two parts."""
    import json

    body = b"\r\n".join(
        [
            b"--x", b"content-type: application/json", b"", json.dumps(fields).encode(),
            b"--x", b"content-type: text/plain", b"", data, b"--x--", b"",
        ]
    )  # fmt: skip
    headers = {"content-type": "multipart/related; boundary=x"}
    path = "/upload/storage/v1/b/home/o?uploadType=multipart"
    return http.post(path, content=body, headers=headers)


def names(page: dict[str, Any]) -> list[str]:
    """The names of the items of a list."""
    return [item["name"] for item in page.get("items", [])]


def reason(answer: Any) -> str:
    """The reason of a refusal."""
    text: str = answer.json()["error"]["errors"][0]["reason"]
    return text
