"""How a custom job goes on: prepare, launch, follow, conclude; taken up at any point.

As with training pipelines, all state is in the store and in the job's folder, so that a server
that was killed between any two steps finds where it was.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from typing import Any

from emulator.aiplatform import (
    component_code,
    custom_environment,
    custom_failures,
    custom_spec,
    names,
    storage_access,
    unknown_images,
)
from emulator.aiplatform.lifecycles import CANCELLED, CUSTOM_JOB
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.jobs import Ending, JobSpec, engines, open_files, user_code
from emulator.jobs.outputs import Outputs
from emulator.jobs.spec import read_json
from emulator.logging import collector, entries
from emulator.metering import record_custom_job
from emulator.operations import status
from emulator.storage.errors import StorageError

LOG = logging.getLogger("emulator.aiplatform")
Body = dict[str, Any]
LIFE = CUSTOM_JOB
COMMAND_IGNORED = "The local cloud does not execute the container's own command; its args are kept."
TAKE_SECONDS = 0.5
# Looking at a view of many files takes long: at most this share of the time is spent on it.
TAKE_SHARE = 0.1


def take_up(cloud: Cloud) -> None:
    """Every job that has not ended is followed again; those of pipelines by their pipelines."""
    for name in LIFE.unfinished(cloud):
        cloud.jobs.spawn(go_on(cloud, name), name)


async def go_on(cloud: Cloud, name: str) -> None:
    """Follows a job that belongs to nobody."""
    await follow(cloud, name)


async def follow(cloud: Cloud, name: str) -> Body:
    """The job in a final state."""
    try:
        await _advance(cloud, name)
    except (ApiError, StorageError) as problem:
        said = problem if isinstance(problem, ApiError) else ApiError("NOT_FOUND", problem.message)
        _fail(cloud, name, said)
    except Exception as problem:
        LOG.exception("custom job %s failed", name)
        _fail(cloud, name, ApiError("INTERNAL", f"Internal error: {problem!r}"))
    await asyncio.to_thread(cloud.jobs.clear, names.last(name))
    custom_environment.forget_key(cloud, name)
    return cloud.resources.require(name)


async def _advance(cloud: Cloud, name: str) -> None:
    job = names.last(name)
    body = cloud.resources.require(name)
    if LIFE.is_final(body):
        return
    if not cloud.jobs.was_launched(job):
        command = _command(cloud, body)
        if command is None:
            await unknown_images.wait(cloud, body, lambda: LIFE.is_cancelling(cloud, name))
            conclude(cloud, name, Ending("cancelled"))
            return
        spec = await asyncio.to_thread(_prepare, cloud, body, command)
        if LIFE.is_cancelling(cloud, name):
            conclude(cloud, name, Ending("cancelled"))
            return
        cloud.jobs.launch(spec)
    else:
        cloud.jobs.relaunch(job)
    _mark_running(cloud, name)
    ending = await _finished(cloud, name)
    await asyncio.to_thread(conclude, cloud, name, ending)


def _command(cloud: Cloud, body: Body) -> tuple[str, ...] | None:
    """The command that stands for the job's image, or None for an image nobody knows."""
    if component_code.SOURCE in body:
        return component_code.command(cloud, body)
    if package := custom_spec.primary(body["jobSpec"]).get("pythonPackageSpec"):
        allowed = cloud.settings.run_user_code
        return (sys.executable, "-m", package["pythonModule"]) if allowed else None
    return engines.find(cloud.settings.engines, "train", custom_spec.image(body["jobSpec"]))


def _prepare(cloud: Cloud, body: Body, command: tuple[str, ...]) -> JobSpec:
    custom_environment.fill_view(cloud, body)
    job = names.last(body["name"])
    return JobSpec(
        job,
        (*command, *custom_spec.code(body["jobSpec"]).get("args", [])),
        {**custom_environment.variables(cloud, body), **_import_path(cloud, body, job)},
        custom_spec.timeout_seconds(body["jobSpec"]),
    )


