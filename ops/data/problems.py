"""What is wrong with a data set, by file or row, all of it at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way of an import.

    `where` is a file, a row of a CSV or a label; `what` says what was received; `fix` what to do.
    Those that are not `skippable` stop the import with `--skip-bad` too. It stands for so many
    `files`.
    """

    where: str
    what: str
    fix: str
    skippable: bool = True
    files: int = 1

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.fix}"


class BadPhotoError(Exception):
    """One photo that cannot be used: what was received, and what to do about it.

    `is_photo` is false when the content is something else altogether.
    """

    def __init__(self, what: str, fix: str, *, is_photo: bool = True) -> None:
        super().__init__(f"{what} {fix}")
        self.is_photo = is_photo
        self.what = what
        self.fix = fix
