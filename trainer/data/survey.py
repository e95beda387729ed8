"""The photos told, looked at and shared out before training starts: a bad one is told at once."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.data.decode import photo_format
from trainer.data.manifest import Photo, Photos, hold_out
from trainer.errors import DataError, PhotoError
from trainer.journal import Journal

SHOWN = 5


def tell(photos: Photos, journal: Journal, remark: str = "") -> None:
    """Says how many photos and labels there are, with the remark, and what is left out."""
    journal.say(
        f"{len(photos.training)} training, {len(photos.validation)} validation and "
        f"{len(photos.test)} test photos of {len(photos.labels)} labels{remark}.",
        phase="read",
        fraction=0.01,
    )
    if photos.unlabelled:
        journal.say(f"Skipped {photos.unlabelled} rows without a label.", "WARNING")
    if photos.unused_labels:
        journal.say(f"No photo has these labels: {', '.join(photos.unused_labels)}.", "WARNING")


def share_out(photos: Photos, seed: int, journal: Journal) -> tuple[list[Photo], list[Photo]]:
    """Photos that teach and photos that judge; says so when training photos have to judge."""
    taught, judges = hold_out(photos.training, photos.validation, seed)
    if not photos.validation:
        journal.say(
            f"There are no validation photos; {len(judges)} training photos take their place.",
            "WARNING",
        )
    return taught, judges


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
