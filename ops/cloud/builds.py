"""Builds of Cloud Build: begun, found again by their tags, told how they stand, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ops import names
from ops.cloud import rest
from ops.cloud.session import Session

HOST = "cloudbuild.googleapis.com"
SERVICE = HOST
PAGE = 50
# Build.status in cloudbuild v1 (discovery document of 2026-10-29); those that still run.
RUNNING = frozenset({"PENDING", "QUEUED", "WORKING"})
# Google's own builder, which has BuildKit; there is no Docker Hub account behind it.
DOCKER = "gcr.io/cloud-builders/docker"
# The machine whose first 2,500 minutes a month are free: ops/pricing/rates.toml.
MACHINE = "E2_STANDARD_2"


@dataclass(frozen=True)
class Build:
    """A build as the API tells it; absent values are None or empty."""

    name: str
    id: str
    status: str
    detail: str
    log_url: str
    log: str
    digests: Mapping[str, str]
    created: datetime | None
    started: datetime | None
    ended: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether it is queued or works."""
        return self.status in RUNNING

    @property
    def seconds(self) -> float:
        """How long it worked, which is what is billed; 0 before it is over."""
        if self.started is None or self.ended is None:
            return 0.0
        return max((self.ended - self.started).total_seconds(), 0.0)


@dataclass(frozen=True)
class BuildSpec:
    """What is to be built: an archive in a bucket, by a build file in it, to an image with a tag.

    `account` is the address of the service account it runs as; empty: Cloud Build's default.
    """

    bucket: str
    archive: str
    generation: int
    build_file: str
    arguments: Mapping[str, str]
    image: str
    tags: Sequence[str]
    timeout_seconds: int
    account: str
    project: str

    def body(self) -> dict[str, Any]:
        """The build in the API's own field names.

        An account of one's own needs a place for the log: a folder of the same bucket, which it
        may write (docs.cloud.google.com/build/docs/securing-builds, user-specified accounts).
        """
        values = [f"--build-arg={key}={value}" for key, value in sorted(self.arguments.items())]
        command = ["build", f"--file={self.build_file}", *values, f"--tag={self.image}", "."]
        source = {"bucket": self.bucket, "object": self.archive, "generation": str(self.generation)}
        acting = f"projects/{self.project}/serviceAccounts/{self.account}"
        logs = f"gs://{self.bucket}/builds/logs"
        own = {"serviceAccount": acting, "logsBucket": logs} if self.account else {}
        return {
            "source": {"storageSource": source},
            "steps": [{"name": DOCKER, "args": command, "env": ["DOCKER_BUILDKIT=1"]}],
            "images": [self.image],
            "tags": list(self.tags),
            "timeout": f"{self.timeout_seconds}s",
            "options": {"machineType": MACHINE, **({"logging": "GCS_ONLY"} if own else {})},
            **own,
        }


def create(session: Session, spec: BuildSpec) -> Build:
    """The new build, which runs from now on and is billed."""
    answer = rest.make(session, HOST, f"/v1/{session.parent}/builds", spec.body())
    return _build(answer["metadata"]["build"])


def get(session: Session, name: str) -> Build:
    """The build of this name."""
    return _build(rest.get(session, HOST, f"/v1/{name}"))


def find(session: Session, tag: str) -> list[Build]:
    """The builds with a tag, the newest first."""
    query = urlencode({"filter": f'tags="{tag}"'})
    path = f"/v1/{session.parent}/builds?{query}"
    return [_build(one) for one in rest.pages(session, HOST, path, "builds", PAGE)]


def cancel(session: Session, name: str) -> None:
    """The build is asked to stop; what it worked is billed."""
    rest.post(session, HOST, f"/v1/{name}:cancel", {})


def _build(raw: Mapping[str, Any]) -> Build:
    place = names.parse(str(raw["name"]))
    images = raw.get("results", {}).get("images", [])
    logs = str(raw.get("logsBucket", ""))
    return Build(
        name=f"projects/{raw['projectId']}/locations/{place.location}/builds/{raw['id']}",
        id=str(raw["id"]),
        status=str(raw.get("status", "")),
        detail=str(raw.get("failureInfo", {}).get("detail") or raw.get("statusDetail", "")),
        log_url=str(raw.get("logUrl", "")),
        log=f"{logs.removeprefix('gs://')}/log-{raw['id']}.txt" if logs else "",
        digests={str(one.get("name", "")): str(one.get("digest", "")) for one in images},
        created=_time(raw.get("createTime")),
        started=_time(raw.get("startTime")),
        ended=_time(raw.get("finishTime")),
    )


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
