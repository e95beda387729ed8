"""A source, looked at: every photo checked and every problem told, before anything is uploaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops import names
from ops.cloud.session import Session
from ops.data.check import check
from ops.data.known import KnownPhotos
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
    split what has no split yet (None: as ever).
    """

    name: str | None = None
    skip_bad: bool = False
    several: bool | None = None
    shares: Shares | None = None


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
    chosen = _name(source, options.name)
    if source.startswith(CLOUD):
        listing = read_cloud_source(session(), source, options.several)
    else:
        listing = read_source(Path(source), options.several)
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


def _name(source: str, name: str | None) -> str:
    """The data set's name: as given, or made of the source's."""
    if name is None:
        path = Path(source)
        if source.startswith(CLOUD):
            return names.label_value(PurePosixPath(source).stem) or "photos"
        plain = path.stem if path.is_file() else path.resolve().name
        return names.label_value(plain) or "photos"
    if names.label_value(name) == name and name:
        return name
    raise OpsError(
        Code.USAGE,
        f"The name is {name!r}; a data set's name has lower-case letters, digits, - and _ only, "
        f"at most {names.MAX_LABEL_CHARACTERS}.",
        f"Type --name {names.label_value(name) or 'photos'}",
    )


def shares(text: str | None) -> Shares | None:
    """What `--split` says; USAGE when that is no split."""
    found = parse_shares(text) if text is not None else None
    if text is None or found is not None:
        return found
    raise OpsError(
        Code.USAGE,
        f"--split is {text!r}; it has whole percents that sum to 100: training/validation/test, or "
        "training/test.",
        "Type --split 80/10/10 or --split 90/10",
    )
