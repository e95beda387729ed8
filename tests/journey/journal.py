"""An outside client that writes to the local cloud and keeps a journal of what was acknowledged."""

import base64
import hashlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

BUCKET = "journal-of-an-outside-client"
PROJECT = "journal-project"
TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.02


class Unreachable(Exception):  # noqa: N818
    """The server did not answer: nothing is known of what was asked."""


@dataclass
class Journal:
    """Acknowledged writes: objects by name (MD5, None when deleted), and a counter object.

    `port` says where the server is now. Written by one thread; read it after `stop`.
    """

    port: Callable[[], int]
    seed: int
    objects: dict[str, str | None] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    counter: int = 0
    acknowledged: int = 0

    def start(self) -> None:
        """Begin to write, beside everything else."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_until_stopped, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End writing; the journal does not change any more."""
        self._stopping.set()
        self._thread.join()

    def missing(self) -> list[str]:
        """What was acknowledged and is not there as it was acknowledged; empty is well."""
        wrong = list(self.lost)
        for name, md5 in self.objects.items():
            if name in self.unsure:
                continue
            status, body = self._ask("GET", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
            found = body.get("md5Hash") if status == 200 else None
            if found != md5:
                wrong.append(f"object {name}: acknowledged {md5}, found {status} {found}")
        for name in self.datasets:
            status, _ = self._ask("GET", f"/v1/{name}")
            if status != 200:
                wrong.append(f"data set {name}: {status}")
        return wrong + self._counter_wrong()

    def _counter_wrong(self) -> list[str]:
        status, body = self._ask("GET", f"/storage/v1/b/{BUCKET}/o/counter?alt=media")
        found = int(body) if status == 200 else 0
        # One increment may have been made whose answer was lost.
        if found in (self.counter, self.counter + 1):
            return []
        return [f"counter: acknowledged {self.counter}, found {found}"]

    def _write_until_stopped(self) -> None:
        randomly = random.Random(self.seed)
        made_bucket = False
        while not self._stopping.is_set():
            try:
                if not made_bucket:
                    made_bucket = self._make_bucket()
                self._write_something(randomly)
                time.sleep(PAUSE_SECONDS)
            except Unreachable:
                time.sleep(PAUSE_SECONDS)

    def _make_bucket(self) -> bool:
        status, _ = self._ask("POST", f"/storage/v1/b?project={PROJECT}", {"name": BUCKET})
        return status in (200, 409)

    def _write_something(self, randomly: random.Random) -> None:
        what = randomly.random()
        if what < 0.6 or not self.objects:
            self._put(f"o/{randomly.randrange(200)}", randomly.randbytes(randomly.randrange(4000)))
        elif what < 0.75:
            self._delete(randomly.choice(list(self.objects)))
        elif what < 0.95:
            self._count()
        else:
            self._create_dataset()

    def _put(self, name: str, data: bytes) -> None:
        self.unsure.add(name)
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        status, body = self._ask("POST", path, data)
        if status == 200:
            md5 = hashlib.md5(data, usedforsecurity=False).digest()
            assert body["md5Hash"] == base64.b64encode(md5).decode()
            self._acknowledge(name, body["md5Hash"])

    def _delete(self, name: str) -> None:
        self.unsure.add(name)
        status, _ = self._ask("DELETE", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
        if status in (204, 404):
            self._acknowledge(name, None)

    def _acknowledge(self, name: str, md5: str | None) -> None:
        self.objects[name] = md5
        self.unsure.discard(name)
        self.acknowledged += 1

    def _count(self) -> None:
        """One increment, under a generation precondition."""
        path = f"/storage/v1/b/{BUCKET}/o/counter"
        status, body = self._ask("GET", path)
        generation = body["generation"] if status == 200 else 0
        status, value = self._ask("GET", f"{path}?alt=media")
        value = int(value) if status == 200 else 0
        if value < self.counter:
            self.lost.append(f"counter: acknowledged {self.counter}, found {value}")
        self.counter = value
        upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=counter"
        status, _ = self._ask(
            "POST", f"{upload}&ifGenerationMatch={generation}", str(value + 1).encode()
        )
        if status == 200:
            self.counter = value + 1
            self.acknowledged += 1

    def _create_dataset(self) -> None:
        parent = f"projects/{PROJECT}/locations/us-central1"
        schema = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
        body = {"displayName": "journal", "metadataSchemaUri": schema}
        status, operation = self._ask("POST", f"/v1/{parent}/datasets", body)
        if status == 200:
            self.datasets.append(operation["name"].partition("/operations/")[0])
            self.acknowledged += 1

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port(), TIMEOUT_SECONDS)
            connection.request(method, path, data, {"Content-Type": kind})
            answer = connection.getresponse()
            read = answer.read()
            connection.close()
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise Unreachable(str(error)) from error
        # A refused read of an object's bytes is a sentence, not JSON.
        told = read if answer.status < 400 else b""
        return answer.status, json.loads(told) if told.strip() else {}
