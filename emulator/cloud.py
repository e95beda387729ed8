"""The frozen bundle that every rule is given: store, blobs, clock, jobs, settings."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.clock import Clock
from emulator.faults import Faults
from emulator.store.blobs import Blobs
from emulator.store.resources import Resources
from emulator.store.sqlite import Store

if TYPE_CHECKING:
    from emulator.jobs import Jobs
    from emulator.operations import Operations


@dataclass(frozen=True)
class ServerSettings:
    """How the server was started; `host` and `port` are those it really listens on."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    projects: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    require_auth: bool = False
    fsync: bool = False
    seconds_per_node_hour: float = 7.5
    memory: bool = False
    run_user_code: bool = False
    image_pull_seconds: float = 20.0
    build_seconds: float = 1.0
    allowed_hosts: tuple[str, ...] = ()
    allow_keys: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def base_url(self) -> str:
        """The server's own address, without a slash at the end; 0.0.0.0 is reached by loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"

    @property
    def default_project(self) -> str:
        """The project of the local service account, and of clients that name none."""
        return self.projects[0] if self.projects else "local-project"


@dataclass(frozen=True)
class Cloud:
    """Everything a rule may use; nothing else is shared between requests."""

    settings: ServerSettings
    clock: Clock
    store: Store
    resources: Resources
    blobs: Blobs
    faults: Faults
    operations: Operations
    jobs: Jobs
