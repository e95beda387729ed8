"""What a source names: photos that nobody has looked at yet, with their labels and splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ops.data.problems import Problem


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a photo; `where` is how problems name it, `split` is the user's own.

    `must_be_photo` is false for files like notes.txt in a folder of photos: those are left out
    without a problem when their bytes are no photo.
    """

    path: Path
    where: str
    label: str
    split: str | None = None
    must_be_photo: bool = True


@dataclass(slots=True)
class Listing:
    """Everything a source names, in a fixed order, and how it was understood, in words."""

    source: Path
    understood: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hidden_files: int = 0
    empty_labels: list[str] = field(default_factory=list)

    def problem(self, where: str, what: str, fix: str, *, skippable: bool = True) -> None:
        """Add one more thing that is wrong."""
        self.problems.append(Problem(where, what, fix, skippable))


def shown(path: str) -> str:
    """A path as it can be printed: control characters and bytes that are no text are escaped."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
