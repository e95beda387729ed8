"""A session and a ledger on a fresh local cloud, and `ops` as a process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops import settings
from ops.cloud import emulator, storage
from ops.cloud.session import Session
from ops.ledger import Ledger
from ops.settings import Settings
from tests.local_cloud import LocalCloud, clean_environment

OPS = Path(sys.executable).with_name("ops")


@dataclass(frozen=True)
class Ran:
    """How a run of `ops` ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def message(self) -> str:
        """Standard error without the first line, which says target, project and stack."""
        return self.err.partition("\n")[2] if self.err.startswith("target ") else self.err


Ops = Callable[..., Ran]


@pytest.fixture
def cloud_settings(cloud: LocalCloud, tmp_path: Path) -> Settings:
    """Settings whose local cloud is the test's own."""
    environ = {settings.EMULATOR_DATA: str(cloud.data), settings.STATE_DIR: str(tmp_path / ".ops")}
    return settings.read({}, environ, tmp_path)


@pytest.fixture
def session(cloud: LocalCloud, cloud_settings: Settings) -> Session:
    """A session on the test's local cloud."""
    from google.auth.credentials import AnonymousCredentials

    return Session(cloud_settings, AnonymousCredentials(), base_url=cloud.url)  # type: ignore[no-untyped-call]


@pytest.fixture
def ledger(session: Session) -> Ledger:
    """The ledger of a stack whose bucket is there."""
    storage.ensure_bucket(session)
    return Ledger(session)


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    """`ops` as a process in an empty folder, with a local cloud that ends with the test."""
    data, folder = tmp_path / "emulator", tmp_path / "home"
    folder.mkdir()

    def run(*arguments: str, **variables: str) -> Ran:
        environ = clean_environment(**{settings.EMULATOR_DATA: str(data), **variables})
        done = subprocess.run(
            [OPS, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    yield run
    emulator.stop(data)
