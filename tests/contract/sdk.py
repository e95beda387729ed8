"""Google's high-level SDK sent to a local cloud, where every other host's name is a failure."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.local_cloud import LocalCloud

REGION = "us-central1"


def is_loopback(host: object) -> bool:
    """Whether a host is this machine; None is what a server listens on."""
    text = host.decode() if isinstance(host, bytes) else str(host)
    if host is None or text in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(text.strip("[]")).is_loopback
    except ValueError:
        return False


@contextmanager
def no_other_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuses to look up any name but this machine's; fails at the end if somebody asked."""
    asked: list[str] = []
    real: Callable[..., Any] = socket.getaddrinfo

    def look_up(host: object, *arguments: Any, **named: Any) -> Any:
        if not is_loopback(host):
            asked.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, f"not this machine: {host!r}")
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    assert not asked, f"looked up: {asked}"


def initialise(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Any:
    """google.cloud.aiplatform sent to the cloud by its environment, without long sleeps."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform
    from google.cloud.aiplatform import jobs, pipeline_jobs, training_jobs

    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    # The SDK sleeps so many seconds between two looks (emulation.md, trap 5).
    for module in (jobs, training_jobs, pipeline_jobs):
        monkeypatch.setattr(module, "_JOB_WAIT_TIME", 0.1)
        monkeypatch.setattr(module, "_LOG_WAIT_TIME", 0.1)
    aiplatform.init(
        **{
            "location": REGION,
            "api_endpoint": cloud.url,
            "api_transport": "rest",
            "credentials": AnonymousCredentials(),  # type: ignore[no-untyped-call]
            **more,
        }
    )
    return aiplatform


def projects_client(cloud: LocalCloud) -> Any:
    """Google's client of Resource Manager over REST, sent to the cloud."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import resourcemanager_v3

    return resourcemanager_v3.ProjectsClient(
        transport="rest",
        client_options={"api_endpoint": cloud.url},
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )


def lead_resource_manager(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends here the client by which the SDK asks, over gRPC at Google, whose a bucket is."""
    from google.cloud import resourcemanager

    client = projects_client(cloud)
    monkeypatch.setattr(resourcemanager, "ProjectsClient", lambda **_: client)
