"""What was found in a source, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.data.check import Checked
from ops.data.manifest import refers
from ops.data.photos import Named
from ops.data.places import CloudObject
from ops.data.split import VALIDATION, Decision, Shares
from ops.errors import Code, OpsError

MAX_LINES = 100
MAX_NAMES = 3


@dataclass(frozen=True)
class Found:
    """A source, looked at, and the name that its data set gets."""

    name: str
    source: str
    understood: str
    hidden_files: int
    checked: Checked


def bad_data(found: Found) -> OpsError:
    """The error that lists every problem, and what to type."""
    checked = found.checked
    number = len(checked.problems)
    heading = f"{number:,} problem{'' if number == 1 else 's'} in {found.source}"
    seen = f" ({_count(checked.looked_at, 'file')} looked at)" if checked.looked_at else ""
    lines = "\n".join(_lines([str(problem) for problem in checked.problems]))
    message = f"{heading}{seen}; nothing was uploaded.\n{lines}"
    return OpsError(Code.BAD_DATA, message, _what_to_type(checked))


def remarks(found: Found) -> list[str]:
    """How the source was understood, and all that was changed, left out or is doubtful."""
    checked = found.checked
    said = [f"{found.source}: {found.understood}."]
    if found.hidden_files:
        said.append(f"Ignored: {_count(found.hidden_files, 'hidden file')}.")
    if checked.other_files:
        said.append(f"Ignored, being no photos: {_names(checked.other_files)}.")
    said += _unlabelled(checked.photos)
    said += _in_buckets(checked.photos)
    said += _changes(checked.photos)
    said += [f"Warning: {warning}" for warning in _cut(checked.warnings)]
    if checked.problems:
        said.append(f"Left out {_count(checked.left_out, 'file')} (--skip-bad):")
        said += _lines([str(problem) for problem in checked.problems])
    return said


def split_remarks(decision: Decision, shares: Shares, kept: int) -> list[str]:
    """Whose split it is, and what had to be taken from training.

    `kept` photos have the split of an earlier version of the data set.
    """
    said = [f"Split: {_whose(decision, shares, kept)}{_moved(decision, shares)}."]
    for split, labels in decision.missing.items():
        if split != VALIDATION or shares.validation:
            said.append(f"Warning: no {split} photo of {_names(labels)}; AutoML wants one of each.")
    return said


def _whose(decision: Decision, shares: Shares, kept: int) -> str:
    """Who decided which photos train: the user, an earlier version, or the hash."""
    earlier = "as in the earlier version"
    free = len(decision.splits) - decision.given
    if not free:
        return "yours"
    if kept == free:
        others = earlier
    elif kept:
        others = f"{_count(kept, 'photo')} {earlier}, the others {shares} for each label, by their "
        others += "hash"
    else:
        others = f"{shares} for each label, by the photos' hash"
    given = f"yours for {_count(decision.given, 'photo')}; the others: " if decision.given else ""
    return given + others


def _moved(decision: Decision, shares: Shares) -> str:
    """How many training photos went where a label had none, and why; empty when none did."""
    by_split: Counter[str] = Counter()
    for (_, to), number in decision.moved.items():
        by_split[to] += number
    parts = []
    for to, number in sorted(by_split.items()):
        empty = sorted(label for label, moved_to in decision.moved if moved_to == to)
        parts.append(f"{_count(number, 'training photo')} became {to}, which had none of ")
        parts[-1] += _names(empty)
    why = "AutoML needs each label in each split" if shares.validation else "each label is tested"
    return f", but {' and '.join(parts)} ({why})" if parts else ""


def _what_to_type(checked: Checked) -> str:
    if checked.must_stop:
        return "Correct this, then type the same command again."
    return f"Correct them, or add --skip-bad to go on without {_count(checked.left_out, 'file')}."


def _unlabelled(photos: Sequence[Named]) -> Iterator[str]:
    number = sum(not named.labels for named in photos)
    if number:
        have = "photo has" if number == 1 else "photos have"
        yield f"{number:,} {have} no label: stored and registered, but not trained on."


def _in_buckets(photos: Sequence[Named]) -> Iterator[str]:
    """Which photos stay where they lie in buckets, and which are copied."""
    found: Counter[tuple[bool, str, str]] = Counter()
    sizes: Counter[tuple[bool, str, str]] = Counter()
    for named in photos:
        place = named.photo.place
        if isinstance(place, CloudObject):
            group = (refers(named), place.bucket, place.location)
            found[group] += 1
            sizes[group] += place.size_bytes
    for (stays, bucket, location), number in sorted(found.items(), reverse=True):
        where = f"gs://{bucket} ({location or 'its location may not be asked for'})"
        if stays:
            yield f"{_count(number, 'photo')} of {where}: used where they lie; keep them there."
        else:
            size = f"{sizes[stays, bucket, location] / 1e6:.1f} MB"
            yield f"{_count(number, 'photo')} of {where}: copied to the stack's bucket, {size}."


def _changes(photos: Sequence[Named]) -> Iterator[str]:
    changes = Counter(named.photo.change for named in photos if named.photo.change)
    for change, number in sorted(changes.items()):
        yield f"Stored {_count(number, 'photo')} {change}; the files stay as they are."


def _lines(texts: Sequence[str]) -> list[str]:
    return [f"  {text}" for text in _cut(texts)]


def _cut(texts: Sequence[str]) -> list[str]:
    more = len(texts) - MAX_LINES
    return [*texts[:MAX_LINES], *([f"… and {more:,} more"] if more > 0 else [])]


def _names(words: Sequence[str]) -> str:
    more = len(words) - MAX_NAMES
    return ", ".join(words[:MAX_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
