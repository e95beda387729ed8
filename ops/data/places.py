"""Where a photo's bytes lie: a file of this machine, or an object of Cloud Storage."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ops import names
from ops.data.problems import BadPhotoError

Signature = tuple[int, ...]


def _not_looked_up() -> bytes:
    raise BadPhotoError("the object was not looked up.", "Type the same command again.")


@dataclass(frozen=True, slots=True)
class CloudObject:
    """An object by its address; what else there is to know of it comes with looking it up.

    `location` is its bucket's; `encoded` says that it is stored packed (Content-Encoding); `stays`
    that a data set may refer to it where it lies. `read` gives the bytes of this very generation,
    or raises BadPhotoError.
    """

    uri: str
    generation: int = 0
    size_bytes: int = 0
    crc32c: str = ""
    location: str = ""
    encoded: bool = False
    stays: bool = False
    read: Callable[[], bytes] = field(default=_not_looked_up, compare=False, repr=False)

    def __str__(self) -> str:
        return self.uri

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return names.parse_gs_uri(self.uri)[0]

    @property
    def name(self) -> str:
        """The object's name in its bucket."""
        return names.parse_gs_uri(self.uri)[1]


Place = Path | CloudObject


def key(place: Place) -> str:
    """What a place is known by between runs: the absolute path, or the address."""
    return str(place.absolute()) if isinstance(place, Path) else place.uri


def signature(place: Place) -> Signature | None:
    """What changes when the bytes do; None when there is no such file.

    Of a file: device, inode, size, and the times of content and inode. Of an object: its
    generation, size and checksum.
    """
    if isinstance(place, CloudObject):
        checksum = int.from_bytes(base64.b64decode(place.crc32c or ""), "big")
        return (place.generation, place.size_bytes, checksum)
    try:
        info = place.stat()
    except OSError:
        return None
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
