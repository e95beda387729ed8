"""Kills at random instants: of the server, or of `ops` itself, while a command works."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.local_cloud import ROOT, clean_environment

OPS = Path(sys.executable).with_name("ops")
COMMAND_SECONDS = 300
KINDS = ("datasets", "trainingPipelines", "models", "endpoints")


@dataclass
class Life:
    """The commands of one user, on a cloud of their own under `folder`."""

    folder: Path
    stack: str = "default"
    ended: list[str] = field(default_factory=list)

    @property
    def cloud(self) -> Path:
        """The server's data folder."""
        return self.folder / "cloud"

    def variables(self) -> dict[str, str]:
        """What leads `ops` to this cloud and stack."""
        return clean_environment(
            OPS_EMULATOR_DATA=str(self.cloud),
            OPS_STACK=self.stack,
            OPS_STATE_DIR=str(self.folder / "state"),
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """A command at work."""
        return subprocess.Popen(
            [str(OPS), *words, "--json"],
            cwd=ROOT,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> dict[str, Any]:
        """The result of a command that must end well."""
        process = self.begin(*words)
        out, err = process.communicate(timeout=COMMAND_SECONDS)
        assert process.returncode == 0, f"ops {' '.join(words)}: {out[-1500:]}\n{err[-1500:]}"
        return dict(json.loads(out)["result"])

    def server(self) -> dict[str, Any]:
        """What the server wrote about itself; {} before the first start."""
        try:
            return dict(json.loads((self.cloud / "server.json").read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def port(self) -> int:
        """Where the server is, or was last."""
        return int(self.server().get("port", 1))

    def twice(self) -> list[str]:
        """What the server holds more often than it was asked for; empty is well."""
        return sorted(found_twice(self.port(), self.stack))

    def kill_server(self) -> bool:
        """Whether there was a server to kill."""
        server = self.server()
        return bool(server) and kill_if_same(server["pid"], server["process_started"])


def kill_if_same(pid: int, started: float) -> bool:
    """SIGKILL to this process, unless its pid belongs to another by now."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > 1:
            return False
        os.kill(pid, signal.SIGKILL)
        process.wait(timeout=10)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired, ProcessLookupError):
        return False
    return True


def killed(life: Life, victim: str, after_seconds: float, *words: str) -> str:
    """How the command went, whose server or self was killed after so many seconds."""
    process = life.begin(*words)
    time.sleep(after_seconds)
    done_before = process.poll() is not None
    if victim == "server":
        hit = life.kill_server()
    else:
        hit = not done_before
        process.kill()
    process.communicate(timeout=COMMAND_SECONDS)
    when = "after its end" if done_before else "at work"
    return f"{words[0]} {after_seconds:5.2f} s {when}, {'hit' if hit else 'no server'}"


def seconds_of(life: Life, *words: str) -> float:
    """How long the command takes undisturbed."""
    started = time.monotonic()
    life.run(*words)
    return time.monotonic() - started


def instants(randomly: random.Random, within_seconds: float, count: int) -> list[float]:
    """Random instants of a command that takes so long."""
    return [randomly.uniform(0.05, within_seconds) for _ in range(count)]


@contextmanager
def ended_at_last(life: Life) -> Iterator[Life]:
    """A life whose server, jobs and prediction servers are killed at the end."""
    try:
        yield life
    finally:
        for process in psutil.process_iter(["pid", "cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if str(life.folder) in words or str(life.cloud) in environment_of(process):
                process.kill()


def environment_of(process: psutil.Process) -> str:
    """The process's variables as text; empty for one that may not be read."""
    try:
        return "\n".join(process.environ().values())
    except psutil.Error:
        return ""


def found_twice(port: int, stack: str) -> Iterator[str]:
    """Resources and versions of one run, deployed models, data items there more than once."""
    ours = {kind: listed(port, kind, stack) for kind in KINDS}
    names = [model["name"] for model in ours["models"]]
    ours["models"] = [
        v for name in names for v in listed_all(port, f"{name}:listVersions", "models")
    ]
    for kind, found in ours.items():
        runs = Counter(one["labels"]["ops-run"] for one in found)
        yield from (f"{kind} of {run}: {count}" for run, count in runs.items() if count > 1)
    for endpoint in ours["endpoints"]:
        models = Counter(one["model"] for one in endpoint.get("deployedModels", []))
        yield from (f"{model} deployed {count}" for model, count in models.items() if count > 1)
    for dataset in ours["datasets"]:
        items = listed_all(port, f"{dataset['name']}/dataItems", "dataItems")
        photos = Counter(item["payload"]["imageGcsUri"] for item in items)
        yield from (f"{photo} x {count}" for photo, count in photos.items() if count > 1)


def listed(port: int, kind: str, stack: str) -> list[dict[str, Any]]:
    """The resources of one kind that carry the stack's label."""
    parent = "projects/local-project/locations/us-central1"
    every = listed_all(port, f"{parent}/{kind}", kind)
    return [one for one in every if one.get("labels", {}).get("ops-stack") == stack]


def listed_all(port: int, path: str, key: str) -> list[dict[str, Any]]:
    """Every page of a list, asked for with plain HTTP."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        url = f"http://127.0.0.1:{port}/v1/{path}?pageSize=100&pageToken={token}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            page = json.load(answer)
        found += page.get(key, [])
        token = page.get("nextPageToken", "")
        if not token:
            return found
