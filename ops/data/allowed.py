"""A labels file: the labels that a data set may have, one a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from ops.data.listing import Candidate, Listing, own_label, shown
from ops.data.text_rows import no_list

NEAREST = 3


def keep_allowed(listing: Listing, path: Path) -> None:
    """Photos of other labels than the file's become problems, one a label; so does a bad file.

    A line is a label as its user wrote it, or a line of labels.txt (safe name, tab, the user's
    own). A label of the file that no photo has is told, and no problem.
    """
    allowed = _read(listing, path)
    if not allowed:
        return
    known, file = set(allowed), shown(path.name)
    others: dict[str, list[Candidate]] = {}
    for one in listing.candidates:
        strange = next((label for label in one.labels if label not in known), None)
        if strange is not None:
            others.setdefault(strange, []).append(one)
    for label, rows in sorted(others.items()):
        _refuse(listing, label, rows, allowed, file)
    left = {id(one) for rows in others.values() for one in rows}
    listing.candidates = [one for one in listing.candidates if id(one) not in left]
    used = {label for one in listing.candidates for label in one.labels}
    listing.understood += _unused(known - used - {*listing.empty_labels}, file)


def _unused(labels: Collection[str], file: str) -> str:
    """What to say of the file's labels that no photo has; empty when there are none."""
    if not labels:
        return ""
    more = f" and {len(labels) - NEAREST:,} more" if len(labels) > NEAREST else ""
    names = ", ".join(f"“{label}”" for label in sorted(labels)[:NEAREST])
    return f"; of the labels in {file}, no photo has {names}{more}"


def _read(listing: Listing, path: Path) -> list[str]:
    where = shown(str(path))
    try:
        content = path.read_bytes()
    except OSError as cause:
        words = f"the labels file cannot be read ({cause.strerror})."
        listing.problem(
            where, words, "Type the path of a file with a label a line.", skippable=False
        )
        return []
    other = no_list(content)
    text = content.decode("utf-8-sig", "replace")
    found = [own_label(line.rpartition("\t")[2]) for line in text.splitlines() if line.strip()]
    if other or "\ufffd" in text or not found:
        words = f"the labels file is {other or 'not UTF-8' if found else 'empty'}."
        listing.problem(where, words, "Write a label a line, in UTF-8.", skippable=False)
        return []
    return list(dict.fromkeys(found))


def _refuse(
    listing: Listing, label: str, rows: Sequence[Candidate], allowed: Sequence[str], file: str
) -> None:
    near = get_close_matches(label, allowed, NEAREST)
    names = f" Nearest: {', '.join(f'“{one}”' for one in near)}." if near else ""
    have = "1 photo has" if len(rows) == 1 else f"{len(rows):,} photos have"
    listing.problem(
        rows[0].where,
        f"the label “{label}” is not in {file} ({have} it).{names}",
        f"Correct it, or add it to {file}.",
        files=len(rows),
    )
