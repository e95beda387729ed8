"""A look at every photo before training starts: a bad one is told at once, not in a minute."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.data.decode import photo_format
from trainer.data.manifest import Photo
from trainer.errors import DataError, PhotoError

SHOWN = 5


def check_files(photos: Sequence[Photo]) -> None:
    """Raises DataError naming the photos that are missing or of no known format."""
    problems = [problem for photo in photos if (problem := _problem(photo))]
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        listed = "; ".join(problems[:SHOWN])
        raise DataError(f"{len(problems)} photos cannot be used: {listed}{more}.")


def _problem(photo: Photo) -> str:
    try:
        with photo.path.open("rb") as file:
            photo_format(file.read(16))
    except OSError as error:
        return f"{photo.uri}: cannot be opened ({error.strerror or error})"
    except PhotoError as error:
        return f"{photo.uri}: {error}"
    return ""
