"""A photo, checked: what would be stored for a file, or what is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from ops.data.decode import Examined, converted_bytes, examine
from ops.data.formats import MAX_FILE_BYTES
from ops.data.places import CloudObject, Place
from ops.data.problems import BadPhotoError


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo as it is stored; width and height are in pixels, of the stored bytes.

    `sha256` names the stored bytes, `source_sha256` the file's: they differ when `change` says
    what was done (“turned upright”). `crc32c` is base64 of the big-endian checksum, as Cloud
    Storage writes it.
    """

    place: Place
    sha256: str
    source_sha256: str
    crc32c: str
    extension: str
    mime_type: str
    width: int
    height: int
    size_bytes: int
    change: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A good photo with its labels as the user wrote them, and how messages name it.

    `labels` are empty for a photo that is only stored; `split` is the user's own; `source` where
    the photo is from (see `Candidate`).
    """

    photo: Photo
    where: str
    labels: tuple[str, ...]
    split: str | None = None
    source: str = ""


def read_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The file's bytes, at most `max_bytes`. Raises BadPhotoError for what cannot be read."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise BadPhotoError("not a regular file.", "Replace it by a photo, or remove it.")
        _refuse_large(info.st_size, max_bytes)
        return path.read_bytes()
    except PermissionError:
        raise BadPhotoError("this user may not read it.", f"Type chmod u+r {path}.") from None
    except FileNotFoundError:
        raise BadPhotoError("there is no such file.", "Correct the path or add the file.") from None
    except OSError as cause:
        raise BadPhotoError(
            f"it cannot be read ({cause.strerror}).", "Copy it again from where it came from."
        ) from cause


def read_place(place: Place) -> bytes:
    """The bytes of a file or an object. Raises BadPhotoError for what cannot be read."""
    if isinstance(place, CloudObject):
        _refuse_large(place.size_bytes, MAX_FILE_BYTES)
        return place.read()
    return read_file(place)


def _refuse_large(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise BadPhotoError(
            f"{size_bytes / 1e6:.1f} MB; a photo has at most {max_bytes // 10**6} MB.",
            "Save it smaller.",
        )


def check_photo(place: Place) -> Photo:
    """The photo that would be stored for this file or object; read once and really decoded.

    Raises BadPhotoError. Safe to call from many threads: Pillow and the hashes release the
    interpreter while they work.
    """
    content = read_place(place)
    examined = examine(content)
    if examined.change is None:
        return _photo(place, content, content, examined, None)
    stored = converted_bytes(examined)
    if len(stored) > MAX_FILE_BYTES:
        raise BadPhotoError(
            f"{len(stored) / 1e6:.1f} MB once {examined.change}; a photo has at most 30 MB.",
            "Save it smaller.",
        )
    return _photo(place, content, stored, examine(stored), examined.change)


def stored_bytes(photo: Photo) -> bytes:
    """The bytes to store for a checked photo, made again from its file. Raises BadPhotoError.

    A file that has changed since it was checked is refused.
    """
    content = read_place(photo.place)
    stored = converted_bytes(examine(content)) if photo.change else content
    if crc32c_of(stored) != photo.crc32c:
        raise BadPhotoError("the file changed while it was imported.", "Run the command again.")
    return stored


def _photo(
    place: Place, content: bytes, stored: bytes, seen: Examined, change: str | None
) -> Photo:
    source_sha256 = hashlib.sha256(content).hexdigest()
    return Photo(
        place=place,
        sha256=hashlib.sha256(stored).hexdigest() if change else source_sha256,
        source_sha256=source_sha256,
        crc32c=crc32c_of(stored),
        extension=seen.format.extension,
        mime_type=seen.format.mime_type,
        width=seen.width,
        height=seen.height,
        size_bytes=len(stored),
        change=change,
    )


def crc32c_of(content: bytes) -> str:
    """The checksum Cloud Storage compares: base64 of 4 big-endian bytes."""
    import google_crc32c

    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()
