"""The jobs of one data folder: launched once, found again after a restart, ended when asked."""

import asyncio
import contextlib
import logging
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator import job_faults
from emulator.jobs import processes
from emulator.jobs.spec import Ending, JobSpec, read_json, write_json

LOG = logging.getLogger("emulator.jobs")
POLL_SECONDS = 0.05
# Looking at the process table is dearer than looking for a file.
POLLS_PER_LIVENESS_CHECK = 10
# A number of Vertex AI's, alone or behind the word for what is no training.
JOB_ID = re.compile(r"(batch-)?\d{15,}(-.+)?|serve-[0-9a-f]{12}-.+")
SUPERVISOR = Path(__file__).with_name("supervisor.py")


class Jobs:
    """Supervised processes and the tasks that follow them.

    Nothing here is kept in memory only: `start()` calls what was registered with `on_start`,
    which takes up everything unfinished; `stop()` leaves all processes running.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starters: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- following ---

    def on_start(self, starter: Callable[[], None]) -> None:
        """Registers what takes up unfinished work, called in the event loop by `start`."""
        self._starters.append(starter)

    def start(self) -> None:
        """Unfinished work is followed again. Call it in the event loop."""
        self._loop = asyncio.get_running_loop()
        self.folder.mkdir(parents=True, exist_ok=True)
        for starter in self._starters:
            starter()

    def stop(self) -> None:
        """Nobody follows any more, the processes go on."""
        for task in list(self._tasks):
            task.cancel()

    def resume(self) -> None:
        """As `start`, from any thread, once what `remove_all` stopped is to be followed anew."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.start)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """The coroutine runs beside the requests, its failure is logged."""
        assert self._loop is not None, "start() comes first"
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            LOG.error("%s failed", task.get_name(), exc_info=problem)

    # --- processes ---

    def path(self, job_id: str) -> Path:
        """The folder of one job."""
        return self.folder / job_id

    def ids(self, prefix: str = "") -> list[str]:
        """The jobs that have a folder; what else lies there is somebody else's."""
        folders = [path for path in self.folder.glob(f"{prefix}*") if path.is_dir()]
        return [
            path.name
            for path in folders
            if JOB_ID.fullmatch(path.name) or (path / "spec.json").exists()
        ]

    def running(self) -> list[str]:
        """The jobs that somebody supervises now."""
        return [name for name in self.ids() if self.ending(name) is None and self.is_alive(name)]

    def end_all(self) -> list[str]:
        """The jobs that ran: ended, their folders kept, for the next server to see. Blocks."""
        names = self.running()
        for name in names:
            self.cancel(name)
        for name in names:
            while self.ending(name) is None and self.is_alive(name):
                time.sleep(POLL_SECONDS)
            self._kill_child(name)
            self._reap(name)
        return names

    def launch(self, spec: JobSpec) -> None:
        """The job runs under a supervisor. A job that runs or has ended is left alone.

        ApiError where a fault was asked for: there is no machine for it.
        """
        job_faults.check_stock()
        spec = replace(spec, dies=job_faults.death())
        folder = self.path(spec.id)
        folder.mkdir(parents=True, exist_ok=True)
        if not self.was_launched(spec.id):
            write_json(folder / "spec.json", spec.to_json())
        self.relaunch(spec.id)

    def relaunch(self, job_id: str) -> None:
        """A job that has its spec but never met a supervisor gets one."""
        if self.was_supervised(job_id) or job_id in self._children:
            return
        folder = self.path(job_id)
        with (folder / "supervisor.log").open("ab") as log:
            self._children[job_id] = subprocess.Popen(
                [sys.executable, "-P", str(SUPERVISOR), str(folder)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def was_launched(self, job_id: str) -> bool:
        """Whether the job's spec is there: everything it needs was made ready before."""
        return (self.path(job_id) / "spec.json").exists()

    def was_supervised(self, job_id: str) -> bool:
        """Whether a supervisor has ever taken the job on."""
        return (self.path(job_id) / "supervisor.json").exists()

    def ending(self, job_id: str) -> Ending | None:
        """How the job ended, or None while `exit.json` is not there."""
        ended = read_json(self.path(job_id) / "exit.json")
        return None if ended is None else Ending(**ended)

    def is_alive(self, job_id: str) -> bool:
        """Whether somebody supervises the job now, or is about to."""
        child = self._children.get(job_id)
        if child is not None and child.poll() is None:
            return True
        known = read_json(self.path(job_id) / "supervisor.json")
        return known is not None and processes.is_alive(known["pid"], known["processStarted"])

    async def finished(
        self, job_id: str, is_unwanted: Callable[[], bool] = lambda: False
    ) -> Ending:
        """How the job ended, when it has; it is asked to end while `is_unwanted` says so."""
        polls = 0
        while True:
            if (ending := self.ending(job_id)) is not None:
                await asyncio.to_thread(self._reap, job_id)
                return ending
            polls += 1
            if polls % POLLS_PER_LIVENESS_CHECK == 0:
                if not self.is_alive(job_id):
                    return self.ending(job_id) or self._lost(job_id)
                if is_unwanted():
                    self.cancel(job_id)
            await asyncio.sleep(POLL_SECONDS)

    def _lost(self, job_id: str) -> Ending:
        self._kill_child(job_id)
        self._reap(job_id)
        return Ending("lost", message="Its supervisor is gone: killed, or the machine restarted.")

    def _kill_child(self, job_id: str) -> None:
        known = read_json(self.path(job_id) / "supervisor.json") or {}
        if "childPid" in known:
            processes.kill_group(known["childPid"], known["childStarted"])

    def _reap(self, job_id: str) -> None:
        child = self._children.pop(job_id, None)
        if child is not None:
            # The supervisor's last act is the file we have just read.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1.0)

    def cancel(self, job_id: str) -> None:
        """The supervisor is asked to end the job (SIGTERM, then SIGKILL)."""
        known = read_json(self.path(job_id) / "supervisor.json")
        if known is not None:
            processes.signal_process(known["pid"], known["processStarted"], signal.SIGTERM)

    def clear(self, job_id: str) -> None:
        """The view of an ended job is gone, its logs and its ending stay. Blocks."""
        shutil.rmtree(self.path(job_id) / "mount", ignore_errors=True)

    def remove(self, job_id: str) -> None:
        """The job is ended if it runs and its folder is gone. Blocks: use a thread."""
        while self.is_alive(job_id) and self.ending(job_id) is None:
            self.cancel(job_id)
            time.sleep(POLL_SECONDS)
        self._kill_child(job_id)
        self._reap(job_id)
        shutil.rmtree(self.path(job_id), ignore_errors=True)

    def discard(self, job_id: str) -> None:
        """Nothing; `remove` happens beside the requests."""
        self.spawn(self._discard(job_id), f"remove {job_id}")

    async def _discard(self, job_id: str) -> None:
        await asyncio.to_thread(self.remove, job_id)

    def remove_all(self) -> None:
        """Every job and server of this folder is ended and forgotten. Blocks."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stop)
        names = self.ids()
        for name in names:
            self.cancel(name)
        for name in names:
            self.remove(name)
