"""What a writer may ask of the server: each action begins, sends and ends in the journal."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.emulator.kills.journal import Journal, Pending, State
from tests.emulator.kills.wire import (
    PLAIN,
    PROJECT,
    REGION,
    VERSIONED,
    RefusedError,
    Wire,
    digest,
    object_path,
    object_state,
    operation_state,
    received,
    vertex_state,
)

SIZES_BYTES = (0, 10, 50_000, 50_000, 900_000, 3_000_000)
NAMES = 8
SHARED_NAMES = 3
CHUNK_BYTES = 256 << 10


@dataclass(frozen=True)
class Upload:
    """A resumable upload that has begun."""

    session: str
    name: str
    data: bytes


@dataclass
class Actor:
    """One writer: the names it alone writes, and what it knows of them."""

    name: str
    chance: random.Random
    journal: Journal
    wire: Wire
    states: dict[str, State] = field(default_factory=dict)
    doing: Pending | None = None
    upload: Upload | None = None

    def begin(self, key: str, want: State) -> None:
        """Notes what is about to be sent."""
        self.doing = self.journal.begin(key, want)

    def end(self, state: State, also: dict[str, State] | None = None) -> None:
        """Notes what was acknowledged."""
        assert self.doing is not None
        self.journal.end(self.doing, state, also)
        self.states[self.doing.key] = state
        self.doing = None

    def bytes(self) -> bytes:
        """A body of one of the sizes."""
        return self.chance.randbytes(self.chance.choice(SIZES_BYTES))

    def free_name(self) -> str:
        """A name of this writer's own, or now and then one that all write."""
        if self.chance.random() < 0.15:
            return f"shared-{self.chance.randrange(SHARED_NAMES)}"
        return f"{self.name}-{self.chance.randrange(NAMES)}"

    def own(self, kind: str) -> str | None:
        """A key of this writer's own that is there, or None."""
        there = [
            key
            for key, state in self.states.items()
            if state is not None and key.startswith(f"{kind}/{self.name}-")
        ]
        return self.chance.choice(there) if there else None


def media(actor: Actor) -> None:
    """A put by media upload."""
    name, data = actor.free_name(), actor.bytes()
    actor.begin(f"object/{PLAIN}/{name}", {"md5": digest(data), "v": ""})
    path = f"/upload/storage/v1/b/{PLAIN}/o?uploadType=media&name={name}"
    actor.end(object_state(_sent(actor, "POST", path, data)))


def multipart(actor: Actor, bucket: str = PLAIN) -> dict[str, Any]:
    """A put with metadata by multipart upload; the state it was answered with."""
    name, data, mark = actor.free_name(), actor.bytes(), str(actor.chance.random())
    actor.begin(f"object/{bucket}/{name}", {"md5": digest(data), "v": mark})
    fields = json.dumps({"name": name, "metadata": {"v": mark}}).encode()
    body = (
        b"--frontier\r\ncontent-type: application/json\r\n\r\n" + fields
        + b"\r\n--frontier\r\ncontent-type: application/octet-stream\r\n\r\n" + data
        + b"\r\n--frontier--"
    )  # fmt: skip
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    answer = _sent(actor, "POST", path, body, "multipart/related; boundary=frontier")
    state = object_state(answer)
    version: dict[str, State] = {f"version/{name}#{state['generation']}": {"md5": state["md5"]}}
    actor.end(state, version if bucket == VERSIONED else None)
    return state


def version(actor: Actor) -> None:
    """A put into a bucket that keeps what is overwritten."""
    multipart(actor, VERSIONED)


def resumable(actor: Actor) -> None:
    """A put in pieces, each journalled as well; one that a kill interrupted goes on."""
    upload = actor.upload or _begin_upload(actor)
    actor.upload = upload
    key = f"object/{PLAIN}/{upload.name}"
    place = received(actor.wire, upload.session)
    while len(upload.data) - place > CHUNK_BYTES:
        end = place + CHUNK_BYTES
        state = {"received": end, "total": len(upload.data)}
        actor.begin(f"upload/{upload.session}", state)
        status, _, body = _piece(actor, upload, place, end)
        if status != 308:
            raise RefusedError(f"resumable piece: {status} {body!r}")
        actor.end(state)
        place = end
    actor.begin(key, {"md5": digest(upload.data), "v": ""})
    status, _, body = _piece(actor, upload, place, len(upload.data))
    if status != 200:
        raise RefusedError(f"resumable end: {status} {body!r}")
    actor.end(object_state(json.loads(body)), {f"upload/{upload.session}": None})
    actor.upload = None


def _begin_upload(actor: Actor) -> Upload:
    name, data = f"resumable-{actor.name}", actor.chance.randbytes(actor.chance.randrange(10**6))
    start = f"/upload/storage/v1/b/{PLAIN}/o?uploadType=resumable"
    status, headers, body = actor.wire.ask("POST", start, json.dumps({"name": name}).encode())
    if status != 200:
        raise RefusedError(f"resumable start: {status} {body!r}")
    address = urlsplit(headers["location"])
    return Upload(f"{address.path}?{address.query}", name, data)


