"""What a source names: photos that nobody has looked at yet, with their labels and splits."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from ops.data.places import Place
from ops.data.problems import Problem

# Not printable by themselves, but part of words in Persian, Hindi and of emoji.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file or object that may be a photo; `where` is how problems name it.

    `labels` are the user's own, each once, in the user's order; none for a photo that is only to
    be stored. `split` is the user's own. `source` says where the photo is from, without naming this
    machine: a path from the folder or list, or a gs:// URI. `must_be_photo` is false for files like
    notes.txt in a folder of photos: those are left out without a problem when they are no photo.
    """

    place: Place
    where: str
    labels: tuple[str, ...]
    split: str | None = None
    must_be_photo: bool = True
    source: str = ""


@dataclass(slots=True)
class Listing:
    """Everything a source names, in a fixed order, and how it was understood, in words."""

    source: str
    understood: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hidden_files: int = 0
    empty_labels: list[str] = field(default_factory=list)
    multi_label: bool = False

    def problem(
        self, where: str, what: str, fix: str, *, skippable: bool = True, files: int = 1
    ) -> None:
        """Add one more thing that is wrong, with so many files."""
        self.problems.append(Problem(where, what, fix, skippable, files))


def shown(text: str) -> str:
    """A path or label as it can be printed: control characters and bytes of no text are escaped."""
    if text.isprintable():
        return text
    known = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() or char in _JOINERS else repr(char)[1:-1] for char in known
    )


def own_label(text: str) -> str:
    """A label as its user wrote it, printable, in composed form (NFC): macOS decomposes names."""
    return shown(unicodedata.normalize("NFC", text.strip()))
