"""Kill the server at random instants while a writer writes, and check what is there after each."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.emulator.kills.checks import Checker
from tests.emulator.kills.wire import PLAIN, PROJECT, VERSIONED, Wire
from tests.emulator.kills.writer import STOP
from tests.local_cloud import ROOT, LocalCloud, clean_environment, start_cloud, stop_cloud

# The server writes for so long before it dies; a start takes about a second.
WRITING_SECONDS = (0.02, 0.7)
START_SECONDS = (0.05, 1.2)
# Of all kills, how many hit a server that is starting.
STARTING = 0.15
EVERYTHING_EVERY = 25


@dataclass(frozen=True)
class Outcome:
    """The figures of a campaign; `problems` is empty when nothing was lost, torn or left over."""

    seed: int
    kills: int
    kills_starting: int
    acknowledged: int
    unanswered: int
    checked_keys: int
    checked_bodies: int
    seconds: float
    problems: list[str]


def campaign(folder: Path, seed: int, kills: int, threads: int = 3) -> Outcome:
    """Runs `kills` kills with one writer process of `threads` threads; stops at the first problem.

    `folder` gets the server's data and log, the journal, and the writer's log.
    """
    began = time.monotonic()
    chance = random.Random(seed)
    checker = Checker(folder / "data", folder / "journal", random.Random(seed))
    checker.journal.touch()
    starting = done = 0
    with contextlib.ExitStack() as stack:
        cloud = start_cloud(folder / "data")
        stack.callback(lambda: stop_cloud(cloud))
        actions = prepare(cloud.url)
        writer = stack.enter_context(running_writer(folder, seed, threads, actions))
        while done < kills and not checker.problems and writer.poll() is None:
            turn(folder, f"{cloud.url} {done}")
            kill_after(cloud, chance.uniform(*WRITING_SECONDS))
            done += 1
            while done < kills and chance.random() < STARTING:
                kill_starting(folder / "data", chance.uniform(*START_SECONDS))
                starting, done = starting + 1, done + 1
            cloud = start_cloud(folder / "data")
            checker.check(cloud.url, everything=done % EVERYTHING_EVERY == 0)
        checker.check(cloud.url, everything=True)
        turn(folder, STOP)
        kill_after(cloud, 0)
        if writer.wait(timeout=30) != 0:
            checker.problems.append((folder / "writer.log").read_text()[-2000:])
    return Outcome(
        seed,
        done,
        starting,
        checker.known.acknowledged,
        len(checker.known.unanswered),
        checker.checked_keys,
        len(checker.whole),
        time.monotonic() - began,
        checker.problems,
    )


def prepare(url: str) -> list[str]:
    """Makes the two buckets; the names of the actions that this server has."""
    wire = Wire(url)
    for name in (PLAIN, VERSIONED):
        sent = {"name": name, "versioning": {"enabled": name == VERSIONED}}
        wire.json("POST", f"/storage/v1/b?project={PROJECT}", sent)
    actions = ["media", "multipart", "resumable", "patch", "copy", "delete", "bucket", "vertex"]
    if wire.ask("PUT", f"/{PLAIN}/probe", b"probe")[0] == 200:
        wire.ask("DELETE", f"/{PLAIN}/probe")
        actions.append("xml")
    path = f"/upload/storage/v1/b/{VERSIONED}/o?uploadType=media&name=probe"
    for data in (b"one", b"two"):
        wire.ask("POST", path, data)
    _, _, listed = wire.ask("GET", f"/storage/v1/b/{VERSIONED}/o?versions=true")
    for item in json.loads(listed)["items"]:
        name = f"/storage/v1/b/{VERSIONED}/o/probe?generation={item['generation']}"
        wire.ask("DELETE", name)
    if len(json.loads(listed)["items"]) == 2:
        actions.append("version")
    wire.close()
    return actions


@contextlib.contextmanager
def running_writer(
    folder: Path, seed: int, threads: int, actions: list[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The writer as a process of its own; it is gone at the end."""
    address = folder / "address"
    address.touch()
    command = [
        sys.executable, "-m", "tests.emulator.kills.writer", str(address), str(folder / "journal"),
        "--seed", str(seed), "--threads", str(threads), "--actions", *actions,
    ]  # fmt: skip
    with (folder / "writer.log").open("ab") as log:
        writer = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(), stdout=log, stderr=log
        )
    try:
        yield writer
    finally:
        writer.kill()
        writer.wait()


def turn(folder: Path, text: str) -> None:
    """Tells the writer where the server is now, in one step."""
    aside = folder / "address.new"
    aside.write_text(text, encoding="utf-8")
    aside.replace(folder / "address")


def kill_after(cloud: LocalCloud, seconds: float) -> None:
    """Lets the server be for a while, then `kill -9`."""
    timer = threading.Timer(seconds, cloud.process.kill)
    timer.start()
    timer.join()
    stop_cloud(cloud)


def kill_starting(data: Path, seconds: float) -> None:
    """Starts a server and kills it, ready or not."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    process.wait()


def seed_of_the_day() -> int:
    """The seed in OPS_TEST_SEED, or a new one."""
    text = os.environ.get("OPS_TEST_SEED")
    return int(text) if text else random.SystemRandom().randrange(10**9)
