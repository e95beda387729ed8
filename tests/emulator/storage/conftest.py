"""A cloud for tests of signatures: one for them all, since each makes an RSA key, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from emulator.app import build_app, close_cloud, open_cloud
from emulator.cloud import Cloud, ServerSettings

if TYPE_CHECKING:
    from starlette.testclient import TestClient

START = datetime(2026, 1, 1, tzinfo=UTC)


class SetClock:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return self.moment


@pytest.fixture(scope="session")
def signing_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud in this process that signatures are checked by."""
    settings = ServerSettings(tmp_path_factory.mktemp("signing"), port=8787, memory=True)
    cloud = open_cloud(settings, SetClock())
    yield cloud
    close_cloud(cloud)


@pytest.fixture(scope="session")
def signing_http(signing_cloud: Cloud) -> Iterator[TestClient]:
    """HTTP to it; a failure of the server is an answer, not an exception."""
    from starlette.testclient import TestClient

    url = signing_cloud.settings.base_url
    app = build_app(signing_cloud)
    with TestClient(app, base_url=url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def set_clock(signing_cloud: Cloud) -> Iterator[SetClock]:
    """Its clock, at START again before and after each test."""
    clock = signing_cloud.clock
    assert isinstance(clock, SetClock)
    clock.moment = START
    yield clock
    clock.moment = START
