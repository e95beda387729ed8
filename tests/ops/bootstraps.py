"""A stack that `ops bootstrap` makes with every module, and what a local cloud then has of it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ops import settings
from ops.cloud import emulator
from tests.local_cloud import clean_environment
from tests.ops.conftest import OPS, Ran

PROJECT, STACK, ACCOUNT = "kept-project", "whole", "012345-567890-ABCDEF"
# Everything that infra/ can make, and nothing that stops a teardown.
TOML = f"""
project = "{PROJECT}"
stack = "{STACK}"

[infra]
automl_members = ["user:ada@example.com"]
budget = {{ billing_account = "{ACCOUNT}", amount = 50, email = "ada@example.com" }}
contact_email = "ada@example.com"
deletion_protection = false
github = {{ owner_id = "1234", repository_id = "567890" }}

[infra.gpu_quota]
t4 = {{ gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }}
"""
# What there must be one of, or three: a second one is made without any error.
ONCE = {
    "budgets": 1,
    "channels": 1,
    "accounts": 3,
    "buckets": 2,
    "pools": 1,
    "preferences": 1,
    "repositories": 1,
}


@dataclass(frozen=True)
class Home:
    """A folder from which `ops` is typed, with a local cloud of its own."""

    folder: Path
    data: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every `ops` here."""
        return clean_environment(**{settings.EMULATOR_DATA: str(self.data)})

    @property
    def url(self) -> str:
        """The local cloud's address."""
        server = emulator.find(self.data)
        assert server is not None
        return server.url

    def ops(self, *arguments: str) -> Ran:
        """How a run of `ops` ended and what it printed."""
        done = subprocess.run(
            [OPS, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A run of `ops` that is not waited for, in a process group of its own."""
        log = (self.folder / "started.log").open("ab")
        return subprocess.Popen(
            [OPS, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def terraforms(self) -> list[Any]:
        """Terraform and its providers, those that work in the stack's folder."""
        import psutil

        where = str(self.folder / ".ops" / STACK / "terraform")
        return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == where]

    def kill(self, process: subprocess.Popen[bytes], *, everything: bool) -> None:
        """`kill -9` of `ops`, alone or with all that it started."""
        process.kill()
        process.wait()
        if everything:
            for one in self.terraforms():
                one.send_signal(signal.SIGKILL)

    def lock(self, who: str) -> str:
        """The generation of a lock on the state that somebody holds from now on."""
        path = f"/upload/storage/v1/b/{PROJECT}-ops-{STACK}-state/o"
        query = {"uploadType": "media", "name": "infra/default.tflock", "ifGenerationMatch": "0"}
        body = {"Who": who, "Operation": "OperationTypeApply", "Created": "2026-11-22T00:00:00Z"}
        answer = httpx.post(self.url + path, params=query, json=body).raise_for_status()
        return str(answer.json()["generation"])

    def counts(self) -> dict[str, int]:
        """How many there are of what must not be made twice."""
        base = f"/v1/projects/{PROJECT}"
        found = {
            "budgets": self._listed(f"/v1/billingAccounts/{ACCOUNT}/budgets", "budgets"),
            "channels": self._listed(
                f"/v3/projects/{PROJECT}/notificationChannels", "notificationChannels"
            ),
            "accounts": self._listed(f"{base}/serviceAccounts", "accounts"),
            "buckets": self._listed(f"/storage/v1/b?project={PROJECT}", "items"),
            "pools": self._listed(
                f"{base}/locations/global/workloadIdentityPools", "workloadIdentityPools"
            ),
            "preferences": self._listed(
                f"{base}/locations/global/quotaPreferences", "quotaPreferences"
            ),
            "repositories": self._listed(
                f"{base}/locations/us-central1/repositories", "repositories"
            ),
        }
        own = [one for one in found["accounts"] if one["email"].startswith(f"{STACK}-")]
        return {**{key: len(rows) for key, rows in found.items()}, "accounts": len(own)}

    def _listed(self, path: str, key: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (
            httpx.get(self.url + path).raise_for_status().json().get(key, [])
        )
        return rows


def home(folder: Path) -> Home:
    """A home with the settings of the whole stack."""
    made = Home(folder / "home", folder / "emulator")
    made.folder.mkdir(parents=True)
    (made.folder / "ops.toml").write_text(TOML)
    return made


def killed(here: Home, moment_seconds: float, *, everything: bool) -> str:
    """What `ops bootstrap` was about when it was killed at that moment; it was begun anew."""
    process = here.start("bootstrap", "--yes")
    deadline = time.monotonic() + moment_seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    over = process.poll() is not None
    here.kill(process, everything=everything)
    return "done already" if over else _last_made(here)


def _last_made(here: Home) -> str:
    """What Terraform was about, and how much of it was made, by what lies in its folder."""
    folder = here.folder / ".ops" / STACK / "terraform"
    running, log = folder / "running.json", folder / "log.jsonl"
    if not running.is_file():
        return "no Terraform at work"
    text = log.read_text(errors="replace") if log.is_file() else ""
    made = text.count('"type":"apply_complete"')
    command = json.loads(running.read_text())["command"]
    return f"{command}, {made} made" if command == "apply" else str(command)


def moments(seed: int, count: int, longest_seconds: float) -> list[float]:
    """Random instants, the same for the same seed."""
    chosen = random.Random(seed)
    return [chosen.uniform(0.3, longest_seconds) for _ in range(count)]
