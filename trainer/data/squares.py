"""Decoded squares, kept for the next epoch: nowhere, in memory, or in a memory-mapped file."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

import numpy as np

from trainer.data.resize import Pixels
from trainer.errors import ConfigError

NONE, MEMORY = "none", "memory"
# Another name whenever `trainer.data.decode` gives other pixels: files of older squares are left.
DECODER = "down first, whole colour samples"

Reader = Callable[[Path], Pixels]


class Squares:
    """Squares of photos by their place; this one keeps nothing."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def needs_file(self, place: int) -> bool:  # noqa: ARG002
        """Whether `put` will read the photo's file."""
        return True

    def put(self, place: int, target: Pixels, read: Reader) -> None:
        """Writes the square of the photo at `place` into `target`, `(size, size, 3)`."""
        target[:] = read(self._paths[place])


class KeptSquares(Squares):
    """The same; each photo is decoded once. `done` says, a byte a photo, which ones are kept."""

    def __init__(self, paths: Sequence[Path], kept: Pixels, done: Pixels) -> None:
        super().__init__(paths)
        self._kept, self._done = kept, done

    def needs_file(self, place: int) -> bool:
        """Whether the photo's square is not kept yet."""
        return not self._done[place]

    def put(self, place: int, target: Pixels, read: Reader) -> None:
        """Writes the square from the cache, or reads it and keeps it."""
        if not self._done[place]:
            self._keep(place, read(self._paths[place]))
        target[:] = self._kept[place]

    def _keep(self, place: int, pixels: Pixels) -> None:
        """Keeps a square, then marks it as kept."""
        self._kept[place] = pixels
        self._done[place] = 1


def squares_for(cache: str | Path, paths: Sequence[Path], size: int) -> Squares:
    """The squares of the files by the kind of cache: "none", "memory" or a folder.

    Raises ConfigError for a folder that cannot be written.
    """
    if cache == NONE or not paths:
        return Squares(paths)
    shape = (len(paths), size, size, 3)
    if cache == MEMORY:
        return KeptSquares(paths, np.empty(shape, np.uint8), np.zeros(len(paths), np.uint8))
    stem = Path(cache, f"squares-{_key(paths, size)[:16]}")
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        pixels, done = stem.with_suffix(".pixels"), stem.with_suffix(".done")
        if not _whole(pixels, shape):
            done.unlink(missing_ok=True)
        # A square is marked after it is written: a killed process leaves none half done.
        return KeptSquares(paths, _mapped(pixels, shape), _mapped(done, shape[:1]))
    except OSError as error:
        raise ConfigError(f"The cache {cache} cannot be written ({error.strerror}).") from error


def _whole(path: Path, shape: tuple[int, ...]) -> bool:
    return path.exists() and path.stat().st_size == math.prod(shape)


def _mapped(path: Path, shape: tuple[int, ...]) -> Pixels:
    """The file's bytes, zeros where there was none; two processes that begin at once share it."""
    if not _whole(path, shape):
        new = path.with_name(f"{path.name}.{token_hex(4)}")
        with new.open("wb") as file:
            file.truncate(math.prod(shape))
        _named(new, path, shape)
    return np.memmap(path, np.uint8, "r+", shape=shape)


def _named(file: Path, path: Path, shape: tuple[int, ...]) -> None:
    """Gives a new file its name, unless another process was quicker."""
    try:
        os.link(file, path)
        file.unlink()
    except OSError as error:  # a mounted bucket has no links
        if isinstance(error, FileExistsError) and _whole(path, shape):
            file.unlink()
        else:
            file.replace(path)


def _key(paths: Sequence[Path], size: int) -> str:
    """Changes with any photo's place, length or time of change, with the size and the decoder."""
    digest = hashlib.sha256(f"{DECODER}-{size}".encode())
    for path in paths:
        try:
            found = path.stat()
            digest.update(f"\n{path}\t{found.st_size}\t{found.st_mtime_ns}".encode())
        except OSError:
            digest.update(f"\n{path}\t-".encode())
    return digest.hexdigest()
