"""The commands of a user of Google Cloud, behind a company's proxy, from photos to nothing left."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from ops import names
from tests.google_proxy import GoogleProxy, google_proxy
from tests.local_cloud import ROOT, LocalCloud, clean_environment, running_cloud
from tests.ops.conftest import OPS, Ran
from tests.ops.life import CUSTOM_ENGINE, ENGINE, IMAGE, TASK, write_photos
from tests.ops.tiny_engine import own_token

PROJECT = "photos-of-a-company"
REGION = "us-central1"
OUTSIDE = Path(__file__).with_name("outside")
GROUPS = ("datasets", "models", "emulator")
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

    def environment(self, command: str) -> dict[str, str]:
        """The variables of a command, which the proxy knows by its name."""
        return clean_environment(
            HOME=str(self.home),
            GOOGLE_APPLICATION_CREDENTIALS=str(self.key),
            NETWORK_LOG=str(self.home / "network.log"),
            PYTHONPATH=os.pathsep.join([str(OUTSIDE), os.environ.get("PYTHONPATH", "")]),
            NO_GCE_CHECK="true",
            **self.proxy.variables(command, self.home),
        )

    def run(self, *words: str, **variables: str) -> Ran:
        """How a command with --target gcp ended; a variable of value - is taken away."""
        where = ["--target", "gcp"] + ([] if "--project" in words else ["--project", PROJECT])
        environ = self.environment(name_of(words)) | variables
        done = subprocess.run(
            [OPS, *words, *where],
            cwd=self.home,
            env={name: value for name, value in environ.items() if value != "-"},
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
        """What `make bootstrap` leaves: the stack's labelled bucket, and its repository."""
        bucket = {
            "name": names.bucket_name(PROJECT, "default"),
            "location": region,
            "labels": {names.LABEL_STACK: "default"},
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        }
        self.posted(f"/storage/v1/b?project={PROJECT}", bucket)
        repositories = f"/v1/projects/{PROJECT}/locations/{region}/repositories"
        self.posted(f"{repositories}?repositoryId=ops-default", {"format": "DOCKER"})

    def share(self, bucket: str) -> str:
        """A CSV of somebody else's photos, in a bucket of another region."""
        self.posted(f"/storage/v1/b?project={PROJECT}", {"name": bucket, "location": "EU"})
        rows = []
        for photo in sorted((self.home / "photos").glob("[0r]*/*.png")):
            name = f"{photo.parent.name}/{photo.name}"
            self.upload(bucket, name, photo.read_bytes())
            rows.append(f"gs://{bucket}/{name},{photo.parent.name}\n")
        self.upload(bucket, "list.csv", "".join(rows).encode())
        return f"gs://{bucket}/list.csv"

    def upload(self, bucket: str, name: str, content: bytes) -> None:
        """Put an object there, past the proxy."""
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
        self.posted(path, content)

    def pay(self) -> None:
        """An open billing account for the project."""
        account = {"billingAccountName": "billingAccounts/012345-567890-ABCDEF"}
        self.posted(f"/v1/projects/{PROJECT}/billingInfo", account, "PUT")

    def posted(self, path: str, body: object, method: str = "POST") -> dict[str, Any]:
        """What the server answers to a POST by the key's account, past the proxy."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(self.cloud.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {own_token(self.key)}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


def name_of(words: tuple[str, ...]) -> str:
    """The full name of a command: `train`, `datasets list`."""
    return " ".join(words[:2] if words[0] in GROUPS else words[:1])


@contextmanager
def google_user(folder: Path, *options: str) -> Iterator[GoogleUser]:
    """A user of a project that exists, with photos, in front of a server like Google's."""
    home = folder / "home"
    home.mkdir()
    write_photos(home / "photos")
    (home / "gate").touch()
    quick = ["--build-seconds", "0.2"]
    given = ["--project", PROJECT, *engines(home / "gate"), *quick, *options]
    with running_cloud(folder / "cloud", *given) as cloud, google_proxy(cloud.url) as proxy:
        user = GoogleUser(proxy, cloud, home)
        issued = json.loads((cloud.data / "service-account.json").read_text())
        user.key.write_text(json.dumps(issued | GOOGLE_KEY))
        yield user


def engines(gate: Path) -> list[str]:
    """The options of a server whose AutoML and whose trainer train in a blink."""
    python = shlex.quote(sys.executable)
    automl = f"{python} {shlex.quote(str(ENGINE))}"
    custom = f"env PYTHONPATH={shlex.quote(str(ROOT))} {python} -m {CUSTOM_ENGINE}"
    commands = [
        f"train:{TASK}={automl} train",
        f"serve:{TASK}={automl} serve",
        f"train:{IMAGE}={custom} train {shlex.quote(str(gate))}",
        f"serve:{IMAGE}={custom} serve",
    ]
    return [word for command in commands for word in ("--engine", command)]


def travel(user: GoogleUser) -> dict[str, dict[str, Any]]:
    """What each command of the journey found or did; custom training's under `custom …`."""
    user.prepare()
    photo = str(next((user.home / "photos" / "t-shirt").glob("*.png")))
    automl, custom = "default-photos-automl", "default-photos-custom"
    train_custom = ("train", "--dataset", "photos", "--mode", "custom", "--model-type")
    user.pay()
    done = {"copied": user.result("import-dataset", user.share("photos-of-others"))}
    done["doctor"] = user.result("doctor", "--job", "serving", "--accelerator", "T4")
    done["automl doctor"] = user.result("doctor")
    done["import-dataset"] = user.result("import-dataset", "photos")
    done["train"] = user.result("train", "--dataset", "photos", "--yes")
    done["custom train"] = user.result(*train_custom, "cnn", "--epochs", "3", "--yes")
    done["second version"] = user.result(*train_custom, "linear", "--yes")
    reads = [
        ("datasets", "list"),
        ("evaluate", "--model", automl),
        ("logs", str(done["custom train"]["run"])),
        ("models", "list"),
    ]
    done |= at_once(user, reads)
    done["models promote"] = user.result("models", "promote", f"{custom}@2")
    done["models rollback"] = user.result("models", "rollback", custom)
    done["models delete"] = user.result("models", "delete", f"{custom}@2", "--yes")
    done["deploy"] = user.result("deploy", "--model", automl, "--check", "--yes")
    done["predict"] = user.result("predict", photo)
    done["custom deploy"] = user.result("deploy", "--model", custom, "--yes")
    done |= at_once(user, [("status",), ("cost-report",)])
    done["undeploy"] = user.result("undeploy")
    done["teardown"] = user.result("teardown", "--yes", "--project", PROJECT)
    return done


def at_once(user: GoogleUser, commands: list[tuple[str, ...]]) -> dict[str, dict[str, Any]]:
    """The results of commands that change nothing, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda words: user.result(*words), commands)
        return {name_of(words): result for words, result in zip(commands, results, strict=True)}