def _piece(
    actor: Actor, upload: Upload, start: int, end: int
) -> tuple[int, Mapping[str, str], bytes]:
    total = len(upload.data)
    what = f"bytes {start}-{end - 1}/{total}" if end > start else f"bytes */{total}"
    return actor.wire.ask("PUT", upload.session, upload.data[start:end], {"content-range": what})


def xml(actor: Actor) -> None:
    """A put by the XML API."""
    name, data = actor.free_name(), actor.bytes()
    actor.begin(f"object/{PLAIN}/{name}", {"md5": digest(data), "v": ""})
    status, headers, body = actor.wire.ask("PUT", f"/{PLAIN}/{name}", data)
    if status != 200:
        raise RefusedError(f"XML put: {status} {body!r}")
    actor.end({"md5": digest(data), "v": "", "generation": int(headers["x-goog-generation"])})


def patch(actor: Actor) -> None:
    """New metadata for an object."""
    key = actor.own(f"object/{PLAIN}")
    if key is None:
        return
    _, bucket, name = key.split("/", 2)
    state, mark = actor.states[key], str(actor.chance.random())
    assert state is not None
    actor.begin(key, {"md5": state["md5"], "generation": state["generation"], "v": mark})
    answer = actor.wire.json("PATCH", object_path(bucket, name), {"metadata": {"v": mark}})
    actor.end(object_state(answer))


def copy(actor: Actor) -> None:
    """A rewrite: two names of the same bytes."""
    key, name = actor.own(f"object/{PLAIN}"), actor.free_name()
    if key is None:
        return
    state = actor.states[key]
    assert state is not None
    actor.begin(f"object/{PLAIN}/{name}", {"md5": state["md5"], "v": state["v"]})
    source = object_path(PLAIN, key.split("/", 2)[2])
    answer = actor.wire.json("POST", f"{source}/rewriteTo/b/{PLAIN}/o/{name}")
    actor.end(object_state(answer["resource"]))


def delete(actor: Actor) -> None:
    """One object less."""
    key = actor.own(f"object/{PLAIN}")
    if key is not None:
        actor.begin(key, None)
        actor.wire.json("DELETE", object_path(PLAIN, key.split("/", 2)[2]))
        actor.end(None)


def bucket(actor: Actor) -> None:
    """A bucket is made, marked, or deleted."""
    key, mark = actor.own("bucket"), str(actor.chance.randrange(10**9))
    if key is None or actor.chance.random() < 0.3:
        name = f"{actor.name}-{mark}"
        actor.begin(f"bucket/{name}", {"labels": {"v": mark}})
        sent = {"name": name, "labels": {"v": mark}}
        actor.wire.json("POST", f"/storage/v1/b?project={PROJECT}", sent)
        actor.end({"labels": {"v": mark}})
    elif actor.chance.random() < 0.5:
        actor.begin(key, {"labels": {"v": mark}})
        path = f"/storage/v1/b/{key.split('/')[1]}"
        actor.wire.json("PATCH", path, {"labels": {"v": mark}})
        actor.end({"labels": {"v": mark}})
    else:
        actor.begin(key, None)
        actor.wire.json("DELETE", f"/storage/v1/b/{key.split('/')[1]}")
        actor.end(None)


def vertex(actor: Actor) -> None:
    """A dataset or an endpoint is made, marked, or deleted, with its operation."""
    collection = actor.chance.choice(["datasets", "endpoints"])
    key, mark = actor.own(collection), str(actor.chance.randrange(10**9))
    if key is None or actor.chance.random() < 0.3:
        shown = f"{actor.name}-{mark}"
        actor.begin(f"{collection}/{shown}", {"v": mark})
        body = {"displayName": shown, "labels": {"v": mark}} | EXTRA[collection]
        operation = actor.wire.json("POST", f"{REGION}/{collection}", body)
        actor.end(vertex_state(operation["response"]), _operation(operation))
        return
    state = actor.states[key]
    assert state is not None
    if actor.chance.random() < 0.5:
        actor.begin(key, {"name": state["name"], "v": mark})
        path = f"/v1/{state['name']}?updateMask=labels"
        actor.end(vertex_state(actor.wire.json("PATCH", path, {"labels": {"v": mark}})))
    else:
        actor.begin(key, None)
        operation = actor.wire.json("DELETE", f"/v1/{state['name']}")
        actor.end(None, _operation(operation))


IMAGES = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
EXTRA = {"datasets": {"metadataSchemaUri": IMAGES}, "endpoints": {}}
ACTIONS: dict[str, Callable[[Actor], object]] = {
    "media": media,
    "multipart": multipart,
    "resumable": resumable,
    "patch": patch,
    "copy": copy,
    "delete": delete,
    "bucket": bucket,
    "vertex": vertex,
    "version": version,
    "xml": xml,
}


def _operation(body: dict[str, Any]) -> dict[str, State]:
    assert body.get("done"), body
    return {f"operation/{body['name']}": operation_state(body)}


def _sent(
    actor: Actor, method: str, path: str, data: bytes, kind: str = "application/octet-stream"
) -> dict[str, Any]:
    status, _, body = actor.wire.ask(method, path, data, {"content-type": kind})
    if status != 200:
        raise RefusedError(f"{method} {path}: {status} {body[:300]!r}")
    answer: dict[str, Any] = json.loads(body)
    return answer
