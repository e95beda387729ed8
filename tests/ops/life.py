"""The commands of one user on a local cloud whose engine trains in a blink."""

import json
import random
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.local_cloud import ROOT, LocalCloud, clean_environment, running_cloud
from tests.ops.conftest import OPS, Ran

ENGINE = Path(__file__).with_name("tiny_engine.py")
CUSTOM_ENGINE = "tests.ops.tiny_custom_engine"
IMAGE = "*/trainer"
TASK = "automl_image_classification"
PARENT = "projects/local-project/locations/us-central1"
# Safe names t_shirt and label_0 come back as the user wrote them.
COLOURS = {"red shoe": (200, 30, 30), "t-shirt": (30, 200, 30), "0": (30, 30, 200)}
PHOTOS_PER_LABEL = 12
TIMES = re.compile(r"^[A-Z][a-z ]+: .*([0-9.]+ s|so far, .*)$")


@dataclass(frozen=True)
class Life:
    """A cloud, the user's folder, and the gate that holds every training while it is shut."""

    cloud: LocalCloud
    home: Path
    data: Path

    @property
    def gate(self) -> Path:
        """Trainings begin while this file is there."""
        return self.home / "gate"

    def begin(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """A command at work."""
        environ = {"OPS_EMULATOR_DATA": str(self.data), "OPS_STATE_DIR": str(self.home / "state")}
        return subprocess.Popen(
            [str(OPS), *words],
            cwd=self.home,
            env=clean_environment(**{**environ, **variables}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,
        )

    def run(self, *words: str, **variables: str) -> Ran:
        """How a command ended."""
        return ended(self.begin(*words, **variables))

    def result(self, *words: str, **variables: str) -> dict[str, Any]:
        """The result of a command that must end well."""
        ran = self.run(*words, "--json", **variables)
        assert ran.code == 0, ran.err
        return dict(ran.json["result"])

    def through(self, data: Path) -> "Life":
        """The same user, whose commands find another server file."""
        return Life(self.cloud, self.home, data)

    def listed(self, collection: str) -> list[dict[str, Any]]:
        """All resources of a kind, asked of the cloud and not of `ops`."""
        found = self.asked(f"/v1/{PARENT}/{collection}?pageSize=1000")
        return list(found.get(collection, []))

    def versions(self) -> list[dict[str, Any]]:
        """Every version of every model."""
        names = [model["name"] for model in self.listed("models")]
        pages = [self.asked(f"/v1/{name}:listVersions?pageSize=1000") for name in names]
        return [version for page in pages for version in page["models"]]

    def asked(self, path: str) -> dict[str, Any]:
        """What the cloud answers to a GET."""
        body: dict[str, Any] = json.loads(self.text(path))
        return body

    def text(self, path: str) -> str:
        """The same as text."""
        with urlopen(self.cloud.url + path) as answer:
            return str(answer.read().decode())

    def posted(self, path: str, body: object = None) -> dict[str, Any]:
        """What the cloud answers to a POST."""
        data = json.dumps(body or {}).encode()
        with urlopen(Request(self.cloud.url + path, data=data, method="POST")) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def deleted(self, path: str) -> None:
        """Ask the cloud to delete something."""
        with urlopen(Request(self.cloud.url + path, method="DELETE")):
            return


def ended(process: subprocess.Popen[str]) -> Ran:
    """How a command at work ended."""
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def told(ran: Ran) -> str:
    """What was said on standard error, without heading and times."""
    lines = ran.err.splitlines(keepends=True)[1:]
    return "".join(line for line in lines if not TIMES.search(line))


def until_said(process: subprocess.Popen[str], words: str) -> str:
    """Standard error of a command at work, up to the line that has these words."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        line = process.stderr.readline()
        assert line, f"ended before it said {words!r}: {said}"
        said += line
    return said


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs, and so to these tests: no Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted(process: subprocess.Popen[str]) -> Ran:
    """How a command ended after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    return ended(process)


def write_photos(
    folder: Path, labels: Iterable[str] = COLOURS, per_label: int = PHOTOS_PER_LABEL
) -> None:
    """Small PNG files for each label, each label of its own colour and no two files alike."""
    from PIL import Image

    randomly = random.Random(0)
    for label in labels:
        colour = COLOURS[label]
        (folder / label).mkdir(parents=True)
        for number in range(per_label):
            near = tuple(value + randomly.randrange(-25, 25) for value in colour)
            image = Image.new("RGB", (40, 30), near)
            image.putpixel((number, 0), (randomly.randrange(256), number, 7))
            image.save(folder / label / f"{number}.png")


def engine_options(
    home: Path, train: str = "", serve: str = "", custom: str = CUSTOM_ENGINE
) -> list[str]:
    """The server's options for engines that train in a blink, held by the gate in `home`."""
    python = shlex.quote(sys.executable)
    gate = shlex.quote(str(home / "gate"))
    engine = f"{python} {shlex.quote(str(ENGINE))}"
    train, serve = train or f"{engine} train {gate}", serve or f"{engine} serve"
    custom = f"env PYTHONPATH={shlex.quote(str(ROOT))} {python} -m {custom}"
    engines = [f"train:{TASK}={train}", f"serve:{TASK}={serve}"]
    engines += [f"train:{IMAGE}={custom} train {gate}", f"serve:{IMAGE}={custom} serve"]
    options = [word for command in engines for word in ("--engine", command)]
    return [*options, "--image-pull-seconds", "2"]


@contextmanager
def living(
    folder: Path, train: str = "", serve: str = "", custom: str = CUSTOM_ENGINE
) -> Iterator[Life]:
    """A life with photos imported; `train` and `serve` are commands in place of the engine's.

    `custom` is a module that trains and serves custom models in place of the usual one.
    """
    home = folder / "home"
    home.mkdir()
    write_photos(home / "photos")
    with running_cloud(folder / "cloud", *engine_options(home, train, serve, custom)) as cloud:
        life = Life(cloud, home, cloud.data)
        life.gate.touch()
        life.result("import-dataset", "photos")
        yield life
