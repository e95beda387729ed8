"""Who is let in without a token, where the server asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emulator.accounts import key_file
from emulator.app import build_app, close_cloud, open_cloud
from emulator.cloud import ServerSettings

if TYPE_CHECKING:
    from google.oauth2.service_account import Credentials
    from starlette.testclient import TestClient

PORT = 8787
FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Path]]:
    """A server that asks everybody for a token, and its key file; it has the bucket `strict`."""
    from starlette.testclient import TestClient

    folder = tmp_path_factory.mktemp("strict")
    settings = ServerSettings(folder, port=PORT, memory=True, require_auth=True)
    cloud = open_cloud(settings)
    with TestClient(build_app(cloud), base_url=settings.base_url) as client:
        yield client, key_file(settings)
    close_cloud(cloud)


@pytest.fixture(scope="module")
def account(strict: tuple[TestClient, Path]) -> Credentials:
    """The data folder's account, its bucket made by a signed request."""
    from google.oauth2.service_account import Credentials

    client, path = strict
    made: Credentials = Credentials.from_service_account_file(path)  # type: ignore[no-untyped-call]
    assert client.put(url(made, "/strict", "PUT")).status_code == 200
    return made


def url(account: Credentials, path: str, method: str) -> str:
    """A signed path and query."""
    from google.cloud.storage._signing import generate_signed_url_v4

    end = f"http://127.0.0.1:{PORT}"
    made: str = generate_signed_url_v4(account, path, 60, api_access_endpoint=end, method=method)
    return made.removeprefix(end)


def test_a_signature_is_enough(strict: tuple[TestClient, Path], account: Credentials) -> None:
    """Signed requests need no token; the same unsigned, or signed wrongly, are refused."""
    client, _ = strict
    put = url(account, "/strict/x", "PUT")

    assert client.put(put, content=b"x").status_code == 200
    assert client.get(url(account, "/strict/x", "GET")).content == b"x"
    assert client.get("/strict/x").status_code == 403
    assert client.put("/strict/x", content=b"y").status_code == 401
    assert client.delete(put).status_code == 403
    assert client.get("/storage/v1/b/strict?X-Goog-Signature=00").status_code == 401


def test_a_session_s_address_is_enough(
    strict: tuple[TestClient, Path], account: Credentials
) -> None:
    """The address of a resumable upload lets in who knows it, and nobody who guesses."""
    client, _ = strict
    begun = client.post(
        url(account, "/strict/long", "RESUMABLE"), headers={"x-goog-resumable": "start"}
    )
    address = begun.headers["location"]
    page = {"origin": "http://page.example"}

    assert client.put(address, content=b"long", headers=page).status_code == 200
    assert client.get(url(account, "/strict/long", "GET")).content == b"long"
    guessed = address.rsplit("=", 1)[0] + "=" + "0" * 32
    assert client.put(guessed, content=b"x").status_code == 404


@pytest.mark.parametrize("path", ["/strict/x?uploads", "/strict/x?uploadId=1", "/strict/x"])
def test_a_form_s_head_alone_opens_nothing(
    strict: tuple[TestClient, Path], account: Credentials, path: str
) -> None:
    """What only looks like a form is asked for a token as everything else."""
    client, _ = strict
    assert account

    assert client.post(path, headers=FORM, content=b"").status_code == 401
    assert client.post("/strict", headers=FORM, content=b"--b--").status_code == 400


def test_a_form_is_no_way_around_the_token(
    strict: tuple[TestClient, Path], account: Credentials
) -> None:
    """The type of a form, which proves itself by its policy, proves no deletion."""
    client, _ = strict
    client.put(url(account, "/strict/kept", "PUT"), content=b"x")

    answer = client.post(
        "/strict?delete", content="<Delete><Object><Key>kept</Key></Object></Delete>", headers=FORM
    )

    assert answer.status_code == 401
    assert client.get(url(account, "/strict/kept", "GET")).status_code == 200
