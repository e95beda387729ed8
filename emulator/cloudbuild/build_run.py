"""What a build does: fetches its source, looks into it, registers the image. It runs no Docker.

The image's digest is made from the source and the step, so that the same build gives the same one;
nothing can be pulled by it. The log says so.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from emulator.artifactregistry import images
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, targets
from emulator.storage import objects
from emulator.storage.errors import StorageError
from emulator.storage.rights import GET
from emulator.tokens import Caller

Body = dict[str, Any]

DOCKER = "gcr.io/cloud-builders/docker"
PUSH = "artifactregistry.repositories.uploadArtifacts"
NOT_BUILT = (
    "The local cloud runs no Docker: the build file was found in the source and not executed. "
    "The image is registered under a digest of source and step, and holds nothing."
)


class BuildError(Exception):
    """Why a build fails: a type of FailureInfo, and a sentence."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def run(cloud: Cloud, body: Body, ended: str) -> Body:
    """What a build ends with: its state, times, images or failure; its log is in its bucket."""
    log = [f'starting build "{body["id"]}"', "FETCHSOURCE"]
    times = {"startTime": body["startTime"], "endTime": ended}
    over: Body = {"finishTime": ended, "timing": {"FETCHSOURCE": times, "BUILD": times}}
    try:
        row, path = _source(cloud, body)
        log += [f"Fetched gs://{row['bucket']}/{row['object']}", "BUILD"]
        arguments = _docker_step(body)
        _check_archive(path, arguments)
        log += [f"Step #0: {DOCKER} {' '.join(arguments)}", NOT_BUILT, "PUSH"]
        made = _digest(path, arguments)
        pushed = [_push(cloud, body, uri, made, arguments) for uri in body.get("images", [])]
        log += [f"{one['name']}: digest: {one['digest']}" for one in pushed] + ["DONE"]
        over |= {"status": "SUCCESS", "results": {"images": pushed}}
        over["timing"]["PUSH"] = times
        over["sourceProvenance"] = {"resolvedStorageSource": row}
    except BuildError as error:
        log += [f"ERROR: {error}"]
        failure = {"type": error.kind, "detail": str(error)}
        over |= {"status": "FAILURE", "statusDetail": str(error), "failureInfo": failure}
    _write_log(cloud, body, log)
    return over


def _source(cloud: Cloud, body: Body) -> tuple[Body, Path]:
    """The archive, of the generation that was named, if the build's account may read it."""
    asked = body.get("source", {}).get("storageSource", {})
    bucket, name = str(asked.get("bucket", "")), str(asked.get("object", ""))
    caller = _account(body)
    if not bucket or not name:
        raise BuildError("FETCH_SOURCE_FAILED", "The local cloud builds from a storageSource only.")
    readable = targets.bucket(cloud, bucket, name)
    if caller and not enforce.allowed(cloud, caller, GET, readable):
        message = f"{caller.email} does not have {GET} access to gs://{bucket}/{name}"
        raise BuildError("FETCH_SOURCE_FAILED", message)
    generation = int(asked["generation"]) if asked.get("generation") else None
    try:
        with cloud.store.read() as db:
            row = objects.require(db, bucket, name, generation)
    except StorageError as error:
        raise BuildError("FETCH_SOURCE_FAILED", f"gs://{bucket}/{name}: {error.message}") from None
    resolved = {"bucket": bucket, "object": name, "generation": str(row.generation)}
    return resolved, cloud.blobs.path(row.sha256)


def _docker_step(body: Body) -> list[str]:
    """The arguments of the one step, which is a build by Docker."""
    steps = body["steps"]
    arguments = [str(one) for one in steps[0].get("args", [])]
    name = str(steps[0].get("name", "")).partition("@")[0].partition(":")[0]
    if len(steps) != 1 or name != DOCKER or arguments[:1] != ["build"]:
        message = f"The local cloud knows one step alone: {DOCKER} with args build …"
        raise BuildError("USER_BUILD_STEP", message)
    return arguments


def _check_archive(path: Path, arguments: list[str]) -> None:
    """The source must be a tar archive, compressed or not, that holds the step's build file."""
    wanted = (_values(arguments, "--file", "-f") or ["Dockerfile"])[0]
    try:
        with tarfile.open(path) as archive:
            names = {name.removeprefix("./") for name in archive.getnames()}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BuildError("FETCH_SOURCE_FAILED", f"The source is no archive: {error}") from None
    if wanted.removeprefix("./") not in names:
        message = f"failed to read dockerfile: open {wanted}: no such file"
        raise BuildError("USER_BUILD_STEP", message)


def _digest(path: Path, arguments: list[str]) -> str:
    source = hashlib.sha256(path.read_bytes()).hexdigest()
    told = json.dumps({"source": source, "args": arguments}).encode()
    return f"sha256:{hashlib.sha256(told).hexdigest()}"


def _push(cloud: Cloud, body: Body, uri: str, digest: str, arguments: list[str]) -> Body:
    """The image in its repository, under the tag that the step gave it."""
    if uri not in _values(arguments, "--tag", "-t"):
        message = f"An image does not exist locally with the tag: {uri}"
        raise BuildError("PUSH_IMAGE_NOT_FOUND", message)
    caller = _account(body)
    try:
        repository = images.repository_of(cloud, uri)
        on = targets.repository(cloud, repository)
        if caller and not enforce.allowed(cloud, caller, PUSH, on):
            message = f'denied: Permission "{PUSH}" denied on resource "{repository}"'
            raise BuildError("PUSH_NOT_AUTHORIZED", f"{message} (or it may not exist)")
        images.register(cloud, uri, digest)
    except ApiError as error:
        raise BuildError("PUSH_FAILED", f"name unknown: {error.message}") from None
    times = {"startTime": body["startTime"], "endTime": body["startTime"]}
    return {"name": uri, "digest": digest, "pushTiming": times}


def _account(body: Body) -> Caller | None:
    """Whom the build runs as; without an account, as Google's own with all the rights it needs."""
    named = body.get("serviceAccount", "")
    return Caller(named.rpartition("/")[2], owner=False) if named else None


def _values(arguments: list[str], *names: str) -> list[str]:
    """The values of an option, in either form: `--tag=X`, `--tag X`."""
    found = []
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            found.append(value if equals else "".join(arguments[place + 1 : place + 2]))
    return found


def _write_log(cloud: Cloud, body: Body, lines: list[str]) -> None:
    """`log-ID.txt` in the bucket that the build names; without one nobody can read it."""
    bucket, _, folder = body.get("logsBucket", "").removeprefix("gs://").partition("/")
    with cloud.store.read() as db:
        there = db.execute("SELECT 1 FROM buckets WHERE name = ?", (bucket,)).fetchone()
    if not there or body.get("options", {}).get("logging") in ("CLOUD_LOGGING_ONLY", "NONE"):
        return
    name = "/".join(part for part in (folder.strip("/"), f"log-{body['id']}.txt") if part)
    with cloud.blobs.writer() as writer:
        writer.write("\n".join([*lines, ""]).encode())
        text = {"contentType": "text/plain"}
        objects.store_object(cloud, bucket, name, writer.finish(), text)
