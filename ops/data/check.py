"""Every problem of a data set found together, before anything is uploaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ops.data.decode import quiet_about_large_photos
from ops.data.duplicates import same_photo_once, several_labels
from ops.data.known import KnownPhotos
from ops.data.labels import collisions, imbalance, look_alikes, too_few, unfit, untrained, without
from ops.data.listing import Candidate, Listing
from ops.data.photos import Named, Photo, check_photo
from ops.data.places import CloudObject, Signature, signature
from ops.data.problems import BadPhotoError, Problem
from ops.parallel import in_order

_THREADS = max(4, os.cpu_count() or 1)
# Reading from a bucket is waiting, mostly.
_CLOUD_THREADS = 16


@dataclass(slots=True)
class Checked:
    """The photos that can be imported, in the source's order, and all that was found on the way.

    `sources` has where each usable photo is from and its hash, the repeated ones too. `left_out`
    counts the files behind `problems`; `problems` that are not skippable stop the
    import in any case.
    """

    photos: list[Named] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    looked_at: int = 0
    other_files: list[str] = field(default_factory=list)
    left_out: int = 0
    multi_label: bool = False
    sources: list[tuple[str, str]] = field(default_factory=list)

    @property
    def must_stop(self) -> bool:
        """Whether there is a problem that leaving photos out does not solve."""
        return any(not problem.skippable for problem in self.problems)


def check(
    listing: Listing,
    advance: Callable[[float], None] = lambda _: None,
    known: KnownPhotos | None = None,
) -> Checked:
    """All of a listing's photos looked at; `advance(1)` is called after each, from this thread.

    Files that `known` has seen, unchanged, are not read again; it learns the others.
    """
    checked = Checked(
        problems=list(listing.problems),
        warnings=list(listing.warnings),
        looked_at=len(listing.candidates),
        multi_label=listing.multi_label,
    )
    checked.left_out = sum(one.files for one in listing.problems if one.skippable)
    if checked.must_stop:
        return checked
    _look_at_all(listing.candidates, checked, advance, known or KnownPhotos())
    _judge_together(listing, checked)
    return checked


def _look_at_all(
    candidates: Sequence[Candidate],
    checked: Checked,
    advance: Callable[[float], None],
    known: KnownPhotos,
) -> None:
    remote = any(isinstance(candidate.place, CloudObject) for candidate in candidates)
    threads = _CLOUD_THREADS if remote else _THREADS
    with quiet_about_large_photos():
        outcomes = in_order(partial(_outcome, known), candidates, threads)
        for candidate, (seen, outcome) in zip(candidates, outcomes, strict=True):
            advance(1)
            if isinstance(outcome, Photo):
                known.add(seen, outcome)
                checked.photos.append(_named(candidate, outcome))
                checked.sources.append((candidate.source, outcome.sha256))
            elif outcome.is_photo or candidate.must_be_photo:
                checked.problems.append(Problem(candidate.where, outcome.what, outcome.fix))
                checked.left_out += 1
            else:
                checked.other_files.append(candidate.where)


def _named(candidate: Candidate, photo: Photo) -> Named:
    return Named(photo, candidate.where, candidate.labels, candidate.split, candidate.source)


def _outcome(
    known: KnownPhotos, candidate: Candidate
) -> tuple[Signature | None, Photo | BadPhotoError]:
    seen = signature(candidate.place)
    try:
        return seen, known.get(candidate.place, seen) or check_photo(candidate.place)
    except BadPhotoError as bad:
        return seen, bad


def _judge_together(listing: Listing, checked: Checked) -> None:
    """What only shows when all photos are known: the same one twice, labels, their numbers."""
    if not checked.multi_label:
        _drop(checked, several_labels(checked.photos))
    checked.photos, repeated = same_photo_once(checked.photos)
    checked.warnings += repeated
    listed = [label for candidate in listing.candidates for label in candidate.labels]
    checked.problems += collisions({*listed, *listing.empty_labels})
    rare = too_few(checked.photos, listed, listing.empty_labels)
    _drop(checked, rare.values())
    checked.photos = without(rare, checked.photos)
    checked.problems += untrained(checked.photos)
    checked.warnings += look_alikes(label for one in checked.photos for label in one.labels)
    checked.warnings += imbalance(checked.photos)
    checked.problems += unfit(listing.source, checked.photos)


def _drop(checked: Checked, found: Iterable[tuple[Problem, Sequence[Named]]]) -> None:
    dropped: set[int] = set()
    for problem, photos in found:
        checked.problems.append(problem)
        dropped.update(id(named) for named in photos)
    checked.left_out += len(dropped)
    checked.photos = [named for named in checked.photos if id(named) not in dropped]