def _import_path(cloud: Cloud, body: Body, job: str) -> dict[str, str]:
    """Where an uploaded package lies, unpacked."""
    package = custom_spec.primary(body["jobSpec"]).get("pythonPackageSpec", {})
    access = storage_access.of_job(cloud, body["name"], body["jobSpec"])
    for uri in package.get("packageUris", []):
        access.require_read(uri)
    folder = cloud.jobs.path(job) / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    found = [
        root
        for place, uri in enumerate(package.get("packageUris", []))
        for root in user_code.unpack(cloud, uri, folder / str(place))
    ]
    return {"PYTHONPATH": os.pathsep.join(map(str, found))} if found else {}


def _mark_running(cloud: Cloud, name: str) -> None:
    with cloud.store.transaction():
        if LIFE.mark_running(cloud, name):
            body = cloud.resources.require(name)
            entries.service(cloud, name, "Waiting for training program to start.")
            if custom_spec.code(body["jobSpec"]).get("command"):
                entries.service(cloud, name, COMMAND_IGNORED, "WARNING")


async def _finished(cloud: Cloud, name: str) -> Ending:
    """How the job ended; what it wrote has become objects, meanwhile and at the end."""
    job = names.last(name)
    outputs = custom_environment.outputs(cloud, cloud.resources.require(name))
    taking = asyncio.create_task(_keep_taking(cloud, name, outputs))
    try:
        ending = await cloud.jobs.finished(job, lambda: LIFE.is_cancelling(cloud, name))
    finally:
        taking.cancel()
        await asyncio.wait([taking])
    await asyncio.to_thread(collector.collect, cloud, name, is_over=True)
    await asyncio.to_thread(outputs.take, set(), is_over=True)
    return ending


async def _keep_taking(cloud: Cloud, name: str, outputs: Outputs) -> None:
    """Takes what the job has said and closed, again and again; never half a look."""
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        look = asyncio.ensure_future(asyncio.to_thread(_take, cloud, name, outputs))
        try:
            await asyncio.shield(look)
        except asyncio.CancelledError:
            await asyncio.wait([look])
            raise
        spent = loop.time() - started
        await asyncio.sleep(max(TAKE_SECONDS, spent / TAKE_SHARE))


def _take(cloud: Cloud, name: str, outputs: Outputs) -> None:
    known = read_json(cloud.jobs.path(names.last(name)) / "supervisor.json") or {}
    try:
        collector.collect(cloud, name)
        if "childPid" in known:
            outputs.take(open_files.written_by(known["childPid"]))
    except Exception:
        LOG.exception("logs and outputs of %s", name)


def conclude(cloud: Cloud, name: str, ending: Ending) -> None:
    """The final state and the bill are there together or not at all."""
    with cloud.store.transaction():
        body = cloud.resources.require(name)
        if LIFE.is_final(body):
            return
        if body["state"] == LIFE.state("CANCELLING"):
            _end(cloud, body, "CANCELLED", "Job is cancelled.", at=ending.at, error=CANCELLED)
        elif ending.is_success:
            _end(cloud, body, "SUCCEEDED", "Job completed successfully.", at=ending.at)
        else:
            _end_badly(cloud, body, custom_failures.failure(cloud, name, ending), ending.at)


def _end_badly(cloud: Cloud, body: Body, problem: ApiError, at: str = "") -> None:
    entries.service(cloud, body["name"], problem.message, "ERROR")
    _end(cloud, body, "FAILED", "Job failed.", at=at, error=status(problem))


def _end(cloud: Cloud, body: Body, word: str, said: str, **changes: Any) -> None:
    """The final state, its log line and the bill."""
    entries.service(cloud, body["name"], said)
    record_custom_job(cloud, LIFE.end(cloud, body, word, **changes))


def _fail(cloud: Cloud, name: str, problem: ApiError) -> None:
    """The job has failed, or is cancelled where somebody had asked for that."""
    with cloud.store.transaction():
        body = cloud.resources.get(name)
        if body is None or LIFE.is_final(body):
            return
        if body["state"] == LIFE.state("CANCELLING"):
            conclude(cloud, name, Ending("cancelled"))
        else:
            _end_badly(cloud, body, problem)
