"""Files through Beam's file systems: here, in a bucket, on whatever machine a worker is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from trainer.paths import SCHEME

# Shards are stored as they are: their name must not make Beam compress them.
PLAIN = "application/octet-stream"


def read_bytes(path: str) -> bytes:
    """The whole file. Raises OSError."""
    systems, plain = _systems()
    try:
        with systems.open(path, PLAIN, plain) as file:
            data: bytes = file.read()
    except (ValueError, _beam_error()) as error:
        raise FileNotFoundError(str(error)) from error
    return data


@contextmanager
def written(path: str) -> Iterator[IO[bytes]]:
    """A file to write, which is there whole when the block ends, or not at all."""
    systems, plain = _systems()
    # An object of a bucket is only there when it is closed; a file is renamed.
    remote = path.startswith(SCHEME)
    partial = path if remote else f"{path}.{uuid.uuid4().hex}.partial"
    file: Any = systems.create(partial, PLAIN, plain)
    try:
        yield file
    except BaseException:
        if not remote:
            file.close()
            systems.delete([partial])
        raise
    file.close()
    if not remote:
        systems.rename([partial], [path])


def names_in(folder: str) -> list[str]:
    """The names of the files right below a folder; none where there is no folder."""
    systems, _ = _systems()
    pattern = f"{folder.rstrip('/')}/*"
    try:
        (found,) = systems.match([pattern])
    except _beam_error():
        return []
    return sorted(each.path.rsplit("/", 1)[-1] for each in found.metadata_list)


def exists(path: str) -> bool:
    """Whether a file or folder is there."""
    found: bool = _systems()[0].exists(path)
    return found


def make_folder(folder: str) -> None:
    """Makes the folder where it is not there. Raises OSError."""
    systems, _ = _systems()
    if not systems.exists(folder):
        systems.mkdirs(folder)


def delete(paths: list[str]) -> None:
    """Deletes files."""
    if paths:
        _systems()[0].delete(paths)


def _systems() -> tuple[Any, Any]:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    return FileSystems, CompressionTypes.UNCOMPRESSED


def _beam_error() -> type[Exception]:
    from apache_beam.io.filesystem import BeamIOError

    kind: type[Exception] = BeamIOError
    return kind
