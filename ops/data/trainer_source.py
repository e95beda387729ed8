"""What the trainer's image is made of: the files beside it, their digest, and both as one archive.

The same bytes go to Cloud Build and to Docker, and the digest names the image: the same source is
built once, wherever it is typed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ops.errors import Code, OpsError

Device = Literal["cpu", "gpu"]

DOCKERFILE = "trainer/Dockerfile"
# The image's tag has the first 64 bits of the digest.
TAG_CHARACTERS = 16
KEPT = frozenset({".py", ".toml"})


@dataclass(frozen=True)
class Source:
    """The files of one image, by their paths in the checkout, sorted."""

    device: Device
    files: tuple[tuple[str, bytes], ...]

    @property
    def digest(self) -> str:
        """SHA-256 over paths and contents, in the order of the paths."""
        whole = hashlib.sha256()
        for path, content in self.files:
            whole.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return whole.hexdigest()

    @property
    def tag(self) -> str:
        """The image's tag: `src-<16 hex characters of the digest>-cpu`."""
        return f"src-{self.digest[:TAG_CHARACTERS]}-{self.device}"

    def archive(self) -> bytes:
        """A tar.gz of the files, the same bytes for the same files.

        Whoever runs the image may read them, whatever the rights of the checkout are.
        """
        packed = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for path, content in self.files:
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))
        return packed.getvalue()


def read(device: Device, root: Path | None = None) -> Source:
    """The source of the image for a device, from the checkout that holds the trainer.

    NOT_FOUND where the trainer is not here, or was installed without its build file.
    """
    root = root or _checkout()
    requirements = f"requirements/image-{device}.txt"
    paths = sorted([requirements, *_trainer(root)])
    missing = [path for path in (DOCKERFILE, requirements) if not (root / path).is_file()]
    if missing:
        raise _no_source(f"{root} has no {' and no '.join(missing)}")
    return Source(device, tuple((path, (root / path).read_bytes()) for path in paths))


def _trainer(root: Path) -> Iterator[str]:
    for path in (root / "trainer").rglob("*"):
        within = path.relative_to(root).as_posix()
        if path.is_file() and (path.suffix in KEPT or within == DOCKERFILE):
            yield within


def _checkout() -> Path:
    found = find_spec("trainer")
    if found is None or found.origin is None:
        raise _no_source("The package trainer is not installed")
    return Path(found.origin).parents[1]


def _no_source(what: str) -> OpsError:
    return OpsError(
        Code.NOT_FOUND,
        f"{what}: the trainer's image cannot be built from here.",
        "Type it in a checkout of the repository, or name an image that is there: --image IMAGE",
    )
