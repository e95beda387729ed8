"""A source, looked at: every photo checked and every problem told, before anything is uploaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops import names
from ops.cloud.session import Session
from ops.data import subset
from ops.data.allowed import keep_allowed
from ops.data.check import check
from ops.data.known import KnownPhotos
from ops.data.labels import MIN_PHOTOS_PER_LABEL
from ops.data.listing import Listing
from ops.data.places import CloudObject
from ops.data.report import Found, bad_data
from ops.data.row import CLOUD
from ops.data.sources import read_source
from ops.data.split import Shares, parse_shares
from ops.errors import Code, OpsError
from ops.progress import Progress
from ops.workflows.import_buckets import look_up, read_cloud_source

KNOWN_PHOTOS = "photos.sqlite"


@dataclass(frozen=True)
class Options:
    """What the user asked for; `name` is the data set's.

    `several` says whether a photo may have several labels (None: if any has), `shares` how to
    split what has no split yet (None: as ever). `subset` is about how many photos to take, `labels`
    a file of the labels that may be.
    """

    name: str | None = None
    skip_bad: bool = False
    several: bool | None = None
    shares: Shares | None = None
    subset: int | None = None
    labels: str | None = None


def look(
    source: str,
    options: Options,
    progress: Progress,
    state_dir: Path,
    session: Callable[[], Session],
) -> Found:
    """The source's photos, all checked. BAD_DATA with every problem, unless they are skipped.

    What was checked is remembered in `state_dir`, so that what is unchanged is not read again.
    `session` is opened for a source that names a bucket only.
    """
    chosen = _name(source, options)
    if source.startswith(CLOUD):
        listing = read_cloud_source(session(), source, options.several)
    else:
        listing = read_source(Path(source), options.several)
    if options.labels is not None:
        keep_allowed(listing, Path(options.labels))
    if options.subset is not None:
        _take_subset(listing, options.subset)
    if any(isinstance(one.place, CloudObject) for one in listing.candidates):
        look_up(session(), listing, progress)
    store = state_dir / KNOWN_PHOTOS
    known = KnownPhotos.load(store, (candidate.place for candidate in listing.candidates))
    with progress.step("Checking", len(listing.candidates), "photos") as step:
        checked = check(listing, step.advance, known)
    known.save(store)
    found = Found(chosen, listing.source, listing.understood, listing.hidden_files, checked)
    if checked.must_stop or (checked.problems and not options.skip_bad):
        raise bad_data(found)
    return found


def _take_subset(listing: Listing, number: int) -> None:
    """The listing cut to about so many photos; USAGE when those are too few for its labels."""
    total, least = len(listing.candidates), subset.least(listing.candidates)
    if number < least:
        raise OpsError(
            Code.USAGE,
            f"--subset is {number:,}; the {least // MIN_PHOTOS_PER_LABEL:,} labels of "
            f"{listing.source} need at least {MIN_PHOTOS_PER_LABEL} photos each.",
            f"Type --subset {least}",
        )
    listing.candidates = subset.subset(listing.candidates, number)
    if len(listing.candidates) < total:
        taken = f"{len(listing.candidates):,} of its {total:,} photos"
        listing.understood += f"; a subset of {taken}, by the hash of their names"


def _name(source: str, options: Options) -> str:
    """The data set's name: as given, or made of the source's and the subset's size."""
    name = options.name
    if name is None:
        part = f"-subset-{options.subset}" if options.subset else ""
        most = names.MAX_LABEL_CHARACTERS - len(part)
        return _plain_name(source)[:most] + part
    if names.label_value(name) == name and name:
        return name
    raise OpsError(
        Code.USAGE,
        f"The name is {name!r}; a data set's name has lower-case letters, digits, - and _ only, "
        f"at most {names.MAX_LABEL_CHARACTERS}.",
        f"Type --name {names.label_value(name) or 'photos'}",
    )


def _plain_name(source: str) -> str:
    """The last part of the source's name, as a label's value."""
    path = Path(source)
    if source.startswith(CLOUD):
        plain = PurePosixPath(source).stem
    else:
        plain = path.stem if path.is_file() else path.resolve().name
    return names.label_value(plain) or "photos"


def shares(text: str | None) -> Shares | None:
    """What `--split` says; USAGE when that is no split."""
    found = parse_shares(text) if text is not None else None
    if text is None or found is not None:
        return found
    raise OpsError(
        Code.USAGE,
        f"--split is {text!r}; it has whole percents, each at least 1, that sum to 100: "
        "training/validation/test, or training/test.",
        "Type --split 80/10/10 or --split 90/10",
    )
