"""The commands of a user of Google Cloud, behind a company's proxy, from photos to nothing left."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ops import names
from tests.google_proxy import GoogleProxy, google_proxy
from tests.local_cloud import LocalCloud, clean_environment, running_cloud
from tests.ops.conftest import OPS, Ran
from tests.ops.life import ENGINE, TASK, write_photos
from tests.ops.tiny_engine import own_token

PROJECT = "photos-of-a-company"
REGION = "us-central1"
OUTSIDE = Path(__file__).with_name("outside")
# What Google writes into every key file: cloud.google.com/iam/docs/keys-create-delete.
GOOGLE_KEY = {
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
}


@dataclass(frozen=True)
class GoogleUser:
    """Somebody with a key file, a folder, and no way out but the proxy."""

    proxy: GoogleProxy
    cloud: LocalCloud
    home: Path

    @property
    def key(self) -> Path:
        """The service-account file, as Google hands them out."""
        return self.home / "key.json"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command."""
        return clean_environment(
            HOME=str(self.home),
            GOOGLE_APPLICATION_CREDENTIALS=str(self.key),
            NETWORK_LOG=str(self.home / "network.log"),
            PYTHONPATH=os.pathsep.join([str(OUTSIDE), os.environ.get("PYTHONPATH", "")]),
            NO_GCE_CHECK="true",
            **self.proxy.variables(self.home),
        )

    def run(self, *words: str, **variables: str) -> Ran:
        """How a command with --target gcp ended."""
        self.proxy.command = words[0]
        where = ["--target", "gcp"] + ([] if "--project" in words else ["--project", PROJECT])
        environ = {k: v for k, v in (self.environment | variables).items() if v != "-"}
        done = subprocess.run(
            [OPS, *words, *where],
            cwd=self.home,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def result(self, *words: str) -> dict[str, Any]:
        """The result of a command that must end well."""
        ran = self.run(*words, "--json")
        assert ran.code == 0, f"{words}: {ran.err}"
        return dict(ran.json["result"])

    def outside(self) -> set[str]:
        """The names looked up and the addresses connected to that are not the proxy's."""
        log = self.home / "network.log"
        lines = set(log.read_text().splitlines()) if log.exists() else set()
        return lines - {"look-up 127.0.0.1", f"connect 127.0.0.1:{self.proxy.port}"}

    def prepare(self, region: str = REGION) -> None:
        """What `make bootstrap` leaves: the stack's bucket, with the stack's label."""
        bucket = {
            "name": names.bucket_name(PROJECT, "default"),
            "location": region,
            "labels": {names.LABEL_STACK: "default"},
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
        }
        self.posted(f"/storage/v1/b?project={PROJECT}", bucket)

    def posted(self, path: str, body: object) -> dict[str, Any]:
        """What the server answers to a POST by the key's account, past the proxy."""
        request = Request(self.cloud.url + path, json.dumps(body).encode(), method="POST")
        request.add_header("Authorization", f"Bearer {own_token(self.key)}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def google_user(folder: Path, *options: str) -> Iterator[GoogleUser]:
    """A user of a project that exists, with photos, in front of a server that checks who asks."""
    home = folder / "home"
    home.mkdir()
    write_photos(home / "photos")
    engine = f"{shlex.quote(sys.executable)} {shlex.quote(str(ENGINE))}"
    engines = [f"train:{TASK}={engine} train", f"serve:{TASK}={engine} serve"]
    given = [word for command in engines for word in ("--engine", command)]
    with (
        running_cloud(folder / "cloud", "--project", PROJECT, *given, *options) as cloud,
        google_proxy(cloud.url) as proxy,
    ):
        user = GoogleUser(proxy, cloud, home)
        issued = json.loads((cloud.data / "service-account.json").read_text())
        user.key.write_text(json.dumps(issued | GOOGLE_KEY))
        yield user


def travel(user: GoogleUser) -> dict[str, dict[str, Any]]:
    """What each command found or did, in the order of the journey."""
    user.prepare()
    photo = str(next((user.home / "photos" / "t-shirt").glob("*.png")))
    agreed = ("--yes", "--project", PROJECT)
    steps: list[tuple[str, ...]] = [
        ("import-dataset", "photos"),
        ("train", "--yes"),
        ("evaluate",),
        ("deploy", "--yes"),
        ("predict", photo),
        ("status",),
        ("runs",),
        ("cost-report",),
        ("undeploy",),
        ("teardown", *agreed),
    ]
    return {words[0]: user.result(*words) for words in steps}
