"""Google's high-level SDK on a server of fake engines, in a project of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.sdk import initialise, no_other_host
from tests.emulator.custom import custom_engines
from tests.emulator.vertex import Vertex, fake_engines
from tests.local_cloud import LocalCloud, running_cloud


@pytest.fixture(scope="session")
def sdk_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server for all flows of the SDK."""
    folder = tmp_path_factory.mktemp("sdk") / "data"
    engines = (*fake_engines(), *custom_engines())
    with running_cloud(folder, *engines, "--image-pull-seconds", "1") as server:
        yield server


@pytest.fixture
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails the test that looks up another host's name."""
    with no_other_host(monkeypatch) as asked:
        yield asked


@pytest.fixture
def plain(sdk_server: LocalCloud) -> Vertex:
    """A new project by plain HTTP: the second witness."""
    return Vertex(sdk_server.url, f"sdk-{uuid4().hex[:10]}")


@pytest.fixture
def sdk_flow(
    sdk_server: LocalCloud,
    plain: Vertex,
    monkeypatch: pytest.MonkeyPatch,
    only_this_machine: list[str],
) -> Any:
    """google.cloud.aiplatform, set to the new project and a staging bucket of its own."""
    assert only_this_machine == []
    bucket = plain.bucket(f"{plain.project}-staging")
    return initialise(
        sdk_server, monkeypatch, project=plain.project, staging_bucket=f"gs://{bucket}"
    )
