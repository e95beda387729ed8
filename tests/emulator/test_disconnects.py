"""Clients that go away in the middle of a request: nothing of the server's has failed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.local_cloud import LocalCloud

CUT_SHORT = [
    "POST /storage/v1/b?project=p-1",
    "POST /batch/storage/v1",
    "PUT /some-bucket?cors",
    "PUT /some-bucket/x",
    "POST /upload/storage/v1/b/some-bucket/o?uploadType=media&name=x",
    "POST /v1/projects/p-1/locations/us-central1/datasets",
    "POST /storage/v1/b/some-bucket/o/x",
    "POST /_emulator/faults",
    "POST /token",
]
MORE = ["Content-Type: application/json", "Content-Length: 100000"]
OVER = [
    "X-HTTP-Method-Override: GET",
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Length: 1000",
]


def test_who_goes_away_leaves_no_error_in_the_log(
    start: Callable[..., LocalCloud], tmp_path: Path
) -> None:
    """Half a body, then nothing: no traceback, and the server answers the next."""
    cloud = start()
    address = urlsplit(cloud.url)
    httpx.post(f"{cloud.url}/storage/v1/b?project=p-1", json={"name": "some-bucket"})

    for line in CUT_SHORT:
        for headers in (MORE, OVER):
            head = [f"{line} HTTP/1.1", f"Host: {address.netloc}", *headers, "", "{"]
            with socket.create_connection(("127.0.0.1", address.port or 0)) as connection:
                connection.sendall("\r\n".join(head).encode())
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(10)
                try:
                    while connection.recv(1 << 16):
                        pass
                except ConnectionResetError:
                    pass

    assert httpx.get(f"{cloud.url}/_emulator/health").status_code == 200
    log = (tmp_path / "own.log").read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
