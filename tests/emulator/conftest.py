"""Servers for the emulator's tests: one process for a session, and apps in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from emulator.accounts import account, key_file
from emulator.app import build_app, close_cloud, open_cloud
from emulator.clock import SteppedClock
from emulator.cloud import Cloud, ServerSettings
from tests.local_cloud import LocalCloud, running_cloud

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client
    from starlette.testclient import TestClient

PROJECT = "test-project"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server process for all tests that only add to it."""
    with running_cloud(tmp_path_factory.mktemp("server") / "data", "--allow-keys") as cloud:
        yield cloud


@pytest.fixture
def http(server: LocalCloud) -> Iterator[httpx.Client]:
    """Raw HTTP to the session's server."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def client(server: LocalCloud) -> Client:
    """Google's client, sent to the session's server."""
    return storage_client(server.url)


@pytest.fixture
def bucket(client: Client) -> Bucket:
    """A new bucket of the session's server."""
    return client.create_bucket(f"bucket-{uuid4().hex[:12]}")


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that stands still."""
    return SteppedClock()


@pytest.fixture(scope="session")
def key_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key file for clouds in this process: to make a new key for each takes longer than most."""
    settings = ServerSettings(data_dir=tmp_path_factory.mktemp("key"), port=8787, memory=True)
    account(settings)
    return key_file(settings).read_text(encoding="utf-8")


@pytest.fixture
def local(tmp_path: Path, clock: SteppedClock, key_text: str) -> Iterator[Cloud]:
    """A cloud in this process, on the stepped clock."""
    settings = ServerSettings(data_dir=tmp_path / "local", port=8787, memory=True, allow_keys=True)
    settings.data_dir.mkdir()
    key_file(settings).write_text(key_text, encoding="utf-8")
    key_file(settings).chmod(0o600)
    cloud = open_cloud(settings, clock)
    yield cloud
    close_cloud(cloud)


@pytest.fixture
def local_http(local: Cloud) -> Iterator[TestClient]:
    """HTTP to the cloud in this process; a failure of the server is an answer, not an exception."""
    from starlette.testclient import TestClient

    url = local.settings.base_url
    with TestClient(build_app(local), base_url=url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LocalCloud]]:
    """Starts servers of this test's own; all are stopped at its end."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start_server(*arguments: str, name: str = "own") -> LocalCloud:
            return stack.enter_context(running_cloud(tmp_path / name, *arguments))

        yield start_server


@pytest.fixture
def connect() -> Callable[[str], Client]:
    """Google's client for the address of a server."""
    return storage_client


def storage_client(url: str, project: str = PROJECT) -> Client:
    """Google's client without credentials, sent to a server by its endpoint option."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    return Client(
        project=project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": url},
    )
